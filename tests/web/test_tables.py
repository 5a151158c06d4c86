"""Lists: what an address asks for, pages, and files in which nothing comes alive."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask
from openpyxl import load_workbook
from werkzeug.datastructures import MultiDict

from techex.core.sheets import as_csv, as_xlsx
from techex.web.tables import Column, Filter, Table
from tests.cast import Browser

FORMULAS = ("=1+1", "+cmd|calc", "-2+3", "@SUM(A1)", "\t=1", "＝1", " =1")


@dataclass(frozen=True)
class Pump:
    number: int
    title: str
    place: str


PUMPS = [Pump(number, f"Máy bơm {number}", "VN-33" if number % 3 else "NL") for number in range(1, 61)]
TABLE = Table(
    "desk.index",
    "desk.file",
    {"number": ("by number", lambda one: one.number), "back": ("backwards", lambda one: -one.number)},
    (Column("No.", lambda one: one.number), Column("Title", lambda one: one.title)),
    {"place": Filter("Place", lambda one: [one.place], lambda code: f"place {code}")},
    words=lambda one: one.title,
)


def _ask(**asked: str) -> list[int]:
    return [one.number for one in TABLE.ask(PUMPS, MultiDict(asked)).rows]


def test_a_list_is_filtered_searched_sorted_and_cut_into_pages() -> None:
    assert _ask() == list(range(1, 26))
    assert _ask(page="3") == list(range(51, 61))
    assert _ask(sort="back")[:2] == [60, 59]
    assert _ask(place="NL") == list(range(3, 61, 3))
    assert _ask(q="may bom 17") == [17], "accents and case do not matter"
    found = TABLE.ask(PUMPS, MultiDict({"place": "NL"}))
    assert (found.total, found.pages, found.is_narrowed) == (20, 1, True)
    assert found.options["place"] == [("NL", "place NL", 20), ("VN-33", "place VN-33", 40)]


def test_what_nobody_knows_asks_for_nothing() -> None:
    found = TABLE.ask(PUMPS, MultiDict({"place": "Mars", "sort": "x", "page": "999"}))
    assert (found.total, found.page, found.asked) == (60, 3, {})
    assert TABLE.ask([], MultiDict()).any is False


def test_the_form_is_folded_above_a_list_that_is_seen_at_a_glance_until_something_is_asked() -> None:
    assert TABLE.ask(PUMPS[:5], MultiDict()).is_short
    assert not TABLE.ask(PUMPS[:6], MultiDict()).is_short
    assert not TABLE.ask(PUMPS[:5], MultiDict({"q": "bom 2"})).is_short


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_a_file_comes_alive_as_a_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(as_csv([text], [[text]]).decode("utf-8-sig"))))
    assert rows == [["'" + text], ["'" + text]]
    sheet = load_workbook(io.BytesIO(as_xlsx([text], [[text], [[text, "b"]]]))).active
    for cell in (sheet["A1"], sheet["A2"], sheet["A3"]):
        assert cell.data_type in ("s", "inlineStr")
        assert cell.quotePrefix, "it stays text after somebody has edited it"
    assert sheet["A2"].value == text


def test_numbers_and_days_stay_what_they_are_and_odd_characters_go() -> None:
    moment = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    sheet = load_workbook(io.BytesIO(as_xlsx(["a"], [[-5], [2.5], [moment], ["a\x00b\x1f"], [None], [True]]))).active
    values = [row[0].value for row in sheet.iter_rows(min_row=2)]
    assert values[:2] == [-5, 2.5]
    assert values[2] == datetime(2026, 11, 22)  # noqa: DTZ001 - what a spreadsheet holds
    assert values[3:] == ["ab", None, "True"]
    assert as_csv(["a"], [[moment], [3.0], [-5]]).decode("utf-8-sig").split() == ["a", "2026-11-22", "3", "-5"]


def test_equal_tables_are_equal_bytes() -> None:
    made = as_xlsx(["a"], [["Máy bơm"]])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("docProps/core.xml").count(b"1980-01-01T00:00:00Z") == 2, "created and modified"
    assert as_xlsx(["a"], [["Máy bơm"]]) == made


LISTS = {
    "/interests": "operator",
    "/review": "operator",
    "/verification": "operator",
    "/duplicates": "operator",
    "/desk": "operator",
    "/deals": "engineer",
    "/my/listings": "engineer",
    "/organisations": "stranger",
    "/audit": "administrator",
    "/operators": "administrator",
    "/desk/workload": "operator",
    "/desk/hand-overs": "operator",
    "/imports": "officer",
    "/alerts": "engineer",
    "/places": "stranger",
    "/plans": "operator",
    "/reports": "administrator",
    "/commissions": "operator",
    "/consents": "engineer",
    "/participations": "stranger",
}


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_there_as_csv_and_as_xlsx(app: Flask, signed_in: Callable[[str], Browser], path: str) -> None:
    browser = signed_in(LISTS[path])
    text = browser.get(f"{path}.csv?sort=newest&page=3")
    assert text.status_code == 200
    assert text.headers["Content-Disposition"].endswith(".csv")
    head = next(csv.reader(io.StringIO(text.data.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(browser.get(f"{path}.xlsx").data)).active
    assert [cell.value for cell in sheet[1]] == head
    assert browser.get(f"{path}.pdf").status_code == 404
