"""What the table "Hardening" of the README promises and no other test holds: calls that are banned, caches, markup."""

from __future__ import annotations

import ast
import io
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import JSON, String

from techex import paths
from techex.core.database import Base
from techex.core.sheets import write_csv
from techex.settings import Settings
from tests.cast import sign_in

from .fuzz import Fuzz
from .fuzz_scene import fill
from .fuzz_values import CANARY, WORKED_OUT
from .test_permissions import MATRIX, _scene, declared

CODE = sorted((paths.CHECKOUT / "techex").rglob("*.py"))
BANNED_CALLS = {"eval", "exec", "os.system", "os.popen", "render_template_string", "hashlib.md5", "hashlib.sha1"}
BANNED_MODULES = {"pickle", "marshal", "shelve", "yaml", "telnetlib"}
RUN_SQL = ("execute", "exec_driver_sql", "text", "scalar", "scalars")
# A constant of ours in a PRAGMA; verbs of ours in the triggers of a migration.
WRITTEN_BY_US = {"core/database.py", "migrations/versions/0008_members_and_chain.py"}


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(paths.CHECKOUT / "techex").as_posix(), node


def test_no_code_is_made_from_text() -> None:
    found = [f"{path}:{call.lineno}" for path, call in _calls() if ast.unparse(call.func) in BANNED_CALLS]
    assert found == []


def test_no_module_is_used_that_runs_what_it_reads() -> None:
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path}:{node.lineno}" for name in names if name.split(".")[0] in BANNED_MODULES]
    assert found == []


def test_no_shell_reads_what_we_run() -> None:
    shells = [f"{path}:{call.lineno}" for path, call in _calls() if any(word.arg == "shell" for word in call.keywords)]
    assert shells == []


def test_no_sql_is_put_together_from_values() -> None:
    found = []
    for path, call in _calls():
        runs_sql = ast.unparse(call.func).rsplit(".", 1)[-1] in RUN_SQL
        first = call.args[0] if call.args else None
        made = isinstance(first, ast.JoinedStr) or (
            isinstance(first, ast.BinOp)
            and isinstance(first.op, ast.Mod | ast.Add)
            and any(
                isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (first.left, first.right)
            )
        )
        if runs_sql and made and path not in WRITTEN_BY_US:
            found.append(f"{path}:{call.lineno}: {ast.unparse(call)[:80]}")
    assert found == []


def test_secrets_come_from_the_system_and_not_from_a_generator_one_can_foretell() -> None:
    for path in CODE:
        if path.parent.name in ("accounts", "web"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert "random" not in names, path


def test_every_table_for_a_spreadsheet_is_written_in_the_one_place_that_disarms_formulas() -> None:
    writers = {path for path, call in _calls() if ast.unparse(call.func) in ("csv.writer", "csv.DictWriter")}
    assert writers == {"core/sheets.py"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠", " =", "\n="])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    out = io.StringIO()
    write_csv([{"a": f"{start}cmd|'/C calc'!A0"}], ["a"], out)
    cell = out.getvalue().split("\r\n", 1)[1].lstrip('"')
    assert cell.startswith("'"), cell


@pytest.mark.parametrize("person", ["engineer", "operator", "administrator"])
def test_nothing_that_somebody_signed_in_reads_is_kept_in_a_cache(words_app: Flask, person: str) -> None:
    ids = _scene(words_app)
    client, kept = sign_in(words_app, person), []
    for row in MATRIX:
        if row.get("method", "GET") != "GET" or row["endpoint"] == "static":
            continue
        path = row["path"]
        for cell, number in ids.items():
            path = path.replace(f"{{{cell}}}", str(number))
        reply = client.get(path, buffered=True)
        assert reply.status_code == declared(row, person)
        if "no-store" not in reply.headers["Cache-Control"]:
            kept.append(f"{path}: {reply.headers['Cache-Control']}")
    assert kept == []


class _Markup(HTMLParser):
    """Notes elements and attributes that no template of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [f"<{tag} {name}>" for name, _ in attributes if name.startswith("on") or "svg" in name]
        for name, value in attributes:
            if name in ("href", "src", "action", "formaction") and (value or "").strip().lower().startswith(
                "javascript:"
            ):
                self.found.append(f"<{tag} {name}={value}>")


# Columns whose text has a meaning to the exchange; everything else of 80 characters or more is somebody's words.
CODES = ("_hash", "_key", "_nonce", "digest", "slug", "token", "language", "_at", "email", "recipient", "state", "key")


def _put_the_canary_everywhere(path: Path) -> int:
    changed = 0
    with sqlite3.connect(path) as connection:
        for table in Base.metadata.sorted_tables:
            if table.name.startswith(("fuzz", "audit", "change", "installation", "limit", "embedding", "learned")):
                continue
            for column in table.columns:
                words = isinstance(column.type, String) and (column.type.length or 1000) >= 80
                free = not (column.primary_key or column.foreign_keys or column.unique or column.name.endswith(CODES))
                if words and free and not isinstance(column.type, JSON):
                    with suppress(sqlite3.IntegrityError):  # a code after all
                        connection.execute(f'update "{table.name}" set "{column.name}" = ?', [CANARY])
                        changed += 1
    connection.close()
    return changed


def test_words_from_the_database_are_never_markup_on_any_page(
    words_app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fuzz, "_forms", lambda *given: {})
    fuzz = Fuzz(words_app, settings.data_dir / "techex.db", fill)
    assert _put_the_canary_everywhere(fuzz.path) >= 30
    alive, shown = [], 0
    for who in ("anonymous", "engineer", "officer", "operator", "administrator"):
        for rule, (method,), arguments in fuzz.known.routes:
            if method != "GET" or rule.startswith("/static"):
                continue
            for turn in range(2 if arguments else 1):
                path = rule
                for name, _ in arguments:
                    known = fuzz.known.values.get(name, ("x",))
                    path = path.replace(f"<{name}>", known[turn % len(known)])
                reply = FlaskClient.open(fuzz.browser(who), path, buffered=True)
                if reply.mimetype != "text/html":
                    continue
                parser = _Markup()
                parser.feed(reply.text)
                shown += "svg/onload" in reply.text
                if parser.found or "<svg/onload" in reply.text or WORKED_OUT in reply.data:
                    alive.append(f"{who} {path}: {parser.found}")
    assert alive == []
    assert shown > 50, "the canary stands on too few pages to say anything"
