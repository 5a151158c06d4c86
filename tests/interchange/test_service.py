"""An import can be run again, stopped anywhere, and never stores half a row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from techex.core import changes
from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.core.sheets import as_xlsx
from techex.errors import UnreadableFile
from techex.interchange import service
from techex.interchange.formats import Row, read_rows, write_csv, write_jsonl
from techex.interchange.rules import ImportMap, apply_map, read_map, shortened
from techex.interchange.service import ImportReport, import_rows
from techex.interchange.texts import flat
from techex.listings import content
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation

UNIVERSITY = OrganisationDraft(name="Trường Đại học Đồng Bằng", kind="university", province="92")


def _offer(number: int, **over: Any) -> dict[str, Any]:
    return {
        "external_id": f"R-{number}",
        "language": "vi",
        "title": f"Máy sấy bơm nhiệt số {number} cho trái cây",
        "summary": "Sấy trái cây ở 45 °C bằng bơm nhiệt hai cấp, giữ màu và mùi, điện năng giảm 38 %.",
        "description": "Buồng sấy hai cấp dùng bơm nhiệt, hút ẩm bằng zeolit, điều khiển theo độ ẩm quả, "
        "công suất 500 kg mỗi mẻ trong 14 giờ.",
        "trl": 7,
        "transfer_forms": ["licence_nonexclusive"],
    } | over


def _import(database: Database, context: Context, rows: list[dict[str, Any]], **options: Any) -> ImportReport:
    numbered = [Row(number, row) for number, row in enumerate(rows, start=1)]
    return import_rows(database, context, numbered, kind=Kind.OFFER, organisation=UNIVERSITY, **options)


def _count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Listing)) or 0


def test_a_second_run_changes_nothing(database: Database, context: Context) -> None:
    rows = [_offer(number) for number in range(5)]
    assert _import(database, context, rows).created == 5
    with database.reading() as session:
        before = changes.last(session)
    again = _import(database, context, rows)
    with database.reading() as session:
        assert changes.last(session) == before
    assert (again.created, again.updated, again.unchanged) == (0, 0, 5)


def test_an_edited_row_updates_its_listing_and_only_that(database: Database, context: Context) -> None:
    _import(database, context, [_offer(1), _offer(2)])
    report = _import(database, context, [_offer(1), _offer(2, trl=8, fields=["211"])])
    assert (report.updated, report.unchanged) == (1, 1)
    with database.reading() as session:
        edited = session.scalar(select(Listing).where(Listing.external_id == "R-2"))
        assert edited is not None
        assert (edited.trl, edited.fields, edited.state) == (8, ["211"], "published")


def test_a_row_that_does_not_say_who_may_read_leaves_that_as_it_is(database: Database, context: Context) -> None:
    _import(database, context, [_offer(1, visibility="restricted")])
    row = _offer(1, trl=8)
    row.pop("visibility", None)
    assert _import(database, context, [row]).updated == 1
    with database.reading() as session:
        assert session.scalars(select(Listing)).unique().one().visibility == "restricted"
    assert _import(database, context, [row | {"visibility": "members"}]).updated == 1
    with database.reading() as session:
        assert session.scalars(select(Listing)).unique().one().visibility == "members"


def test_a_bad_row_is_reported_and_the_others_are_stored(database: Database, context: Context) -> None:
    report = _import(database, context, [_offer(1), _offer(2, title="x", trl=12), _offer(3), {"title": "no id"}])
    assert report.created == 2
    assert [problem.line for problem in report.refused] == [2, 4]
    assert "title" in report.refused[0].reason
    assert "trl" in report.refused[0].reason
    assert "has no id" in report.refused[1].reason


def test_an_id_that_stands_twice_names_both_lines(database: Database, context: Context) -> None:
    report = _import(database, context, [_offer(1), _offer(1, trl=3)])
    assert report.created == 1
    assert "line 1" in report.refused[0].reason


def test_a_dry_run_reports_the_same_and_keeps_nothing(database: Database, context: Context) -> None:
    rows = [_offer(1), _offer(2, trl=99)]
    report = _import(database, context, rows, dry_run=True)
    assert (report.created, len(report.refused)) == (1, 1)
    assert _count(database) == 0


def test_a_refused_edit_leaves_what_is_stored(database: Database, context: Context) -> None:
    _import(database, context, [_offer(1)])
    _import(database, context, [_offer(1, summary="zu kurz")])
    with database.reading() as session:
        assert session.scalars(select(Listing)).unique().one().summary.startswith("Sấy trái cây")


def test_the_language_is_asked_for_where_a_row_does_not_say_it(database: Database, context: Context) -> None:
    row = _offer(1)
    del row["language"]
    _import(database, context, [row], language_of=lambda text: "vi" if "Sấy" in text else "en")
    with database.reading() as session:
        assert session.scalars(select(Listing)).unique().one().language == "vi"


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_export_can_be_imported_as_it_is(tmp_path: Path, database: Database, context: Context, ending: str) -> None:
    _import(database, context, [_offer(1, price=5e8, currency="VND", sdg=[2, 9], validity="2028-01-31"), _offer(2)])
    path = tmp_path / f"out.{ending}"
    with database.reading() as session, path.open("w", encoding="utf-8", newline="") as out:
        rows = service.export_rows(session, Context(ANONYMOUS, context.now), Kind.OFFER)
        if ending == "csv":
            write_csv(rows, service.columns_of(Kind.OFFER), out)
        else:
            write_jsonl(rows, out)
    report = import_rows(database, context, read_rows(path), kind=Kind.OFFER, organisation=UNIVERSITY)
    assert (report.unchanged, report.refused) == (2, [])


TEXT = {
    "title": "A heat pump dryer for tropical fruit",
    "summary": "Dries fruit at 45 °C with a two-stage heat pump. " * 2,
}
_LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), include_characters="=+-@;:'")
LINES = st.text(_LETTERS, max_size=40)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(["jsonl", "csv", "xlsx"]),
    further=st.dictionaries(
        st.sampled_from(["en", "ko", "zh"]),
        st.tuples(st.sampled_from(["author", "translation"]), LINES, st.booleans()),
    ),
)
def test_texts_in_further_languages_come_back_from_every_format_as_they_were(
    tmp_path: Path, ending: str, further: dict[str, tuple[str, str, bool]]
) -> None:
    written = {}
    for code, (origin, line, more) in further.items():
        values = TEXT | {"title": f"{line} {TEXT['title']}"}
        written[code] = {
            "origin": origin,
            "values": values | ({"advantages": f"{line} 38 % less power than steam"} if more else {}),
        }
    owner = Organisation(name=UNIVERSITY.name, country="VN", province="92")
    row = _offer(1) | ({"translations": written} if written else {})
    judged = service.judge(Row(1, row), Kind.OFFER, owner, ImportMap(), None, {})
    assume(judged.draft is not None)  # what is not text, or a title of marks alone
    assert judged.draft is not None
    listing = Listing(kind="offer", organisation=owner, field_rows=[], transfer_rows=[], translations={})
    content.write(listing, judged.draft)
    listing.external_id = "R-1"
    path, columns = tmp_path / f"out.{ending}", service.columns_of(Kind.OFFER, written)
    exported = [service.portable(listing)]
    if ending == "xlsx":
        path.write_bytes(as_xlsx(columns, [[flat(one).get(name) for name in columns] for one in exported]))
    else:
        with path.open("w", encoding="utf-8", newline="") as out:
            write_jsonl(exported, out) if ending == "jsonl" else write_csv(map(flat, exported), columns, out)
    (back,) = read_rows(path)
    again = service.judge(back, Kind.OFFER, owner, ImportMap(), None, {})
    assert again.draft is not None, again.wrong
    assert (again.draft.translations or {}) == (judged.draft.translations or {})


def test_a_row_leaves_the_languages_alone_of_which_it_says_nothing(database: Database, context: Context) -> None:
    text = {"origin": "author", "values": TEXT}
    _import(database, context, [_offer(1, translations={"en": text, "ko": text})])
    assert _import(database, context, [_offer(1)]).unchanged == 1
    changed = _offer(1) | {"title:en": "Another title in English", "summary:en": TEXT["summary"], "origin:en": "author"}
    assert _import(database, context, [changed]).updated == 1
    with database.reading() as session:
        kept = session.scalars(select(Listing)).unique().one().translations
    assert kept["en"]["values"]["title"] == "Another title in English"
    assert kept["ko"]["values"]["title"] == TEXT["title"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"translations": "tiếng Anh"}, "translations expected an object"),
        ({"translations": {"en": "A title"}}, "translations expected an object"),
        ({"title:en": "short"}, "en.title has 5 characters"),
        ({"title:vi": TEXT["title"], "summary:vi": TEXT["summary"]}, "is the language the listing is written in"),
        ({"title:en": TEXT["title"], "summary:en": TEXT["summary"], "origin:en": "machine"}, "en.origin"),
    ],
)
def test_the_one_validator_judges_texts_in_further_languages(
    database: Database, context: Context, said: dict[str, Any], expected: str
) -> None:
    report = _import(database, context, [_offer(1) | said])
    assert len(report.refused) == 1
    assert expected in report.refused[0].reason


def test_an_export_holds_only_what_the_asker_may_see(database: Database, context: Context) -> None:
    _import(database, context, [_offer(1), _offer(2, visibility="members"), _offer(3)])
    with database.transaction() as session:
        third = session.scalars(select(Listing).where(Listing.external_id == "R-3")).unique().one()
        listings.withdraw(session, context, third)
    with database.reading() as session:
        rows = list(service.export_rows(session, Context(ANONYMOUS, context.now), Kind.OFFER))
    assert [row["external_id"] for row in rows] == ["R-1"]


KILLED = """
import json, sys, time
from pathlib import Path
from datetime import UTC, datetime
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.interchange.formats import read_rows
from techex.interchange.service import import_rows
from techex.listings.rules import Kind
from techex.organisations.rules import OrganisationDraft

def told(done):
    print(done, flush=True)
    time.sleep(0.2)

import_rows(
    Database(sys.argv[1]),
    Context(COMMAND_LINE, datetime(2026, 3, 1, tzinfo=UTC)),
    read_rows(Path(sys.argv[2])),
    kind=Kind.OFFER,
    organisation=OrganisationDraft(name="Trường Đại học Đồng Bằng", kind="university", province="92"),
    progress=told,
)
"""


def test_an_import_that_was_killed_goes_on_where_it_stopped(
    tmp_path: Path, database: Database, context: Context
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(_offer(number)) + "\n" for number in range(450)), encoding="utf-8")
    address = database.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", KILLED, address, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    kept = _count(database)
    assert 0 < kept < 450
    report = import_rows(database, context, read_rows(path), kind=Kind.OFFER, organisation=UNIVERSITY)
    assert (report.unchanged, report.created) == (kept, 450 - kept)
    assert _count(database) == 450


MAP = """
external_id = "_id"
language = "en"
country = "US"
[fields]
title = { column = "title", cut = true }
summary = { column = "text", cut = true }
problem = { column = "text", after = "Scope:", before = "Notes:" }
[constants]
currency = "USD"
fields = ["207"]
"""


def test_a_map_takes_columns_of_other_names(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(MAP, encoding="utf-8")
    text = "First sentence. " * 40 + "Scope: the problem. Notes: none."
    row = apply_map({"_id": 7, "title": "Water reuse " * 20, "text": text}, Kind.NEED, read_map(path, Kind.NEED))
    assert row.external_id == "7"
    assert row.envelope == {"language": "en", "country": "US"}
    assert row.values["problem"] == "the problem."
    assert row.values["summary"].endswith("sentence.")
    assert len(row.values["summary"]) <= 500
    assert row.values["fields"] == ["207"]
    assert len(row.notes) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[fields]\nno_such = 'x'", "not a field of a need"),
        ("[fields]\nip_status = 'x'", "not a field of a need"),
        ("surprise = 1", "surprise"),
        ("[fields\n", "cannot be read as TOML"),
        ("[fields]\ntitle = { column = 'x', typo = 1 }", "fields.title"),
    ],
)
def test_a_wrong_map_is_told_where(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=expected):
        read_map(path, Kind.NEED)


def test_parts_of_a_long_text_follow_each_other_without_loss() -> None:
    text = " ".join(f"Sentence number {number} says a little more." for number in range(120))
    mapping = ImportMap.model_validate(
        {"fields": {"problem": "t", "required_result": {"column": "t", "part": 2}, "tried": {"column": "t", "part": 3}}}
    )
    row = apply_map({"id": 1, "t": text}, Kind.NEED, mapping)
    first = shortened(text, 2000)
    assert text.startswith(first + " " + row.values["required_result"])


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("short", 10, "short"),
        ("One two. Three four five", 14, "One two."),
        ("một hai ba bốn năm", 12, "một hai ba"),
        ("乾燥機が必要。毎日五百キロ。", 9, "乾燥機が必要。毎日"),
        ("x" * 30, 10, "x" * 10),
    ],
)
def test_a_text_is_shortened_where_a_sentence_or_a_word_ends(text: str, longest: int, expected: str) -> None:
    assert shortened(text, longest) == expected
