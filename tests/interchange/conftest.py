"""A migrated database and a file to import."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Base, Database
from techex.migrations.metadata import import_tables


@pytest.fixture
def context() -> Context:
    return Context(COMMAND_LINE, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    import_tables()
    database = Database(f"sqlite:///{tmp_path / 'techex.db'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()
