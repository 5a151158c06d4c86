"""Whatever breaks in a view, its reader gets the one page for that, which tells nothing, and nothing was written."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from techex.app import create_app
from techex.core.database import Database
from techex.settings import Settings
from techex.web import policy
from tests.cast import Browser, sign_in
from tests.matching.second_matcher import WordMatcher

from .test_permissions import MATRIX, PEOPLE, _scene, declared

DETAIL = "a detail of the machine that is nobody's business"
SAID = "Something went wrong on our side"


@pytest.fixture
def served(settings: Settings) -> Iterator[Flask]:
    """The exchange as it is served: what nobody expected becomes a page."""
    matcher = WordMatcher()
    app = create_app(settings, matcher=lambda: matcher)
    app.test_client_class = Browser
    usual = app.logger.level
    app.logger.setLevel(logging.CRITICAL)
    yield app
    app.logger.setLevel(usual)  # it is the logger of the whole process
    app.extensions["techex.database"].close()


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with sqlite3.connect(path) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        found = {name: connection.execute(f'select * from "{name}"').fetchall() for name in sorted(tables)}
    connection.close()
    return found


def path_of(row: dict[str, Any], ids: dict[str, int]) -> str:
    path = str(row["path"])
    for cell, number in ids.items():
        path = path.replace(f"{{{cell}}}", str(number))
    return path


def let_in(row: dict[str, Any]) -> str:
    """Somebody whom the matrix lets in, if there is anybody."""
    return min(PEOPLE, key=lambda person: (declared(row, person) >= 400, person == "anonymous"))


def test_a_view_that_breaks_shows_the_page_for_it_and_nothing_else(served: Flask, settings: Settings) -> None:
    ids = _scene(served)

    def broken(**values: object) -> str:
        raise ZeroDivisionError(DETAIL)

    for endpoint in served.view_functions:
        served.view_functions[endpoint] = policy.open_to(policy.everyone)(broken)
    before, wrong = content(settings.data_dir / "techex.db"), []
    client = served.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    for row in MATRIX:
        path, method = path_of(row, ids), row.get("method", "GET")
        reply = (client.post if method == "POST" else client.get)(path, buffered=True)
        told = [word for word in (DETAIL, "ZeroDivision", "Traceback", ".py") if word in reply.text]
        if reply.status_code != 500 or SAID not in reply.text or told:
            wrong.append(f"{method} {path}: {reply.status_code} {told}")
        if not {"Content-Security-Policy", "X-Content-Type-Options"} <= set(reply.headers.keys()):
            wrong.append(f"{method} {path}: without its headers")
    assert wrong == []
    assert content(settings.data_dir / "techex.db") == before


def test_a_write_that_breaks_at_its_end_has_written_nothing(served: Flask, settings: Settings) -> None:
    ids = _scene(served)
    database: Database = served.extensions["techex.database"]
    browsers = {person: sign_in(served, person) for person in PEOPLE if person != "anonymous"}
    browsers["anonymous"] = Browser(served, served.response_class, use_cookies=True)
    before, wrong, reached = content(settings.data_dir / "techex.db"), [], 0

    def break_off(session: Session) -> None:
        if session.get_bind().get_execution_options().get("techex_writes"):
            raise ZeroDivisionError(DETAIL)

    event.listen(Session, "before_commit", break_off)
    try:
        for row in MATRIX:
            if row.get("method") != "POST":
                continue
            path = path_of(row, ids)
            reply = browsers[let_in(row)].post(path, buffered=True)
            reached += reply.status_code == 500
            told = DETAIL in reply.text or "Traceback" in reply.text
            if told or (reply.status_code == 500 and SAID not in reply.text):
                wrong.append(f"{path}: {reply.status_code} {reply.text[:200]}")
    finally:
        event.remove(Session, "before_commit", break_off)
    database.close()
    after = content(settings.data_dir / "techex.db")
    assert wrong == []
    assert [name for name in before if before[name] != after[name]] == []
    assert reached > 15, "too few came as far as writing"
