"""JSON Lines, CSV and XLSX, row by row: files may be larger than memory, and one bad row does not stop the others."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from techex.core.sheets import FORMULA
from techex.core.sheets import write_csv as write_csv
from techex.core.vocabulary import N_
from techex.errors import Sentence
from techex.interchange.spreadsheets import read_table, refused

LONGEST_CELL = 1_000_000  # characters; a longer one is an unbalanced quote or not text at all
LONGEST_LINE = 8_000_000  # characters of one JSON line
FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".xlsx": "xlsx"}


@dataclass(frozen=True)
class Row:
    """One row with the number of its (first) line; `problem` instead of `values` where it cannot be read."""

    line: int
    values: Mapping[str, Any]
    problem: str = ""


def format_of(path: Path) -> str:
    """ "jsonl", "csv" or "xlsx" by the ending of a file name; raises UnreadableFile for others."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise refused(
            N_("%(file)s has none of the endings %(names)s. Save another spreadsheet as XLSX or CSV (UTF-8)."),
            file=str(path),
            names=", ".join(FORMATS),
        ) from None


def read_rows(path: Path, kind: str = "", called: str = "") -> Iterator[Row]:
    """The rows of a JSON Lines, CSV or XLSX file; `kind` says which where its name does not.

    `called` is what its owner calls it, where it lies under a name of ours.

    Raises UnreadableFile when the file is missing, is not UTF-8, is no table or has no usable header.
    """
    kind = kind or format_of(path)
    if kind == "xlsx":
        if not path.is_file():
            raise refused(N_("There is no file %(file)s."), file=called or str(path))
        yield from _table_rows(path)
        return
    with _opened(path, called or str(path)) as lines:
        yield from _json_rows(lines) if kind == "jsonl" else _csv_rows(called or str(path), lines)


@contextmanager
def _opened(path: Path, called: str) -> Iterator[IO[str]]:
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise refused(N_("%(file)s is in UTF-16. Save it as UTF-8 and try again."), file=called)
        if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise refused(
                N_("%(file)s is a spreadsheet whatever its name says. Name it .xlsx, or save it as CSV (UTF-8)."),
                file=called,
            )
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except FileNotFoundError:
        raise refused(N_("There is no file %(file)s."), file=called) from None
    except IsADirectoryError:
        raise refused(N_("%(file)s is a folder; name a file."), file=called) from None
    except PermissionError:
        raise refused(N_("%(file)s may not be read by this user."), file=called) from None
    except UnicodeDecodeError as error:
        raise refused(
            N_(
                "%(file)s is not UTF-8 (byte %(place)s of a block is %(byte)s). It may be windows-1258, windows-1252 "
                "or Shift-JIS: save it as UTF-8 and import it again. Rows that are stored already stay as they are."
            ),
            file=called,
            place=error.start,
            byte=f"0x{error.object[error.start]:02x}",
        ) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands there twice")
    return found


def _json_rows(lines: IO[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            sentence = N_("is longer than %(most)s characters; expected one listing per line.")
            yield Row(number, {}, Sentence(sentence, most=LONGEST_LINE))
            continue
        try:
            values = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
        except RecursionError:
            yield Row(number, {}, Sentence(N_("is nested too deeply; expected one flat object per line.")))
        except ValueError as error:
            yield Row(
                number, {}, Sentence(N_("is not JSON (%(reason)s). Expected one object per line."), reason=str(error))
            )
        else:
            if isinstance(values, dict):
                yield Row(number, values)
            else:
                sentence = N_("is of the type %(type)s; expected an object, one per line.")
                yield Row(number, {}, Sentence(sentence, type=type(values).__name__))


def _csv_rows(called: str, lines: IO[str]) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    first = lines.readline()
    delimiter = max(",;\t", key=first.count)
    lines.seek(0)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader)]
    except StopIteration:
        raise refused(
            N_("%(file)s is empty; expected a line with column names, then one line for each row."), file=called
        ) from None
    except csv.Error as error:
        raise refused(
            N_("%(file)s, line 1: the column names cannot be read (%(reason)s)."), file=called, reason=str(error)
        ) from None
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise refused(
            N_("%(file)s has more than one column %(names)s. Give each a name of its own."),
            file=called,
            names=", ".join(twice),
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = N_("cannot be read (%(reason)s); a quotation mark is probably not closed.")
            yield Row(line, {}, Sentence(sentence, reason=str(error)))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            sentence = N_("has %(count)s cells where the header has %(expected)s; check commas and quotes.")
            yield Row(line, {}, Sentence(sentence, count=len(cells), expected=len(header)))
            continue
        yield Row(line, {name: _alive(cell) for name, cell in zip(header, cells, strict=True) if name})


def _table_rows(path: Path) -> Iterator[Row]:
    header: list[str] = []
    for line, cells in read_table(path):
        if not header:
            header = cells
            if twice := sorted({name for name in header if name and header.count(name) > 1}):
                raise refused(N_("The table has more than one column %(names)s."), names=", ".join(twice))
            continue
        values = {name: _alive(cell) for name, cell in zip(header, cells, strict=False) if name}
        yield Row(line, values)


def columns_in(path: Path, kind: str, called: str = "") -> list[str]:
    """The names of the columns of a CSV or XLSX file, in order; `called` as in `read_rows`.

    Raises UnreadableFile.
    """
    if kind == "xlsx":
        return next((cells for _line, cells in read_table(path)), [])
    with _opened(path, called or str(path)) as lines:
        first = lines.readline()
        found = next(csv.reader([first], delimiter=max(",;\t", key=first.count)), [])
    return [name.strip().removeprefix("\ufeff") for name in found]


def _alive(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def write_jsonl(rows: Iterable[Mapping[str, Any]], out: IO[str]) -> int:
    """Write one object per line; returns how many."""
    count = 0
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count
