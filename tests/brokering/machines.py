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

from hypothesis import HealthCheck, settings
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
PEOPLE = ("engineer", "editor", "viewer", "officer", "operator", "other_operator", "rival")
MOST_POINTS = 80  # statements and commits of a step, twice: before and after


class World:
    """A database with the cast and two listings; runs take copies of its file."""

    def __init__(self, migrated: Path, folder: Path, context: Context, begin: Callable[[Session, Pair], int]) -> None:
        self.folder, self.context, self.runs = folder, context, 0
        self.file = folder / "world.db"
        shutil.copy(migrated, self.file)
        database = Database(f"sqlite:///{self.file}")
        with database.transaction() as session:
            self.pair = stage(session, context)
            self.actors: dict[str, Actor] = {name: actor_of(session, name) for name in PEOPLE}
            self.actors["clock"] = COMMAND_LINE
            session.flush()
            self.number = begin(session, self.pair)
        database.engine.connect().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
        database.close()

    def run(self) -> Run:
        """A copy to act in."""
        self.runs += 1
        file = self.folder / f"run-{self.runs % 2}.db"
        for leftover in self.folder.glob(f"{file.name}*"):
            leftover.unlink()
        shutil.copy(self.file, file)
        return Run(self, file)


class Run:
    """One run of a machine: steps in transactions of their own, some of which are killed."""

    def __init__(self, world: World, file: Path) -> None:
        self.world, self.file = world, file
        self.database = Database(f"sqlite:///{file}")
        self.now = world.context.now
        self.points = Points()
        self._reader = sqlite3.connect(file)

    def close(self) -> None:
        """Let go of the database."""
        self._reader.close()
        self.database.close()

    def acting(self, name: str) -> Context:
        """This one of the cast, now."""
        return Context(self.world.actors[name], self.now)

    def commits(self) -> int:
        """What SQLite counts up for this reader whenever another connection has committed a change."""
        return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

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
