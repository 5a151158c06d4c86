"""The audit log only grows, entry by entry, each following from the one before."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from techex.core import audit, changes
from techex.core.audit import START, AuditEntry, AuditHead
from techex.core.context import COMMAND_LINE, Actor, Context, Role
from techex.core.database import Database

CONTEXT = Context(COMMAND_LINE, datetime(2026, 3, 1, 8, 30, 0, 123_456, tzinfo=UTC))
LAN = Context(Actor("Nguyễn Thị Lan", Role.PERSON, person_id=7), CONTEXT.now)
TAMPERINGS = 10_000


@pytest.fixture
def database(each_database: Database) -> Database:
    return each_database


def _write(database: Database, count: int, context: Context = CONTEXT) -> None:
    for number in range(count):
        with database.transaction() as session:
            audit.record(session, context, "edited", "listing", number, {"tên": "Bơm", "n": [1, 2.5, None], 3: (4,)})


def _walked(database: Database, noted: str = "") -> audit.Walk:
    with database.reading() as session:
        return audit.verify(session, noted=noted)


def test_an_untouched_log_is_whole_and_says_where_it_ends(database: Database) -> None:
    assert _walked(database) == audit.Walk(0, START)
    _write(database, 5)
    walked = _walked(database)
    assert walked.is_whole
    with database.reading() as session:
        assert (walked.entries, walked.hash) == audit.last(session)


def test_several_entries_of_one_transaction_follow_each_other(database: Database) -> None:
    with database.transaction() as session:
        for number in range(3):
            audit.record(session, CONTEXT, "created", "listing", number)
    assert _walked(database).entries == 3
    assert _walked(database).is_whole


def test_a_person_stands_in_the_log_by_number_so_that_the_name_can_go_with_the_account(database: Database) -> None:
    _write(database, 1, LAN)
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.person_id) == ("person 7", 7)


@pytest.mark.parametrize("deed", [update(AuditEntry).values(verb="read"), delete(AuditEntry)])
def test_no_program_changes_or_removes_an_entry(database: Database, deed: Any) -> None:
    _write(database, 1)
    with pytest.raises(DBAPIError, match="the audit log only grows"), database.transaction() as session:
        session.execute(deed)
    assert _walked(database).is_whole
    assert _walked(database).entries == 1


def test_a_postgresql_table_cannot_be_emptied_either(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite knows no TRUNCATE")
    _write(database, 1)
    with pytest.raises(DBAPIError, match="the audit log only grows"), database.transaction() as session:
        session.execute(text("TRUNCATE audit_entry"))


def test_writers_at_once_make_one_chain_in_whichever_order_they_record(database: Database) -> None:
    def write(worker: int) -> None:
        for step in range(15):
            with database.transaction() as session:
                if worker % 2:
                    changes.record(session, CONTEXT, "listing", step, "edited")
                audit.record(session, CONTEXT, "edited", "listing", worker * 100 + step)
                changes.record(session, CONTEXT, "listing", step, "edited")

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    walked = _walked(database)
    assert walked.is_whole, walked.reason
    assert walked.entries == 60


def test_a_transaction_that_fails_leaves_no_gap(database: Database) -> None:
    def fail_half_way() -> None:
        with database.transaction() as session:
            audit.record(session, CONTEXT, "edited", "listing", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    _write(database, 2)
    with database.reading() as session:
        assert session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).all() == [1, 2]


def test_a_transaction_that_reads_the_head_before_still_gets_it_right(database: Database) -> None:
    _write(database, 1)
    with database.transaction() as session:
        assert audit.last(session)[0] == 1
        audit.record(session, CONTEXT, "edited", "listing", 1)
        audit.record(session, CONTEXT, "edited", "listing", 2)
        assert session.get_one(AuditHead, 1).last == 3
    assert _walked(database).is_whole
