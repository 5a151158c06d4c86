from __future__ import annotations

import pytest
from flask import Flask

from techex.core.context import COMMAND_LINE, Context
from techex.web import identity

from .stage import Pair, stage


@pytest.fixture
def pair(demo_app: Flask) -> Pair:
    """The stage in the database of `demo_app`."""
    with demo_app.app_context(), identity.database().transaction() as session:
        return stage(session, Context(COMMAND_LINE))
