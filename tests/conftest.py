"""What every test may ask for: settings of its own, a migrated database, a session, a client, a real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from techex import paths
from techex.app import create_app
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Base, Database
from techex.migrations import run
from techex.migrations.metadata import import_tables
from techex.settings import Settings

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file; tests take copies of it."""
    path = tmp_path_factory.mktemp("template") / "techex.db"
    database = Database(f"sqlite:///{path}")
    if not run.upgrade(database):
        import_tables()
        Base.metadata.create_all(database.engine)
    database.close()
    return path


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    """An installation in a folder of its own, with the deterministic encoder and an empty, migrated database."""
    data = tmp_path / "instance"
    data.mkdir()
    shutil.copy(migrated, data / "techex.db")
    return Settings(
        data_dir=data,
        database_url="",
        models_dir=paths.CHECKOUT / "models",
        indexes_dir=tmp_path / "indexes",
        card="hashing",
        engine="hashing",
        secret_key="only for tests",
        languages="vi,en",
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`."""
    database = Database(settings.database_address)
    yield database
    database.close()


@pytest.fixture
def context() -> Context:
    """The installation's own command line, at a fixed moment."""
    return Context(COMMAND_LINE, NOW)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session, committed at the end of the test."""
    with database.transaction() as session:
        yield session


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The exchange of `settings`; a view that forgot the policy raises."""
    app = create_app(settings, testing=True)
    yield app
    app.extensions["techex.database"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()
