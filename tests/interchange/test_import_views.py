"""A university imports its results in the browser: columns, a dry run by cell, progress, stop, undo."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from techex.admin.jobs import import_tables
from techex.core.context import COMMAND_LINE, Context
from techex.core.mail import said_in
from techex.core.vocabulary import FIELDS
from techex.interchange import advancing, runs
from techex.interchange.formats import read_rows
from techex.interchange.service import import_rows
from techex.interchange.tables import ColumnMemory, ImportedRow, ImportRun
from techex.listings.rules import Kind
from techex.listings.service import publish
from techex.listings.tables import Listing
from techex.organisations.rules import OrganisationDraft
from techex.settings import Settings
from techex.web import identity
from tests.cast import Browser

SignedIn = Callable[[str], Browser]
HEADINGS = ("Mã số", "Tên công nghệ", "Tóm tắt", "Mô tả", "Ưu điểm", "TRL", "Lĩnh vực", "Tỉnh", "Ghi chú nội bộ")


def _result(number: int) -> list[Any]:
    return [
        f"PN-{number:03}",
        f"Máy sấy bơm nhiệt số {number} cho long nhãn",
        f"Máy sấy bơm nhiệt {number} kW giữ màu và mùi của long nhãn, tiết kiệm điện so với sấy hơi nước.",
        "Buồng sấy hai cấp, hút ẩm bằng vật liệu hấp phụ, điều khiển theo độ ẩm quả. " * 3 + f"Công suất {number} kg.",
        "Tiết kiệm 38 % điện so với sấy hơi nước.",
        6,
        said_in("vi", FIELDS["203"]) if number == 1 else "203",
        "Hưng Yên",
        "không đăng",
    ]


def a_table(rows: Sequence[Sequence[Any]], headings: Sequence[str] = HEADINGS) -> bytes:
    book = Workbook()
    book.active.append(list(headings))
    for row in rows:
        book.active.append(list(row))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _two_hundred() -> list[list[Any]]:
    rows = [_result(number) for number in range(2, 202)]
    rows[3][1] = "ngắn"
    rows[10][5] = "mười"
    rows[20][6] = "999"
    rows[30][3] = None
    rows[40][0] = rows[39][0]
    return rows


def _upload(
    browser: Browser, file: bytes, name: str = "kết quả 2026.xlsx", organisation: str = "dai-hoc-phuong-nam"
) -> Any:
    data = {"kind": "offer", "organisation": organisation, "file": (BytesIO(file), name)}
    return browser.post("/imports", data=data, content_type="multipart/form-data")


def _columns(browser: Browser, address: str, **over: str) -> Any:
    page = browser.get(address).text
    chosen = re.findall(r'<select class="form-select" id="(column-\d+)".*?</select>', page, re.DOTALL)
    picked = {
        name: (re.findall(r'value="([^"]*)" selected', body) or [""])[0]
        for name, body in re.findall(r'name="(column-\d+)">(.*?)</select>', page, re.DOTALL)
    }
    assert len(chosen) == len(picked)
    return browser.post(f"{address}/columns", data=picked | {"language": "vi"} | over)


def _stored(app: Flask, table: type[Any]) -> list[Any]:
    with app.app_context(), identity.database().reading() as session:
        return list(session.scalars(select(table).order_by(table.id)).unique())


def _count(app: Flask) -> int:
    with app.app_context(), identity.database().reading() as session:
        return session.scalar(select(func.count(Listing.id))) or 0


def _run_through(browser: Browser, address: str) -> int:
    pieces = 0
    while 'action="' + address + '/advance"' in browser.get(address).text:
        assert browser.post(f"{address}/advance").status_code == 303
        pieces += 1
    return pieces


def test_two_hundred_rows_with_five_errors(demo_app: Flask, signed_in: SignedIn) -> None:
    browser, before = signed_in("officer"), _count(demo_app)
    address = _upload(browser, a_table(_two_hundred())).location
    page = browser.get(address).text
    assert "không đăng" in page  # the first rows stand beside the columns
    assert _columns(browser, address).status_code == 303
    page = browser.get(address).text
    assert _count(demo_app) == before
    assert ">195</b> would become new listings" in page
    assert ">5</b> have errors" in page
    for cell in ('<td class="figure">5</td>', "Tên công nghệ", "has 4 characters", "&#39;999&#39; is not on the list"):
        assert cell in page, cell
    assert "which line 41 has already" in page

    browser.post(f"{address}/start")
    assert _run_through(browser, address) == 200 // advancing.CHUNK
    page = browser.get(address).text
    assert ">195</b> became new listings" in page
    assert _count(demo_app) == before + 195
    listing = _stored(demo_app, Listing)[-1]
    assert (listing.state, listing.province, listing.trl, listing.language) == ("submitted", "33", 6, "vi")
    assert "không đăng" not in str(listing.body)

    browser.post(f"{address}/undo")
    _run_through(browser, address)
    assert ">195</b> were taken back" in browser.get(address).text
    assert _count(demo_app) == before


def test_columns_are_remembered_for_the_organisation(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    headings = ("K1", "K2", "K3", "K4")
    rows = [_result(1)[:4]]
    address = _upload(browser, a_table(rows, headings)).location
    reply = _columns(browser, address)
    assert reply.status_code == 422
    assert "which column holds the id" in reply.text
    said = {"column-0": "external_id", "column-1": "title", "column-2": "summary", "column-3": "description"}
    assert _columns(browser, address, **said).status_code == 303
    twice = _columns(browser, address, **said | {"column-3": "summary"})
    assert "cannot both be" in twice.text
    assert _stored(demo_app, ColumnMemory)[0].columns["K2"] == "title"
    again = _upload(browser, a_table(rows, headings)).location
    assert _columns(browser, again).status_code == 303


def test_a_name_in_a_cell_is_read_as_its_code_and_a_second_import_changes_only_what_differs(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("officer")
    rows = [_result(number) for number in (1, 2, 3)]
    address = _upload(browser, a_table(rows)).location
    _columns(browser, address)
    browser.post(f"{address}/start")
    _run_through(browser, address)
    first, second, third = _stored(demo_app, Listing)[-3:]
    assert first.fields == ["203"]
    with demo_app.app_context(), identity.database().transaction() as session:
        publish(session, Context(COMMAND_LINE), session.get(Listing, second.id))
    rows[1][1] += ", bản mới"
    rows[2][1] += ", bản mới"
    address = _upload(browser, a_table(rows)).location
    _columns(browser, address)
    browser.post(f"{address}/start")
    _run_through(browser, address)
    page = browser.get(address).text
    assert ">1</b> changed nothing" in page
    assert ">2</b> changed a listing, or propose" in page
    titles = {row.id: row.title for row in _stored(demo_app, Listing)[-3:]}
    assert titles[second.id] == second.title  # published: an operator decides about the new version
    assert titles[third.id] == rows[2][1]
    browser.post(f"{address}/undo")
    _run_through(browser, address)
    assert ">2</b> were taken back" in browser.get(address).text
    assert [row.title for row in _stored(demo_app, Listing)[-3:]] == [first.title, second.title, third.title]


def test_texts_in_further_languages_are_columns_that_are_guessed_and_remembered(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("officer")
    headings = (*HEADINGS, "Tên công nghệ: en", "summary:en", "Ưu điểm:en")
    english = ["A heat pump dryer for longan", "Dries longan with a heat pump and keeps its colour and its smell.", ""]
    rows = [[*_result(2), *english], [*_result(3), *english[:2], "short"], [*_result(4), "", "", ""]]
    address = _upload(browser, a_table(rows, headings)).location
    page = browser.get(address).text
    assert re.search('<option value="title:en" selected', page)
    assert re.search('<option value="advantages:en" selected', page)
    _columns(browser, address)
    page = browser.get(address).text
    assert "Ưu điểm:en" in page  # beside what is wrong in that cell
    assert ">2</b> would become new listings" in page
    browser.post(f"{address}/start")
    _run_through(browser, address)
    first, second = _stored(demo_app, Listing)[-2:]
    assert first.translations["en"] == {
        "origin": "translation",
        "values": {"title": english[0], "summary": english[1]},
    }
    assert not second.translations


def test_an_import_shows_a_listing_to_others_only_where_its_rows_say_so(demo_app: Flask, signed_in: SignedIn) -> None:
    browser, headings = signed_in("officer"), ("id", "title", "summary", "description", "visibility")

    def run(*visible: str) -> str:
        rows = [[str(number), *_result(number)[1:4], said] for number, said in enumerate(visible, start=1)]
        address = str(_upload(browser, a_table(rows, headings)).location)
        _columns(browser, address)
        browser.post(f"{address}/start")
        _run_through(browser, address)
        return address

    def seen_by() -> list[str]:
        return [row.visibility for row in _stored(demo_app, Listing)[-2:]]

    run("restricted", "public")
    with demo_app.app_context(), identity.database().transaction() as session:
        for row in _stored(demo_app, Listing)[-2:]:
            publish(session, Context(COMMAND_LINE), session.get(Listing, row.id))
    assert ">2</b> changed nothing" in browser.get(run("", "")).text
    address = run("", "restricted")
    assert seen_by() == ["restricted", "restricted"]  # at once: that is its owner's to decide
    browser.post(f"{address}/undo")
    _run_through(browser, address)
    assert seen_by() == ["restricted", "public"]


def test_a_run_can_be_stopped_and_goes_on_where_it_was(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    address = _upload(browser, a_table([_result(number) for number in range(2, advancing.CHUNK + 22)])).location
    _columns(browser, address)
    browser.post(f"{address}/start")
    browser.post(f"{address}/advance")
    browser.post(f"{address}/stop")
    assert browser.post(f"{address}/advance").status_code == 303  # nothing happens
    assert _stored(demo_app, ImportRun)[0].done == advancing.CHUNK
    browser.post(f"{address}/start")
    _run_through(browser, address)
    run = _stored(demo_app, ImportRun)[0]
    assert (run.state, run.done) == ("done", advancing.CHUNK + 20)
    assert browser.post(f"{address}/start").status_code == 409


def test_rows_are_judged_while_others_write_and_count_only_where_nobody_was_quicker(
    demo_app: Flask, signed_in: SignedIn, settings: Settings
) -> None:
    browser = signed_in("officer")
    rows = [_result(number) for number in range(2, advancing.CHUNK + 12)]
    address = _upload(browser, a_table(rows)).location
    _columns(browser, address)
    browser.post(f"{address}/start")
    with demo_app.app_context():
        database = identity.database()
    number = _stored(demo_app, ImportRun)[0].id
    with database.reading() as session:
        ahead = advancing.judged_ahead(session, settings.data_dir, session.get_one(ImportRun, number))
        # Whoever writes meanwhile does not wait for it.
        with database.transaction() as other:
            other.get_one(ImportRun, number).updated_at = Context(COMMAND_LINE).now
    assert len(ahead.rows) == advancing.CHUNK
    browser.post(f"{address}/advance")
    before = len(_stored(demo_app, ImportedRow))
    with database.transaction() as session:
        advancing.advance(session, Context(COMMAND_LINE), session.get_one(ImportRun, number), ahead)
    assert len(_stored(demo_app, ImportedRow)) == before == advancing.CHUNK
    _run_through(browser, address)
    assert _stored(demo_app, ImportRun)[0].done == len(rows)


def test_the_worker_does_the_rows_for_the_person_and_stops_when_they_may_no_more(
    demo_app: Flask, signed_in: SignedIn, settings: Settings
) -> None:
    browser = signed_in("officer")
    address = _upload(browser, a_table([_result(2), _result(3)])).location
    _columns(browser, address)
    browser.post(f"{address}/start")
    with demo_app.app_context():
        database = identity.database()
    assert advancing.go_on(database, lambda: Context(COMMAND_LINE), settings.data_dir) == 2
    assert _stored(demo_app, ImportRun)[0].state == "done"
    assert advancing.go_on(database, lambda: Context(COMMAND_LINE), settings.data_dir) == 0


def test_an_import_belongs_to_its_organisation(demo_app: Flask, signed_in: SignedIn) -> None:
    address = _upload(signed_in("officer"), a_table([_result(2)])).location
    for name in ("engineer", "viewer", "stranger", "operator", "administrator"):
        browser = signed_in(name)
        assert browser.get(address).status_code == 404, name
        assert browser.post(f"{address}/undo").status_code == 404, name
    assert _upload(signed_in("engineer"), a_table([_result(2)])).status_code == 403


def test_the_browser_and_the_command_line_give_the_same_verdicts(
    demo_app: Flask, signed_in: SignedIn, tmp_path: Path
) -> None:
    headings = ("external_id", "title", "summary", "description", "advantages", "trl", "fields", "province", "note")
    file = a_table(_two_hundred(), headings)
    path = tmp_path / "a.xlsx"
    path.write_bytes(file)
    with demo_app.app_context():
        database = identity.database()
    organisation = OrganisationDraft("Đại học Phương Nam", "university", province="79", slug="dai-hoc-phuong-nam")
    browser = signed_in("officer")
    report = import_rows(
        database, Context(COMMAND_LINE), read_rows(path), kind=Kind.OFFER, organisation=organisation, dry_run=True
    )
    address = _upload(browser, file).location
    _columns(browser, address)
    refused = [row for row in _stored(demo_app, ImportedRow) if row.outcome == "refused"]
    assert [(p.line, p.external_id) for p in report.refused] == [(row.line, row.external_id) for row in refused]
    for problem, row in zip(report.refused, refused, strict=True):
        for cell in row.cells:
            assert runs.unpacked(cell["said"]) in problem.reason


def test_the_template_has_every_column_and_explains_it(client: Browser) -> None:
    for kind in ("need", "offer"):
        reply = client.get(f"/imports/template/{kind}", headers={"Accept-Language": "vi"})
        assert reply.status_code == 200
        book = load_workbook(BytesIO(reply.data))
        head, explained = book.worksheets
        columns = [cell.value for cell in head[1]]
        assert columns[:3] == ["external_id", "title", "summary"]
        assert [cell.value for cell in explained["A"]][1:] == columns
        assert "Tên gọi" in [cell.value for cell in explained["B"]]


def test_what_all_rows_share_is_said_once_and_remembered(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    headings = ("id", "title", "summary", "description", "price", "currency", "country")
    words = _result(2)
    rows = [["1", *words[1:4], 500, "", ""], ["2", *words[1:4], 500, "JPY", "JP"], ["3", *words[1:4], "", "", ""]]
    address = _upload(browser, a_table(rows, headings)).location
    _columns(browser, address)
    page = browser.get(address).text
    assert ">1</b> have errors" in page
    assert "is missing beside an amount" in page
    same = {"same-currency": "EUR", "same-country": "NL", "same-fields": "203"}
    assert _columns(browser, address, **same | {"same-currency": "gold"}).status_code == 422
    assert _columns(browser, address, **same).status_code == 303
    assert ">3</b> would become new listings" in browser.get(address).text
    browser.post(f"{address}/start")
    _run_through(browser, address)
    stored = {row.external_id: row for row in _stored(demo_app, Listing)[-3:]}
    assert [(stored[one].currency, stored[one].country) for one in "12"] == [("EUR", "NL"), ("JPY", "JP")]
    assert {tuple(row.fields) for row in stored.values()} == {("203",)}
    again = _upload(browser, a_table(rows, headings)).location
    page = browser.get(again).text
    for chosen in ("EUR", "NL", "203", "vi"):
        assert re.search(f'<option value="{chosen}"[^>]* selected', page), chosen
    assert _columns(browser, again, **same).status_code == 303
    assert ">3</b> would change nothing" in browser.get(again).text


def test_other_columns_after_a_dry_run_are_judged_anew(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    address = _upload(browser, a_table([_result(2)])).location
    _columns(browser, address)
    assert _columns(browser, address, **{"column-3": ""}).status_code == 303
    page = browser.get(address).text
    assert ">1</b> have errors" in page
    assert "would become" not in page
    assert len(_stored(demo_app, ImportedRow)) == 1


def test_a_finished_import_says_which_rows_look_like_listings_that_are_there(
    demo_app: Flask, signed_in: SignedIn, settings: Settings
) -> None:
    listed = next(one for one in _stored(demo_app, Listing) if not one.is_need and one.visibility == "public")
    hidden = next(
        one
        for one in _stored(demo_app, Listing)
        if not one.is_need and one.id > listed.id and one.language == listed.language
    )
    with demo_app.app_context(), identity.database().transaction() as session:
        session.get_one(Listing, hidden.id).visibility = "restricted"
    copies = [
        [f"C-{one.id}", one.title, one.summary, one.body["description"], one.body.get("advantages", ""), "", "", "", ""]
        for one in (listed, hidden)
    ]
    browser = signed_in("officer")
    address = _upload(browser, a_table([_result(2), *copies])).location
    _columns(browser, address, language=listed.language)
    browser.post(f"{address}/start")
    _run_through(browser, address)
    assert "Load this page again" in browser.get(address).text
    with demo_app.app_context():
        database = identity.database()
    import_tables(settings, database, Context(COMMAND_LINE))
    page = browser.get(address).text
    assert "1 row looks like a listing that is there" in page
    assert f'href="/results/{listed.id}"' in page
    assert f'href="/results/{hidden.id}"' not in page  # nobody learns of what they may not see
    assert [row.twin_id for row in _stored(demo_app, ImportedRow)] == [None, listed.id, hidden.id]


def test_a_column_that_holds_all_of_the_text_gives_summary_and_main_text(demo_app: Flask, signed_in: SignedIn) -> None:
    text = "Máy sấy bơm nhiệt hai cấp giữ màu và mùi của long nhãn trong suốt quá trình sấy. " * 80
    browser = signed_in("officer")
    address = _upload(browser, a_table([["1", "Máy sấy bơm nhiệt", text]], ("_id", "title", "text"))).location
    _columns(browser, address)
    page = browser.get(address).text
    assert ">1</b> would become new listings" in page
    assert ">1</b> of them with a text that was too long" in page
    browser.post(f"{address}/start")
    _run_through(browser, address)
    listing = _stored(demo_app, Listing)[-1]
    assert len(listing.summary) <= 500
    assert listing.summary.endswith(".")
    assert 3_000 < len(listing.body["description"]) <= 4_000
