from __future__ import annotations

from datetime import timedelta
from multiprocessing import get_context

from techex.core import limits
from techex.core.database import Database
from techex.core.limits import Rate
from tests.conftest import NOW

RATE = Rate(5, 300)


def hits(database: Database, times: int, who: str = "lan", later: timedelta = timedelta()) -> list[bool]:
    let_in = []
    for _ in range(times):
        with database.transaction() as session:
            let_in.append(limits.hit(session, NOW + later, "sign-in", who, RATE) == 0)
    return let_in


def test_what_is_within_the_rate_is_let_in_and_what_is_beyond_waits(each_database: Database) -> None:
    assert hits(each_database, 7) == [True] * 5 + [False] * 2
    with each_database.transaction() as session:
        assert 0 < limits.hit(session, NOW, "sign-in", "lan", RATE) <= RATE.seconds


def test_one_account_does_not_count_for_another(each_database: Database) -> None:
    hits(each_database, 6)
    assert hits(each_database, 1, who="huy") == [True]


def test_nobody_gets_twice_the_rate_around_the_edge_of_a_period(database: Database) -> None:
    edge = timedelta(seconds=300 - NOW.timestamp() % 300)
    before = hits(database, 5, later=edge - timedelta(seconds=1))
    after = hits(database, 5, later=edge + timedelta(seconds=1))
    assert sum(before + after) < 7


def test_after_the_time_has_passed_it_may_be_tried_again(database: Database) -> None:
    hits(database, 20)
    assert hits(database, 1, later=timedelta(seconds=600)) == [True]


def test_what_is_given_back_was_never_counted(database: Database) -> None:
    for _ in range(20):
        assert hits(database, 1) == [True]
        with database.transaction() as session:
            limits.give_back(session, NOW, "sign-in", "lan", RATE)


def test_who_is_counted_does_not_stand_in_the_database(database: Database) -> None:
    hits(database, 1, who="lan@firm.example")
    with database.reading() as session:
        assert "lan" not in session.query(limits.Count).one().key


def test_old_counts_are_forgotten(database: Database) -> None:
    hits(database, 1)
    with database.transaction() as session:
        limits.prune(session, NOW + timedelta(days=1))
        assert session.query(limits.Count).count() == 0


def _try(address: str, times: int) -> int:
    return sum(hits(Database(address), times))


def test_several_processes_let_no_more_through_than_one(database: Database) -> None:
    address = str(database.engine.url)
    with get_context("spawn").Pool(2) as pool:
        let_in = pool.starmap(_try, [(address, 10), (address, 10)])
    assert sum(let_in) == RATE.times
