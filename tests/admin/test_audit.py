"""The audit log as administrators read it, and the command that checks it."""

from __future__ import annotations

import ast
import html
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask import Flask

from techex import paths
from techex.admin.audit_details import ASPECTS, CODES
from techex.admin.audit_words import OTHERWISE, SUBJECTS, VERBS
from techex.brokering import course, disclosing, pipeline, rules
from techex.cli import techex
from techex.core import audit
from techex.core.context import COMMAND_LINE, Actor, Context, Role
from techex.core.database import Database
from techex.core.mail import said_in
from techex.core.vocabulary import LANGUAGES
from techex.listings import lifecycle
from techex.settings import Settings
from tests.cast import Browser, person_of
from tests.conftest import NOW


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run a command on the database of the test."""
    monkeypatch.setenv("TECHEX_DATA_DIR", str(settings.data_dir))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(techex, arguments)
        return done.exit_code, done.output

    return run


@pytest.fixture
def written(database: Database) -> int:
    """A few entries of several people, subjects and days; returns the number of Lan."""
    with database.transaction() as session:
        lan = person_of(session, "engineer")
        for number in range(60):
            audit.record(session, Context(COMMAND_LINE, NOW + timedelta(minutes=number)), "edited", "listing", number)
        lans = Context(Actor(lan.name, Role.PERSON, lan.id), NOW + timedelta(days=3))
        audit.record(session, lans, "withdrawn", "listing", 7, {"kind": "need", "note": "<b>gone</b>"})
        return lan.id


def _rows(page: str) -> int:
    return page.count('data-label="No."')


def test_the_log_shows_names_and_is_paged(app: Flask, signed_in: Callable[[str], Browser], written: int) -> None:
    browser = signed_in("administrator")
    first, second = (browser.get(f"/audit?page={number}").text for number in (1, 2))
    assert _rows(first) == 50
    assert 10 < _rows(second) < 50
    assert "Nguyễn Thị Lan" in first
    assert "&lt;b&gt;gone" in first


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("subject=listing&number=7", 2),
        ("person=LAN@det-may-song-hong.example", 1),
        ("person={lan}", 1),
        ("person=nobody@unknown.example", 0),
        ("since=2026-11-24", 1),
        ("subject=listing&since=2026-11-21&until=2026-11-21", 50),
        ("until=2026-11-20", 0),
        ("subject=verdict", 0),
        ("number=99999999999999", 0),
        ("number=x&since=yesterday&page=-1", 0),
        ("until=9999-12-31&person=1e9", 0),
    ],
)
def test_it_is_filtered_by_subject_person_and_day(
    signed_in: Callable[[str], Browser], written: int, query: str, rows: int
) -> None:
    reply = signed_in("administrator").get(f"/audit?{query.format(lan=written)}")
    assert reply.status_code == 200
    assert _rows(reply.text) == rows


def test_a_deleted_account_leaves_a_number(
    database: Database, signed_in: Callable[[str], Browser], written: int
) -> None:
    browser = signed_in("administrator")
    with database.transaction() as session:
        person_of(session, "engineer").deleted_at = NOW
    page = browser.get(f"/audit?person={written}").text
    assert "deleted account" in page
    assert "Nguyễn Thị Lan" not in page


@pytest.mark.parametrize("name", ["engineer", "operator", "unarmed_administrator"])
def test_nobody_else_reads_it(signed_in: Callable[[str], Browser], name: str) -> None:
    assert signed_in(name).get("/audit").status_code == 403


def test_the_command_says_that_the_log_is_whole_and_where_it_ends(
    command: Callable[..., tuple[int, str]], written: int, database: Database
) -> None:
    code, output = command("audit", "verify")
    with database.reading() as session:
        number, digest = audit.last(session)
    assert (code, f"{number} entries" in output, digest in output) == (0, True, True)
    assert command("audit", "verify", "--noted", digest)[0] == 0
    code, output = command("audit", "verify", "--noted", "ab" * 32, "--json")
    assert (code, json.loads(output)["whole"], json.loads(output)["broken"]) == (1, False, None)


def test_the_command_names_the_first_broken_entry(
    command: Callable[..., tuple[int, str]], written: int, settings: Settings
) -> None:
    connection = sqlite3.connect(settings.data_dir / "techex.db")
    connection.executescript("DROP TRIGGER audit_entry_no_update; UPDATE audit_entry SET subject_id = 1 WHERE id = 12")
    connection.close()
    code, output = command("audit", "verify")
    assert (code, "broken at entry 12" in output) == (1, True)
    assert json.loads(command("audit", "verify", "--json")[1])["broken"] == 12


def test_places_are_granted_from_the_command_line(command: Callable[..., tuple[int, str]], database: Database) -> None:
    with database.transaction() as session:
        person_of(session, "stranger")
    email = "jiwoo@nowhere.example"
    code, output = command("people", "operator", email, "--place", "VN-33", "--place", "nl")
    assert (code, "now serves NL, VN-33" in output, "second factor" in output) == (0, True, True)
    code, output = command("people", "operator", email, "--place", "VN-33", "--take-away", "--json")
    assert json.loads(output) == {"changed": ["VN-33"], "serves": ["NL"], "second_factor": False}
    with pytest.raises(Exception, match="no place"):
        CliRunner().invoke(techex, ["people", "operator", email, "--place", "VN-99"], catch_exceptions=False)


def _verbs() -> set[str]:
    """The words that the code writes into the log, where they stand as words: choices between two are both meant."""
    found: set[str] = set()
    for path in paths.PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("audit.record") and len(node.args) > 2:
                verb = node.args[2]
                parts = (verb.body, verb.orelse) if isinstance(verb, ast.IfExp) else (verb,)
                found |= {part.value for part in parts if isinstance(part, ast.Constant)}
    return found


def test_every_deed_in_the_log_has_words_in_the_language_of_the_page() -> None:
    said = {verb: OTHERWISE.get(verb, verb) for verb in _verbs()}
    assert len(said) > 50
    said |= {f"interest {verb}": OTHERWISE[f"interest {verb.value}"] for verb in rules.Verb}
    said |= {f"deal {verb}": OTHERWISE[f"deal {verb.value}"] for verb in (*pipeline.Verb, *disclosing.Act)}
    said |= {f"deal guest_{verb}": OTHERWISE[f"deal guest_{verb.value}"] for verb in course.ParticipantVerb}
    said |= {verb: OTHERWISE.get(verb, verb) for verb in (*lifecycle.DONE.values(), *VERBS, *SUBJECTS)}
    assert sorted(verb for verb, words in said.items() if said_in("vi", words) == words) == []


def test_the_log_says_in_vietnamese_what_was_done_in_a_deal(
    app: Flask, signed_in: Callable[[str], Browser], database: Database
) -> None:
    with database.transaction() as session:
        audit.record(session, Context(COMMAND_LINE, NOW), "deal negotiate", "deal", 3)
        audit.record(session, Context(COMMAND_LINE, NOW), "interest decline", "interest", 4)
    browser = signed_in("administrator")
    page = browser.get("/audit", headers={"Accept-Language": "vi"}).text
    file = browser.get("/audit.csv", headers={"Accept-Language": "vi"}).data.decode()
    for told in (page, file):
        assert "deal negotiate" not in told
        assert "interest decline" not in told
        assert "bắt đầu đàm phán" in told
        assert "giao dịch 3" in told


def _details() -> set[str]:
    """The names of all details that the program keeps: of dictionaries given to `record`, or named `detail` for it."""
    found = set()
    for path in sorted(paths.PACKAGE.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            inside = list(ast.walk(function))
            calls = [node for node in inside if isinstance(node, ast.Call)]
            kept = [part for call in calls if ast.unparse(call.func).endswith("record") for part in call.args[4:]]
            if any(isinstance(part, ast.Name) and part.id == "detail" for each in kept for part in ast.walk(each)):
                made = [node for node in inside if isinstance(node, ast.Assign)]
                kept += [node.value for node in made if ast.unparse(node.targets[0]) == "detail"]
            dictionaries = [part for each in kept for part in ast.walk(each) if isinstance(part, ast.Dict)]
            found |= {key.value for each in dictionaries for key in each.keys if isinstance(key, ast.Constant)}
    return found


def test_every_detail_in_the_log_has_words_in_the_language_of_the_page() -> None:
    kept = _details()
    assert len(kept) > 30
    assert sorted(kept - set(ASPECTS)) == []
    codes = [words for values in CODES.values() for words in values.values() if words not in LANGUAGES.values()]
    assert sorted(words for words in (*ASPECTS.values(), *codes) if said_in("vi", words) == words) == []


def test_details_are_told_in_vietnamese_on_the_page_and_in_the_file(
    app: Flask, signed_in: Callable[[str], Browser], database: Database
) -> None:
    with database.transaction() as session:
        lan = person_of(session, "engineer")
        name, clock = lan.name, Context(COMMAND_LINE, NOW)
        audit.record(session, clock, "published", "listing", 3, {"kind": "offer", "from": "under_review"})
        audit.record(session, clock, "place granted", "person", lan.id, {"places": ["VN-79"]})
        audit.record(
            session, clock, "role changed", "organisation", 5, {"person": lan.id, "to": "manager", "reason": ""}
        )
        audit.record(
            session,
            clock,
            "handed over",
            "person",
            lan.id,
            {"items": ["interest 34", "review 8"], "until": "2026-12-24"},
        )
    browser = signed_in("administrator")
    page = html.unescape(browser.get("/audit", headers={"Accept-Language": "vi"}).text)
    file = browser.get("/audit.csv", headers={"Accept-Language": "vi"}).data.decode()
    for told in (re.sub(r"<[^>]+>", "", page), file):
        assert "loại: kết quả; trước đó: đang duyệt" in told
        assert "địa phương: Hồ Chí Minh" in told
        assert f"người: {name}; thành: người quản lý" in told
        assert "Chuyển lời quan tâm 34, " in told
        assert "đến ngày: 24 tháng 12, 2026" in told
        assert "dòng lệnh" in told
        for code in ("under_review", "VN-79", "manager", "interest 34", "command line"):
            assert code not in told
