"""Tables for spreadsheets, as CSV and XLSX, in which no text comes alive as a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import IO, Any

# What a spreadsheet would run as a formula; such cells get an apostrophe on the way out and lose it on the way in.
# Cells that begin with apostrophes already get one more, so that the way back is exact. White space
# before it and full-width signs do not keep a spreadsheet from running it.
FORMULA = re.compile(r"'*(?:[\t\r]|\s*[=+\-@＝＋－＠])")
LIST_SEPARATOR = ";"
MOST_ROWS = 20_000  # of a file: more is for the command line
LONGEST_CELL = 32_000  # characters; XLSX ends at 32,767
WIDEST = 60  # characters of a column as it opens

LONGEST_SHEET = 31  # characters of the name of a sheet

_NO_SHEET = re.compile(r"[\[\]:*?/\\']")
_MOMENT = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def disarmed(value: Any) -> str:
    """A cell of a CSV file: formulas disarmed, lists joined by semicolons, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        value = LIST_SEPARATOR.join(str(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return "'" + text if FORMULA.match(text) and not isinstance(value, int | float) else text


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], out: IO[str]) -> int:
    """Write a header and one line a row, formulas disarmed and lists joined by semicolons; returns how many."""
    writer = csv.writer(out)
    writer.writerow([disarmed(name) for name in columns])
    count = 0
    for row in rows:
        writer.writerow([disarmed(row.get(name)) for name in columns])
        count += 1
    return count


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file in UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([disarmed(name) for name in columns])
    writer.writerows([disarmed(_plain(cell)) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def as_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Any]], name: str = "TechEx") -> bytes:
    """An XLSX file: numbers as numbers, days as days, everything else as text that stays text when it is edited."""
    return as_book([(name, columns, list(rows))])


def as_book(tables: Iterable[tuple[str, Sequence[str], Sequence[Sequence[Any]]]]) -> bytes:
    """The same with a sheet for each (name, columns, rows)."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    taken: set[str] = set()
    for name, columns, rows in tables:
        _add_sheet(book, _sheet_name(name, taken), columns, [list(row) for row in rows])
    out = io.BytesIO()
    book.properties.creator = ""
    book.save(out)
    return timeless(out)


def timeless(packed: io.BytesIO) -> bytes:
    """The same archive without the moment at which it was made: equal tables are equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _MOMENT.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            after.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that XLSX allows and that no other sheet of the book has."""
    plain = " ".join(_NO_SHEET.sub(" ", name).split())[:LONGEST_SHEET] or "TechEx"
    found, number = plain, 2
    while found.casefold() in taken:
        found, number = f"{plain[: LONGEST_SHEET - 3]} {number}", number + 1
    taken.add(found.casefold())
    return found


def _add_sheet(book: Any, name: str, columns: Sequence[str], kept: Sequence[Sequence[Any]]) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for number in range(len(columns)):
        longest = max((len(str(row[number] or "")) for row in kept[:200]), default=0)
        width = min(WIDEST, max(10, len(columns[number]), longest) + 2)
        sheet.column_dimensions[_letters(number + 1)].width = width

    def cell(value: Any) -> Any:
        value = _plain(value)
        if isinstance(value, list | tuple):
            value = LIST_SEPARATOR.join(str(item) for item in value)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        if isinstance(value, date):
            return value
        found = WriteOnlyCell(sheet, value=_CONTROL.sub("", str(value))[:LONGEST_CELL])
        found.data_type = "s"
        if FORMULA.match(str(value)):
            found.quotePrefix = True  # stays text also after somebody has edited it
        return found

    head = [cell(name) for name in columns]
    for each in head:
        each.font = Font(bold=True)
    sheet.append(head)
    for row in kept:
        sheet.append([cell(value) for value in row])


def _plain(value: Any) -> Any:
    """Moments as days: a list says when something was, its page says the minute."""
    return value.date() if isinstance(value, datetime) else value


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
