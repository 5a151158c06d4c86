"""Twins are found at import, shown to a person, and stay as they are decided; nothing is merged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from techex.cli import techex
from techex.core import changes
from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.errors import BadInput, NotFound
from techex.interchange import demo
from techex.interchange.formats import Row
from techex.interchange.service import import_rows
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching import duplicate_service as service
from techex.matching.tables import DuplicatePair
from techex.organisations.rules import OrganisationDraft
from techex.search.service import embed_pending
from techex.settings import Settings

BROKER = OrganisationDraft(name="Sàn công nghệ Bờ Đông", kind="exchange_operator", province="79")
INSTITUTE = OrganisationDraft(name="Viện Công nghệ Sông Trầm", kind="institute", province="92")
COPIED = "en-o-55"  # an English offer of the demo
LISTED = ("ag-o-24", "ag-o-33", "en-o-18", "en-o-24", "en-o-56", "en-o-69", "he-o-25", "ma-o-15", COPIED)


@pytest.fixture
def exchange(settings: Settings, each_database: Database, context: Context) -> Database:
    """Nine offers of the demo with vectors; on SQLite and on PostgreSQL."""
    _fill(settings, each_database, context)
    return each_database


def _fill(settings: Settings, database: Database, context: Context) -> None:
    rows = [Row(number, _copy(key, external_id=key)) for number, key in enumerate(LISTED, start=1)]
    assert import_rows(database, context, rows, kind=Kind.OFFER, organisation=INSTITUTE).created == len(LISTED)
    embed_pending(settings, database)


def _copy(key: str = COPIED, **over: Any) -> dict[str, Any]:
    draft = next(row.draft for row in demo.demo_exchange().listings if row.key == key)
    return {"external_id": f"copy-{key}", "language": draft.language, **draft.values, **over}


def _import(settings: Settings, database: Database, context: Context, *rows: dict[str, Any]) -> service.Checked:
    with database.reading() as session:
        before = changes.last(session)
    numbered = [Row(number, row) for number, row in enumerate(rows, start=1)]
    report = import_rows(database, context, numbered, kind=Kind.OFFER, organisation=BROKER)
    assert not report.refused
    embed_pending(settings, database)
    return service.check_since(settings, database, context, before)


def _only(rows: Any) -> DuplicatePair:
    (row,) = rows
    return row


def test_an_imported_copy_is_found_and_both_stay(settings: Settings, exchange: Database, context: Context) -> None:
    description = _copy()["description"].split(". ")
    checked = _import(settings, exchange, context, _copy(description=". ".join(reversed(description))))
    assert (checked.listings, checked.duplicates, checked.variants, len(checked.alike)) == (1, 1, 0, 1)
    with exchange.reading() as session:
        row = _only(service.listed(session, context))
        assert row.first.title == row.second.title
        assert row.second_id in checked.alike
        assert {row.first.state, row.second.state} == {"published"}


def test_two_equal_rows_of_one_import_count_once(settings: Settings, exchange: Database, context: Context) -> None:
    new = "Cảm biến đo độ mặn nước tưới chạy pin mặt trời, gửi tin nhắn"
    row = {**_copy("ag-o-33"), "title": new, "summary": new + " cho từng hộ trồng lúa ở vùng ven biển Gò Công."}
    row["description"] = "Đầu đo 4 điện cực, sai số 3 %, gửi số liệu mỗi 15 phút, giá 1.450.000 đồng. " * 3
    for name in ("problem_solved", "advantages", "economics", "trl_evidence", "partner_sought", "references"):
        row.pop(name, None)
    checked = _import(settings, exchange, context, row, row | {"external_id": "again"})
    assert (checked.duplicates, len(checked.alike)) == (1, 1)


def test_different_listings_are_no_pair_and_a_second_look_finds_the_same(
    settings: Settings, exchange: Database, context: Context
) -> None:
    for _ in range(2):
        checked = service.check(settings, exchange, context)
        assert (checked.listings, checked.duplicates, checked.variants) == (len(LISTED), 0, 0)


def test_another_size_is_listed_as_a_variant_only(settings: Settings, exchange: Database, context: Context) -> None:
    larger = {
        name: text.replace("8.4 t", "16.8 t").replace("295 kW", "560 kW") if isinstance(text, str) else text
        for name, text in _copy().items()
    }
    checked = _import(settings, exchange, context, larger)
    assert (checked.duplicates, checked.variants, checked.alike) == (0, 1, frozenset())
    with exchange.reading() as session:
        assert not service.listed(session, context)
        row = _only(service.listed(session, context, variants=True))
    assert sorted(row.differences["figures"][1]) == ["16.8", "560"]


def test_a_decision_is_kept_whatever_is_found_later(settings: Settings, exchange: Database, context: Context) -> None:
    _import(settings, exchange, context, _copy())
    with exchange.transaction() as session:
        row = _only(service.listed(session, context))
        service.decide(session, context, row.second_id, row.first_id, "different")
    checked = service.check(settings, exchange, context)
    assert checked.duplicates == 0
    with exchange.transaction() as session:
        assert not service.listed(session, context)
        row = _only(service.listed(session, context, decided=True))
        assert (row.decision, row.decided_by) == ("different", "command line")
        assert row.decided_at == context.now
        service.decide(session, context, row.first_id, row.second_id, "open")
    with exchange.reading() as session:
        assert len(service.listed(session, context)) == 1


def test_a_pair_that_was_edited_apart_is_no_longer_listed(
    settings: Settings, exchange: Database, context: Context
) -> None:
    _import(settings, exchange, context, _copy())
    changed = _copy("ag-o-24")
    changed["external_id"] = f"copy-{COPIED}"
    _import(settings, exchange, context, changed)
    with exchange.reading() as session:
        row = _only(service.listed(session, context))
        assert row.first.external_id == "ag-o-24"


def test_who_may_not_see_one_of_two_is_not_told(settings: Settings, exchange: Database, context: Context) -> None:
    _import(settings, exchange, context, _copy(visibility="restricted"))
    stranger = Context(ANONYMOUS, context.now)
    with exchange.transaction() as session:
        row = _only(service.listed(session, context))
        assert not service.listed(session, stranger)
        with pytest.raises(NotFound):
            service.decide(session, stranger, row.first_id, row.second_id, "duplicate")


def test_a_withdrawn_listing_is_nobodys_twin(settings: Settings, exchange: Database, context: Context) -> None:
    _import(settings, exchange, context, _copy())
    with exchange.transaction() as session:
        listings.withdraw(session, context, _only(service.listed(session, context)).second)
    assert service.check(settings, exchange, context).duplicates == 0
    with exchange.reading() as session:
        assert session.scalar(select(func.count()).select_from(DuplicatePair)) == 0


def test_a_decision_about_a_pair_that_was_not_found_is_refused(exchange: Database, context: Context) -> None:
    with exchange.transaction() as session:
        one, other = session.scalars(select(Listing.id).order_by(Listing.id).limit(2))
        with pytest.raises(NotFound, match="Choose a pair of the list"):
            service.decide(session, context, one, other, "duplicate")
        with pytest.raises(BadInput, match="duplicate, different, open"):
            service.decide(session, context, one, other, "merge")


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `techex` in the installation of `settings`."""
    monkeypatch.setenv("TECHEX_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TECHEX_INDEXES_DIR", str(settings.indexes_dir))
    monkeypatch.setenv("TECHEX_CARD", "hashing")
    monkeypatch.setenv("TECHEX_ENGINE", "hashing")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(techex, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_the_command_line_tells_after_an_import_lists_and_decides(
    settings: Settings, context: Context, database: Database, command: Any
) -> None:
    _fill(settings, database, context)
    file = settings.data_dir / "offers.jsonl"
    file.write_text(json.dumps(_copy()), encoding="utf-8")
    arguments = ("import", str(file), "--kind", "offer", "--organisation", BROKER.name)
    assert "1 of the new rows look like listings that are there: see techex duplicates list." in command(*arguments)
    assert "look like" not in command(*arguments)  # the second run changes nothing

    row = json.loads(command("duplicates", "list", "--json"))
    assert (row["verdict"], row["second"]["organisation"], row["decision"]) == ("exact", BROKER.name, None)
    pair = str(row["first"]["id"]), str(row["second"]["id"])
    assert " ".join(pair) in command("duplicates", "list")
    assert "the same listing twice" in command("duplicates", "decide", *pair, "duplicate")
    assert "No such pair" in command("duplicates", "list")
    assert "the same listing twice, says command line" in command("duplicates", "list", "--decided")
    assert json.loads(command("duplicates", "find", "--json"))["duplicates"] == 0
