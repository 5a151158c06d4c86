"""Three thousand requests nobody would send on purpose; `make fuzz` sends more."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask

from techex.settings import Settings
from techex.web import policy, replies
from techex.web.identity import database

from .fuzz import EPOCH, Broken, Fuzz, request_number
from .fuzz_input import Request
from .fuzz_scene import fill

REQUESTS = 3_000
SEED = "20261122"


# Where a form breaks off in the middle of a file, werkzeug leaves its temporary file to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning")


@pytest.fixture
def make_fuzz(demo_app: Flask, settings: Settings) -> Iterator[Callable[[], Fuzz]]:
    """Makes the exchange, once what a test adds to the application is there."""
    made: list[Fuzz] = []

    # As where it is served: letters ask no request for its host.
    demo_app.extensions["techex.base_url"] = "http://exchange.example"

    def make() -> Fuzz:
        made.append(Fuzz(demo_app, settings.data_dir / "techex.db", fill))
        return made[-1]

    yield make
    for fuzz in made:
        fuzz.watcher.close()
    gc.collect()  # while that warning is still expected


@pytest.mark.slow
def test_whatever_is_sent_nothing_breaks_tells_or_writes_what_it_should_not(make_fuzz: Callable[[], Fuzz]) -> None:
    fuzz = make_fuzz()
    broken = fuzz.run(SEED, range(REQUESTS))
    assert not broken, "\n\n".join(broken[:5])
    reached = fuzz.statuses
    assert reached[200] + reached[303] > REQUESTS / 5, f"too few got through to a page or a form: {reached}"
    assert {200, 303, 403, 404, 405, 409, 413, 422} <= set(reached), f"some refusals were never met: {reached}"


def _insert(app: Flask) -> str:
    with database().transaction() as session:
        session.connection().exec_driver_sql("update person set name = name || '!'")
    return "done"


def _faults() -> dict[str, Callable[[Flask], Any]]:
    def refused_but_written(app: Flask) -> Any:
        _insert(app)
        return replies.make_response("no", 422)

    return {
        "1/0": lambda app: 1 // 0,
        "5xx": lambda app: replies.make_response("oh", 500),
        "says Traceback": lambda app: "Traceback (most recent call last)",
        "says SQL": lambda app: "(sqlite3.OperationalError) near x",
        "canary": lambda app: "\"'><svg/onload=x>",
        "worked out": lambda app: str(1337 * 7331),
        "reads and writes": _insert,
        "refused but written": refused_but_written,
    }


def test_each_fault_that_is_looked_for_is_found(
    demo_app: Flask, make_fuzz: Callable[[], Fuzz], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fuzz, "_forms", lambda *given: {})  # no need to look for forms here
    for number, fault in enumerate(_faults().values()):
        view = policy.open_to(policy.everyone)(partial(fault, demo_app))
        demo_app.add_url_rule(f"/fault/{number}", f"fault{number}", view)
    demo_app.add_url_rule("/nobody-asked", "nobody_asked", lambda: "everything")
    fuzz = make_fuzz()
    fuzz.send(Request("engineer", "GET", "/needs"))
    for number in range(len(_faults())):
        with pytest.raises((Broken, ZeroDivisionError)):
            fuzz.send(Request("engineer", "GET", f"/fault/{number}"))
    with pytest.raises(policy.NobodyAsked):
        fuzz.send(Request("anonymous", "GET", "/nobody-asked"))


def test_a_request_is_known_by_its_seed_and_number_and_each_epoch_begins_alike(
    make_fuzz: Callable[[], Fuzz], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fuzz, "_forms", lambda *given: {})
    fuzz = make_fuzz()
    requests = [request_number(fuzz.known, SEED, number) for number in range(200)]
    assert requests == [request_number(fuzz.known, SEED, number) for number in range(200)]
    assert len({(request.path, request.query, request.body) for request in requests}) > 190

    def people() -> list[tuple[object, ...]]:
        with sqlite3.connect(fuzz.path) as connection:
            return connection.execute("select id, name, email_key from person order by id").fetchall()

    fuzz.begin_anew()
    before = people()
    fuzz.run(SEED, range(EPOCH - 60, EPOCH))
    fuzz.begin_anew()
    assert people() == before
