"""XLSX tables: what is in their cells comes out as text, and what would burst is refused before it does."""

from __future__ import annotations

import re
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from time import process_time

import pytest
from openpyxl import Workbook

from techex.errors import UnreadableFile
from techex.interchange.formats import columns_in, read_rows
from techex.interchange.spreadsheets import column_letters, column_number, write_template


def a_table(path: Path, *rows: list[object], hidden: bool = False) -> Path:
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if hidden:
        sheet.sheet_state = "hidden"
        book.create_sheet("shown").append(["external_id"])
    book.save(path)
    return path


def _archive(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_cells_come_out_as_a_person_would_have_typed_them(tmp_path: Path) -> None:
    path = a_table(
        tmp_path / "a.xlsx",
        ["external_id", "title", "deadline", "budget_max", "trl", "yes"],
        [],
        [1, " Sấy nhãn ", date(2027, 6, 30), 250_000_000, 6, True],
        ["x", "=1+1", None, 0.5, "TRL 6", "'=a"],
    )
    first, second = read_rows(path)
    assert first.line == 3
    assert first.values == {
        "external_id": "1",
        "title": "Sấy nhãn",
        "deadline": "2027-06-30",
        "budget_max": "250000000",
        "trl": "6",
        "yes": "true",
    }
    assert second.values["title"] == ""  # a formula that no program has computed has no value
    assert second.values["yes"] == "=a"  # an apostrophe in front says that it is text
    assert columns_in(path, "xlsx")[0] == "external_id"


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    assert list(read_rows(a_table(tmp_path / "a.xlsx", ["secret"], ["1"], hidden=True))) == []


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="more than one column title"):
        list(read_rows(a_table(tmp_path / "a.xlsx", ["title", "title"], ["a", "b"])))


BOOK = b"<workbook/>"
BOMBS = {
    "no table": ({"a.txt": b"x"}, "no XLSX table"),
    "macros": ({"xl/workbook.xml": BOOK, "xl/vbaProject.bin": b"x"}, "macros"),
    "a part outside": ({"xl/workbook.xml": BOOK, "../../etc/passwd": b"x"}, "belong together"),
    "packed too tightly": ({"xl/workbook.xml": BOOK, "xl/media/a.bin": b"\0" * 20_000_000}, "packed so tightly"),
    "entities": ({"xl/workbook.xml": b'<!DOCTYPE a [<!ENTITY b "c">]>'}, "definitions"),
    "a far cell": (
        {"xl/workbook.xml": BOOK, "xl/worksheets/sheet1.xml": b'<row r="1"><c r="XFD1048576"/></row>'},
        "beyond row",
    ),
    "many parts": ({"xl/workbook.xml": BOOK} | {f"xl/a{n}": b"x" for n in range(2_001)}, "belong together"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_what_would_burst_is_refused_in_no_time(case: str, tmp_path: Path) -> None:
    parts, sentence = BOMBS[case]
    path = _archive(tmp_path / "a.xlsx", parts)
    begun = process_time()
    with pytest.raises(UnreadableFile, match=sentence):
        list(read_rows(path))
    assert process_time() - begun < 1


def test_an_archive_that_lies_about_its_size_is_caught_while_it_is_unpacked(tmp_path: Path) -> None:
    honest = _archive(tmp_path / "a.xlsx", {"xl/workbook.xml": BOOK, "xl/worksheets/sheet1.xml": b"\0" * 60_000_000})
    content = honest.read_bytes()
    lying = content.replace((60_000_000).to_bytes(4, "little"), (600).to_bytes(4, "little"))
    assert lying != content
    honest.write_bytes(lying)
    with pytest.raises(UnreadableFile):
        list(read_rows(honest))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"a,b\n1,2\n", b"<html>"])
def test_what_is_only_named_like_a_table_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        list(read_rows(path))


def test_a_template_opens_again_and_holds_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(write_template({"Rows": [["external_id", "title"], ["1", "=1+1"]]}, [12, 40]))
    assert [dict(row.values) for row in read_rows(path)] == [{"external_id": "1", "title": "=1+1"}]
    assert b"<f>" not in zipfile.ZipFile(BytesIO(path.read_bytes())).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_columns_have_the_letters_a_spreadsheet_shows(number: int, letters: str) -> None:
    assert column_letters(number) == letters
    assert column_number(letters) == number


def test_a_template_does_not_tell_when_it_was_made() -> None:
    archive = zipfile.ZipFile(BytesIO(write_template({"Rows": [["external_id", "title"]]}, [12, 40])))
    assert {each.date_time[0] for each in archive.infolist()} == {1980}
    assert set(re.findall(rb"\d{4}-\d\d-\d\dT", archive.read("docProps/core.xml"))) == {b"1980-01-01T"}
