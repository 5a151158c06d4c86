"""Whoever changes the audit log in secret, with the file in their hands, is found out and located."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from techex.core import audit
from techex.core.audit import START, Link, hash_after, walk
from techex.core.context import COMMAND_LINE, Actor, Context, Role
from techex.core.database import Database

CONTEXT = Context(COMMAND_LINE, datetime(2026, 3, 1, 8, 30, 0, 123_456, tzinfo=UTC))
LAN = Context(Actor("Nguyễn Thị Lan", Role.PERSON, person_id=7), CONTEXT.now)
TAMPERINGS = 10_000


def _write(database: Database, count: int, context: Context = CONTEXT) -> None:
    for number in range(count):
        with database.transaction() as session:
            audit.record(session, context, "edited", "listing", number, {"tên": "Bơm", "n": [1, 2.5, None], 3: (4,)})


def _walked(database: Database, noted: str = "") -> audit.Walk:
    with database.reading() as session:
        return audit.verify(session, noted=noted)


def _unguarded(database: Database, statement: str) -> None:
    """What somebody with the file in their hands can do."""
    path = database.engine.url.database
    assert path
    connection = sqlite3.connect(path)
    for verb in ("update", "delete"):
        connection.execute(f"DROP TRIGGER IF EXISTS audit_entry_no_{verb}")
    connection.executescript(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_entry SET detail = '{\"n\": 2}' WHERE id = 3", 3),
        ("UPDATE audit_entry SET detail = '{broken' WHERE id = 3", 3),
        ("UPDATE audit_entry SET at = 'yesterday' WHERE id = 4", 4),
        ("UPDATE audit_entry SET person_id = 1 WHERE id = 2", 2),
        ("DELETE FROM audit_entry WHERE id = 2", 3),
        ("DELETE FROM audit_entry WHERE id = 1", 2),
        ("DELETE FROM audit_entry WHERE id >= 5", 5),
        ("UPDATE audit_head SET last = 7", 6),
        ("UPDATE audit_entry SET id = 99 WHERE id = 2", 3),
    ],
)
def test_the_first_entry_that_does_not_follow_is_named(database: Database, statement: str, broken: int) -> None:
    _write(database, 5)
    _unguarded(database, statement)
    walked = _walked(database)
    assert (walked.is_whole, walked.broken) == (False, broken)
    assert walked.reason


def test_a_chain_written_anew_is_caught_by_a_hash_noted_before(database: Database) -> None:
    _write(database, 3)
    with database.reading() as session:
        noted = audit.last(session)[1]
    assert _walked(database, noted).is_whole
    _unguarded(database, "DELETE FROM audit_entry; UPDATE audit_head SET last = 0, hash = '" + START + "'")
    _write(database, 4, LAN)
    assert _walked(database).is_whole
    assert "noted" in _walked(database, noted).reason


def _chain(count: int) -> list[Link]:
    links, previous = [], START
    for number in range(1, count + 1):
        content = f'[{number},"edited","listing",{number * 7}]'
        previous = hash_after(previous, content)
        links.append(Link(number, content, previous))
    return links


def test_ten_thousand_tamperings_are_all_found_where_they_begin() -> None:
    """Edits, removals, insertions, exchanges and cut ends, each in a chain of its own."""
    chance, whole = random.Random(20261122), _chain(24)  # noqa: S311 - a test that can be repeated
    end = (whole[-1].id, whole[-1].hash)
    assert walk(whole, end).is_whole
    missed = []
    for number in range(TAMPERINGS):
        links, place = list(whole), chance.randrange(len(whole))
        link = links[place]
        match number % 5:
            case 0:
                links[place] = replace(link, content=f"{link.content} ")
            case 1:
                del links[place]
            case 2:
                links.insert(place, Link(link.id, '["forged"]', hash_after(START, '["forged"]')))
            case 3:
                other = (place + chance.randrange(1, len(links))) % len(links)
                links[place], links[other] = links[other], links[place]
                place = min(place, other)
            case _:
                del links[place:]
        walked = walk(links, end)
        first = links[place].id if place < len(links) else place + 1
        if walked.is_whole or walked.broken != first:
            missed.append((number, walked, first))
    assert missed == []
