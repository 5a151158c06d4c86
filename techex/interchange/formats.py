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
from techex.errors import UnreadableFile
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
        raise UnreadableFile(
            f"{path} ends in {path.suffix or 'nothing'}; expected one of {', '.join(FORMATS)}. "
            "Save another spreadsheet as XLSX or CSV (UTF-8)."
        ) from None


def read_rows(path: Path, kind: str = "") -> Iterator[Row]:
    """The rows of a JSON Lines, CSV or XLSX file; `kind` says which where its name does not.

    Raises UnreadableFile when the file is missing, is not UTF-8, is no table or has no usable header.
    """
    kind = kind or format_of(path)
    if kind == "xlsx":
        if not path.is_file():
            raise UnreadableFile(f"There is no file {path}.")
        yield from _table_rows(path)
        return
    with _opened(path) as lines:
        yield from _json_rows(lines) if kind == "jsonl" else _csv_rows(path, lines)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UnreadableFile(f"{path} is in UTF-16. Save it as UTF-8 and try again.")
        if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise UnreadableFile(
                f"{path} is a spreadsheet whatever its name says. Name it .xlsx, or save it as CSV (UTF-8)."
            )
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UnreadableFile(f"{path} is a folder; name a file.") from None
    except PermissionError:
        raise UnreadableFile(f"{path} may not be read by this user.") from None
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"{path} is not UTF-8 (byte {error.start} of a block is 0x{error.object[error.start]:02x}). "
            "It may be windows-1258, windows-1252 or Shift-JIS: save it as UTF-8 and try again. "
            "Rows before that place are stored."
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
            yield Row(number, {}, f"is longer than {LONGEST_LINE} characters; expected one listing per line.")
            continue
        try:
            values = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
        except RecursionError:
            yield Row(number, {}, "is nested too deeply; expected one flat object per line.")
        except ValueError as error:
            yield Row(number, {}, f"is not JSON ({error}). Expected one object per line.")
        else:
            if isinstance(values, dict):
                yield Row(number, values)
            else:
                yield Row(number, {}, f"is a {type(values).__name__}; expected an object, one per line.")


def _csv_rows(path: Path, lines: IO[str]) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    first = lines.readline()
    delimiter = max(",;\t", key=first.count)
    lines.seek(0)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader)]
    except StopIteration:
        raise UnreadableFile(
            f"{path} is empty; expected a line with column names, then one line for each row."
        ) from None
    except csv.Error as error:
        raise UnreadableFile(f"{path}, line 1: the column names cannot be read ({error}).") from None
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise UnreadableFile(f"{path} has more than one column {', '.join(twice)}. Give each a name of its own.")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, {}, f"cannot be read ({error}); a quotation mark is probably not closed.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield Row(line, {}, f"has {len(cells)} cells where the header has {len(header)}; check commas and quotes.")
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


def columns_in(path: Path, kind: str) -> list[str]:
    """The names of the columns of a CSV or XLSX file, in order.

    Raises UnreadableFile.
    """
    if kind == "xlsx":
        return next((cells for _line, cells in read_table(path)), [])
    with _opened(path) as lines:
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
