"""XLSX in and out: values as text, formulas never run, archives that would burst refused before they are unpacked."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from techex.core.sheets import timeless
from techex.core.vocabulary import N_
from techex.errors import Sentence, UnreadableFile

# Unpacked, a table of 20,000 rows of full texts has about 40 MB; an archive of zeros packs a thousand to one.
LARGEST_UNPACKED = 50_000_000
MOST_RATIO = 100
RATIO_FROM = 1_000_000  # bytes; below, a ratio says nothing
MOST_ENTRIES = 2_000
MOST_ROWS = 20_000
MOST_COLUMNS = 200
_BLOCK = 1 << 16
_OVERLAP = 64  # bytes kept of a block, so that a reference across its border is seen

_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_REFERENCE = re.compile(rb'\br="([A-Z]{1,4})([0-9]{1,9})"')
_ROW = re.compile(rb'<row\b[^>]*?\br="([0-9]{1,9})"')
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MACROS = "vbaproject.bin"


def refused(pattern: str, **values: object) -> UnreadableFile:
    """The error about a file that cannot be read."""
    return UnreadableFile(Sentence(pattern, **values))


def check_archive(path: Path) -> None:
    """Refuse what is no plain XLSX: by the list of its parts, and while each is unpacked once (lists may lie).

    Raises UnreadableFile with the limit that is passed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = [part.filename for part in parts]
            if "xl/workbook.xml" not in names:
                raise refused(
                    N_("The file is no XLSX table, whatever its name says. Save it as XLSX or as CSV (UTF-8).")
                )
            if any(name.lower().endswith(_MACROS) for name in names):
                raise refused(N_("The table has macros. Save it as XLSX without macros."))
            if any(part.flag_bits & 1 for part in parts):
                raise refused(N_("The table is locked. Save it without a password."))
            if len(names) != len(set(names)) or len(parts) > MOST_ENTRIES or any(_leaves(name) for name in names):
                raise refused(N_("The parts of the table do not belong together. Save it once more as XLSX."))
            _unpack(archive, parts)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        raise refused(N_("The table is damaged and cannot be opened. Save it once more as XLSX.")) from None


def _leaves(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/")


def _unpack(archive: zipfile.ZipFile, parts: Sequence[zipfile.ZipInfo]) -> None:
    too_large = refused(
        N_("The table is larger than %(most)s MB when unpacked. Split it, or leave out pictures."),
        most=LARGEST_UNPACKED // 1_000_000,
    )
    if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise too_large
    total = 0
    for part in parts:
        size, before = 0, b""
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                total += len(block)
                if total > LARGEST_UNPACKED:
                    raise too_large
                if size > RATIO_FROM and size > MOST_RATIO * max(1, part.compress_size):
                    raise refused(N_("A part of the table is packed so tightly that it cannot be a table."))
                if part.filename.endswith((".xml", ".rels")):
                    _look_at(part.filename, before + block)
                before = block[-_OVERLAP:]


def _look_at(name: str, block: bytes) -> None:
    if _ENTITY.search(block):
        raise refused(N_("The table holds definitions that no program writes into one. Save it once more as XLSX."))
    if not _SHEET.fullmatch(name):
        return
    rows = [int(number) for number in _ROW.findall(block)]
    columns = [0]
    for letters, number in _REFERENCE.findall(block):
        rows.append(int(number))
        columns.append(column_number(letters.decode("ascii")))
    if max(rows, default=0) > MOST_ROWS + 1 or max(columns) > MOST_COLUMNS:
        raise refused(
            N_("The table has cells beyond row %(rows)s or column %(columns)s. Delete what is empty, or split it."),
            rows=MOST_ROWS + 1,
            columns=MOST_COLUMNS,
        )


def column_number(letters: str) -> int:
    """A -> 1, Z -> 26, AA -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """1 -> A, 27 -> AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read_table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells as text) of the first visible sheet that holds anything, empty lines left out.

    Raises UnreadableFile.
    """
    import python_calamine as calamine  # loaded when somebody sends a table

    check_archive(path)
    try:
        workbook = calamine.CalamineWorkbook.from_path(str(path))
        shown = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        found = False
        for name in shown:
            for line, cells in enumerate(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1):
                texts = [said(cell) for cell in cells]
                if any(texts):
                    found = True
                    yield line, texts
            if found:
                return
    except (calamine.CalamineError, calamine.PasswordError, calamine.XmlError, calamine.ZipError):
        raise refused(N_("The table is damaged and cannot be opened. Save it once more as XLSX.")) from None


def said(cell: object) -> str:
    """A cell as the text a person would have typed: whole numbers without a point, dates as year-month-day."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    return str(cell).strip() if cell is not None else ""


def write_template(sheets: Mapping[str, Sequence[Sequence[Any]]], widths: Sequence[int]) -> bytes:
    """An XLSX file with these sheets; the first row of each is its head. Text that looks like a formula stays text."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        sheet.freeze_panes = "A2"
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for line in sheet.iter_rows():
            for cell in line:
                if cell.data_type == "f":
                    cell.data_type = "s"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        for number, width in enumerate(widths[: sheet.max_column], start=1):
            sheet.column_dimensions[column_letters(number)].width = width
    out = BytesIO()
    with suppress(KeyError):
        book.properties.creator = ""
    book.save(out)
    return timeless(out)
