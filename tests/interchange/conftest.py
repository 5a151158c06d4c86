"""Import and export run on every database."""

from __future__ import annotations

import pytest

from techex.core.database import Database


@pytest.fixture
def database(each_database: Database) -> Database:
    return each_database
