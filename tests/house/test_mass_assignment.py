"""A form changes what its fields are for: a field named like a column of ours, sent beside them, changes nothing.

Every form that some of the cast find is sent twice to the same exchange at the same moment: as it is, and with a field
for each column of each table that it does not show. What stands in the database afterwards is the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask, request
from flask.testing import FlaskClient

from techex.core.database import Base
from techex.settings import Settings

from . import fuzz as fuzzing
from .fuzz import Fuzz
from .fuzz_input import Form, encoded
from .fuzz_scene import fill

# Drawn anew each time: keys, digests of them, and what is signed.
DRAWN = ("token", "hash", "digest", "nonce", "secret", "key", "seal", "details", "previous")
# What is kept here is a search, with whichever of its filters came along.
KEEPS_A_SEARCH = {"/alerts": ("alert.query", "rows of alert_match")}
LEAST_FORMS = 30
TEXT = "A text that says enough about what it is for, with 80 °C and 400 m³ a day in it."
VALUES = {"email": "someone@new-firm.example", "language": "en", "country": "VN", "province": "33", "trl": "5"}


def columns() -> set[str]:
    """The names of all columns of all mapped tables."""
    return {column.name for table in Base.metadata.sorted_tables for column in table.columns}


def filled(form: Form) -> list[tuple[bytes, bytes]]:
    """The form as somebody would send it."""
    fields = []
    for name, values in form.fields:
        if name == "file":
            continue
        value = next((value for value in values if value), VALUES.get(name, TEXT))
        fields.append((name.encode(), value.encode()))
    return fields


def sent(fuzz: Fuzz, who: str, form: Form, fields: list[tuple[bytes, bytes]]) -> int:
    """Send it to the exchange as it was at the beginning; the status of the reply."""
    fuzz.begin_anew()
    browser = fuzz.browser(who)
    body = encoded([(b"csrf_token", fuzz.tokens[who].encode()), *fields])
    kind = "application/x-www-form-urlencoded"
    return FlaskClient.open(browser, form.path, method="POST", data=body, content_type=kind, buffered=True).status_code


def written(fuzz: Fuzz) -> dict[str, list[dict[str, Any]]]:
    """The rows of the tables that were written to, without what is drawn anew each time."""
    found = {}
    for table in sorted(fuzz._written() - fuzzing.OWN_BOOKS):
        asked = fuzz.watcher.execute(f'select * from "{table}" order by 1')
        names = [column[0] for column in asked.description]
        letters = ("text",) if table == "letter" else ()  # with links in them
        keep = [at for at, name in enumerate(names) if not name.endswith(DRAWN + letters)]
        found[table] = [{names[at]: row[at] for at in keep} for row in asked]
    return found


def differing(fuzz: Fuzz, form: Form, who: str, value: bytes) -> tuple[bool, list[str]]:
    """Whether the form got through, and what more than it was for has changed."""
    own = {name for name, _ in form.fields}
    more = [(name.encode(), value) for name in sorted(columns() - own)]
    plain = filled(form)
    status, left = sent(fuzz, who, form, plain), written(fuzz)
    more_status, right = sent(fuzz, who, form, plain + more), written(fuzz)
    if more_status >= 400 and not right:
        return bool(left), []  # refused whole
    wrong = [] if status == more_status else [f"{status}, with more fields {more_status}"]
    for table in {*left, *right}:
        for before, after in zip(left.get(table, []), right.get(table, []), strict=False):
            wrong += [f"{table}.{name}" for name in before if before[name] != after[name]]
        if len(left.get(table, [])) != len(right.get(table, [])):
            wrong.append(f"rows of {table}")
    return bool(left), [f"{who} {form.path}: {what}" for what in wrong if what not in KEEPS_A_SEARCH.get(form.path, ())]


class _Few(Fuzz):
    """One form of each sort is enough here."""

    looking = ("engineer", "operator", "administrator")
    turns = 1


def test_no_form_takes_a_column_it_does_not_show(words_app: Flask, settings: Settings) -> None:
    fuzz = _Few(words_app, settings.data_dir / "techex.db", fill)
    wrong: list[str] = []
    through = 0
    known: set[tuple[object, ...]] = set()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=False):
        for who, forms in fuzz.known.forms.items():
            for form in forms:
                names = tuple(name for name, _ in form.fields)
                alike = (form.path.rstrip("0123456789/"), names, who in ("anonymous", "stranger"))
                if form.method != "POST" or form.path == "/sign-out" or alike in known:
                    continue
                known.add(alike)
                got_through, found = differing(fuzz, form, who, b"1")
                through += got_through
                wrong += found
    assert not wrong, "\n".join(wrong)
    assert through >= LEAST_FORMS, f"{through} of {len(known)} forms wrote something"


def test_a_view_that_takes_what_it_is_sent_is_found(
    words_app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fuzz, "_forms", lambda *given: {})
    fuzz = Fuzz(words_app, settings.data_dir / "techex.db", fill)

    view: Callable[..., Any] = fuzz.app.view_functions["accounts.change_account"]

    def takes_everything(**values: Any) -> Any:
        reply = view(**values)
        with sqlite3.connect(fuzz.path, timeout=10) as connection:
            if request.form.get("administrator"):
                connection.execute("update person set administrator = 1")
        connection.close()
        return reply

    monkeypatch.setitem(fuzz.app.view_functions, "accounts.change_account", takes_everything)
    names = (("name", ("Lan",)), ("timezone", ("Asia/Ho_Chi_Minh",)), ("language", ("en",)))
    form = Form("/account", "POST", False, names)
    assert "engineer /account: person.administrator" in differing(fuzz, form, "engineer", b"1")[1]
