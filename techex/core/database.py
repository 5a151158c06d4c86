"""The engine, the one transaction of a caller, and the base of all mapped classes.

SQLite and PostgreSQL run the same code. A caller (view, command, job) opens the transaction; services never commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from techex.errors import DatabaseNotReady

# Stable constraint names, so that a migration can name what it drops on every database.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# A writer waits this long for another one; a batch of the import holds the lock for well under a second.
BUSY_TIMEOUT_MS = 10_000


class Base(DeclarativeBase):
    """Root of all mapped classes; they live in the `tables.py` of their domain."""

    metadata = MetaData(naming_convention=NAMING)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC; a naive one is refused, since nobody can say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored; pass an aware datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def make_engine(address: str) -> Engine:
    """An engine for `address`, with the promises of the design on SQLite: WAL, full sync, foreign keys, one writer.

    Raises DatabaseNotReady where the address cannot be understood or its driver is not installed.
    """
    try:
        url = make_url(address)
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseNotReady(
            f"The database address {address!r} cannot be used ({error}). Expected something like "
            "sqlite:///folder/techex.db or postgresql+psycopg://user@host/name; set TECHEX_DATABASE_URL."
        ) from error
    except OSError as error:
        raise DatabaseNotReady(
            f"The folder of the database cannot be made: {error}. Set TECHEX_DATA_DIR to a folder you may write to."
        ) from error
    event.listen(engine, "connect", _sqlite_promises)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_promises(connection: Any, _record: object) -> None:
    # The driver's own transaction handling is switched off so that BEGIN IMMEDIATE below is the only one.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()


def _sqlite_begin(connection: Any) -> None:
    # A writer takes the lock at its start: a later upgrade from reading to writing could only fail.
    immediate = connection.get_execution_options().get("techex_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


class Database:
    """One database: `transaction()` to write, `reading()` to read."""

    def __init__(self, address: str) -> None:
        self.engine = make_engine(address)
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        self._writing = sessionmaker(self.engine.execution_options(techex_writes=True), expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end of the block, or rolled back whole if it raises."""
        with self._writing.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one consistent picture of the data; nothing done in it is kept."""
        with self._reading() as session:
            yield session

    def close(self) -> None:
        """Give all connections back (needed before a fork)."""
        self.engine.dispose()
