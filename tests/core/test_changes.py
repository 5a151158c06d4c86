"""The change log gives numbers in commit order, also to writers that work at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from techex.core import changes
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database

CONTEXT = Context(COMMAND_LINE, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def database(each_database: Database) -> Database:
    return each_database


def test_numbers_rise_by_one_and_can_be_followed(database: Database) -> None:
    with database.transaction() as session:
        for number in range(3):
            changes.record(session, CONTEXT, "listing", number, "published")
    with database.reading() as session:
        assert changes.last(session) == 3
        assert [(c.seq, c.subject_id) for c in changes.since(session, 1)] == [(2, 1), (3, 2)]


def test_a_transaction_that_fails_leaves_no_number_behind(database: Database) -> None:
    def fail_half_way() -> None:
        with database.transaction() as session:
            changes.record(session, CONTEXT, "listing", 1, "published")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with database.transaction() as session:
        assert changes.record(session, CONTEXT, "listing", 2, "published") == 1


def test_writers_at_once_get_every_number_once_and_none_is_missed(database: Database) -> None:
    def write(worker: int) -> None:
        for step in range(20):
            with database.transaction() as session:
                changes.record(session, CONTEXT, "listing", worker * 100 + step, "edited")

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while any(thread.is_alive() for thread in threads):
        with database.reading() as session:
            seen.extend(change.seq for change in changes.since(session, seen[-1] if seen else 0))
    with database.reading() as session:
        seen.extend(change.seq for change in changes.since(session, seen[-1] if seen else 0))
    assert seen == list(range(1, 81))
