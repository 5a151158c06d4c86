"""What the model-based tests of expressions of interest and of deals share: a world of their own for each run, people
who act in it, and steps that are killed at any statement.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from sqlalchemy import URL, create_engine, text
from sqlalchemy.orm import Session

from techex.core import audit
from techex.core.context import COMMAND_LINE, Actor, Context
from techex.core.database import Database
from techex.errors import TechexError
from tests.brokering.stage import Pair, actor_of, stage
from tests.core.test_outbox_crashes import Crash, Points

# TECHEX_TEST_EXAMPLES=500 looks deeper.
EXAMPLES = int(os.environ.get("TECHEX_TEST_EXAMPLES", "10"))
DEPTH = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize="TECHEX_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
QUICKLY = settings(DEPTH, max_examples=max(3, EXAMPLES // 3), stateful_step_count=20)  # a server takes longer
PEOPLE = ("engineer", "editor", "viewer", "officer", "operator", "other_operator", "rival")
MOST_POINTS = 80  # statements and commits of a step, twice: before and after


class Files:
    """SQLite: a world is a file, and each run acts in a copy of it."""

    def __init__(self, migrated: Path, folder: Path) -> None:
        self.folder, self.file, self.copies = folder, folder / "world.db", 0
        shutil.copy(migrated, self.file)

    def original(self) -> Database:
        """The world itself."""
        return Database(f"sqlite:///{self.file}")

    def settled(self, database: Database) -> None:
        """The world will not change any more."""
        database.engine.connect().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
        database.close()

    def copy(self) -> tuple[Database, Callable[[], object], Callable[[], None]]:
        """A copy, what tells whether anything was committed in it, and what ends that."""
        self.copies += 1
        file = self.folder / f"run-{self.copies % 2}.db"
        for leftover in self.folder.glob(f"{file.name}*"):
            leftover.unlink()
        shutil.copy(self.file, file)
        reader = sqlite3.connect(file)
        # What SQLite counts up for this reader whenever another connection has committed a change.
        return Database(f"sqlite:///{file}"), lambda: reader.execute("PRAGMA data_version").fetchone()[0], reader.close


class Server:
    """PostgreSQL: a world is a database, and each run acts in another one made from it."""

    def __init__(self, address: URL) -> None:
        self.address, self.name, self.copies = address, f"world{uuid4().hex}", 0
        self._do(f"create database {self.name} template migrated")

    def _do(self, *statements: str) -> None:
        admin = create_engine(self.address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        admin.dispose()

    def _open(self, name: str) -> Database:
        return Database(self.address.set(database=name).render_as_string(hide_password=False))

    def original(self) -> Database:
        """The world itself."""
        return self._open(self.name)

    def settled(self, database: Database) -> None:
        """The world will not change any more."""
        database.close()

    def copy(self) -> tuple[Database, Callable[[], object], Callable[[], None]]:
        """A copy, what tells whether anything was committed in it, and what ends that."""
        self.copies += 1
        name = f"{self.name}_{self.copies % 2}"
        self._do(f"drop database if exists {name} with (force)", f"create database {name} template {self.name}")
        database = self._open(name)
        counted = text(
            " union all ".join(
                f"select count(*) + coalesce(sum(xmin::text::bigint), 0) from {table}" for table in WRITTEN_BY_STEPS
            )
        )

        def kept() -> list[Any]:
            with database.reading() as session:
                return list(session.scalars(counted))

        return database, kept, lambda: None


# A row that is new or changed has the number of its transaction, so their sum tells whether any step was kept.
WRITTEN_BY_STEPS = ("interest", "interest_step", "deal", "deal_step", "deal_task", "deal_participant", "letter")


class World:
    """A database with the cast and two listings; runs take copies of it."""

    def __init__(self, store: Files | Server, context: Context, begin: Callable[[Session, Pair], int]) -> None:
        self.store, self.context = store, context
        database = store.original()
        with database.transaction() as session:
            self.pair = stage(session, context)
            self.actors: dict[str, Actor] = {name: actor_of(session, name) for name in PEOPLE}
            self.actors["clock"] = COMMAND_LINE
            session.flush()
            self.number = begin(session, self.pair)
        store.settled(database)

    def run(self) -> Run:
        """A copy to act in."""
        return Run(self)


class Run:
    """One run of a machine: steps in transactions of their own, some of which are killed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.database, self.commits, self._end = world.store.copy()
        self.now = world.context.now
        self.points = Points()

    def close(self) -> None:
        """Let go of the database."""
        self._end()
        self.database.close()

    def acting(self, name: str) -> Context:
        """This one of the cast, now."""
        return Context(self.world.actors[name], self.now)

    def attempt(self, do: Callable[[Session], Any], crash_at: int = 0) -> str:
        """Do it in a transaction, killed at this point of it where there is one: "done", "refused" or "killed".

        What was refused, or killed before its commit, has left nothing behind.
        """
        before = self.commits()
        self.points.left = crash_at
        try:
            with self.points.within(self.database), self.database.transaction() as session:
                do(session)
        except TechexError:
            return "refused"
        except Crash as crash:
            self.points.is_dead = False
            if str(crash) == "after COMMIT":
                return "done"
            killed = str(crash)
        else:
            return "done"
        finally:
            self.points.left = 0
        assert self.commits() == before, f"killed {killed}, and something was kept"
        return "killed"

    def chain_holds(self) -> bool:
        """True while the audit log follows from its beginning."""
        with self.database.reading() as session:
            return audit.verify(session).is_whole
