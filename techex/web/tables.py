"""One way for every list: what its reader asked for, in which order, a part of it as a page, all of it as a file.

A list is declared as a `Table`. Its filters offer only what occurs in the rows its reader may see, and its file holds
the rows and the columns of its page, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from techex.core import sheets
from techex.core.text import folded
from techex.core.vocabulary import N_
from techex.web import addresses

PAGE_SIZE = 25
FEW = 5  # lines that are seen at a glance: the form stands folded above them
FILE = "<any(csv, xlsx):suffix>"  # the end of a file's address, in a route
KINDS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Key = Callable[[Any], Any]
Sorts = Mapping[str, tuple[str, Key]]


@dataclass(frozen=True)
class Filter:
    """One filter: what it is called, the codes a row has of it, and what a code is called in the page's language."""

    label: str
    codes: Callable[[Any], Iterable[str]]
    name: Callable[[str], str]


@dataclass(frozen=True)
class Column:
    """A column of the file."""

    title: str
    value: Callable[[Any], Any]


@dataclass(frozen=True)
class Found:
    """A list as its reader asked for it."""

    table: Table
    rows: Sequence[Any]  # of this page
    total: int  # that pass the filters
    everything: int  # that there are, whatever is asked for
    page: int
    pages: int
    asked: Mapping[str, str]  # what is not as usual
    options: Mapping[str, Sequence[tuple[str, str, int]]]  # filter -> (code, name, how many)

    @property
    def any(self) -> bool:
        """True when there are any at all."""
        return self.everything > 0

    @property
    def is_short(self) -> bool:
        """True when there is hardly anything to choose from, and nothing was asked for."""
        return self.everything <= FEW and not self.asked

    @property
    def is_narrowed(self) -> bool:
        """True when a filter is on."""
        return any(name != "sort" for name in self.asked)

    @property
    def sort(self) -> str:
        """The order it is in."""
        return self.asked.get("sort", next(iter(self.table.sorts)))

    def at_page(self, number: int) -> str:
        """The address of another page."""
        return self.table.address(**self.asked, page=str(number))

    def file(self, suffix: str) -> str:
        """The address of all of it as a file."""
        return self.table.address(self.table.file_endpoint, **self.asked, suffix=suffix)

    @property
    def bare(self) -> str:
        """The address of all of it."""
        return self.table.address()


@dataclass(frozen=True)
class Table:
    """How one list is asked for. The first of `sorts` is the usual order; `words` gives the text that is searched."""

    endpoint: str
    file_endpoint: str
    sorts: Sorts
    columns: Sequence[Column]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    words: Callable[[Any], str] | None = None
    size: int = PAGE_SIZE
    always: Mapping[str, str] = field(default_factory=dict)  # parameters that its address has besides
    name: str = ""  # of its file; else that of its blueprint

    def address(self, endpoint: str = "", **parameters: str) -> str:
        """Where this list, or the file of it, stands."""
        values: dict[str, Any] = {**self.always, **parameters}
        return url_for(endpoint or self.endpoint, **values)

    def ask(self, rows: Iterable[Any], arguments: MultiDict[str, str]) -> Found:
        """The page of it that an address asks for; what nobody knows asks for nothing."""
        everything = list(rows)
        options = {name: _options(one, everything) for name, one in self.filters.items()}
        asked = self._asked(arguments, options)
        found = self._chosen(everything, asked)
        pages = max(1, -(-len(found) // self.size))
        page = min(addresses.page_number(arguments), pages)
        part = found[(page - 1) * self.size : page * self.size]
        return Found(self, part, len(found), len(everything), page, pages, asked, options)

    def file(self, rows: Iterable[Any], arguments: MultiDict[str, str], suffix: str) -> Response:
        """All that passes the filters, in the same order."""
        everything = list(rows)
        asked = self._asked(arguments, {name: _options(one, everything) for name, one in self.filters.items()})
        name = self.name or self.file_endpoint.partition(".")[0]
        return download(name, suffix, self.columns, self._chosen(everything, asked))

    def _asked(
        self, arguments: MultiDict[str, str], options: Mapping[str, Sequence[tuple[str, str, int]]]
    ) -> dict[str, str]:
        asked = {name: arguments.get(name, "") for name in self.filters}
        asked = {name: code for name, code in asked.items() if code in {known for known, _, _ in options[name]}}
        if self.words and (words := arguments.get("q", "")[: addresses.LONGEST_WORDS].strip()):
            asked["q"] = words
        sort = arguments.get("sort", "")
        return asked | ({"sort": sort} if sort in self.sorts and sort != next(iter(self.sorts)) else {})

    def _chosen(self, rows: Sequence[Any], asked: Mapping[str, str]) -> list[Any]:
        wanted = {name: asked[name] for name in self.filters if name in asked}
        found = [row for row in rows if all(code in self.filters[name].codes(row) for name, code in wanted.items())]
        if self.words and (words := folded(asked.get("q", "")).split()):
            text_of = self.words
            found = [row for row in found if all(word in folded(text_of(row)) for word in words)]
        return sorted(found, key=self.sorts[asked.get("sort", next(iter(self.sorts)))][1])


def _options(one: Filter, rows: Iterable[Any]) -> list[tuple[str, str, int]]:
    counts: dict[str, int] = {}
    for row in rows:
        for code in dict.fromkeys(one.codes(row)):
            counts[code] = counts.get(code, 0) + 1
    return sorted(((code, one.name(code), count) for code, count in counts.items()), key=lambda row: row[1].casefold())


def download(name: str, suffix: str, columns: Sequence[Column], rows: Iterable[Any]) -> Response:
    """Rows as a file to keep, cut at MOST_ROWS."""
    kept = [row for row, _ in zip(rows, range(sheets.MOST_ROWS), strict=False)]
    lines = [[column.value(row) for column in columns] for row in kept]
    make = sheets.as_xlsx if suffix == "xlsx" else sheets.as_csv
    reply = Response(make([gettext(column.title) for column in columns], lines), content_type=KINDS[suffix])
    reply.headers["Content-Disposition"] = f"attachment; filename=techex-{name}.{suffix}"
    return reply


# What many lists sort by; their keys are the list's own.
NEWEST = N_("newest first")
OLDEST = N_("waiting longest first")
BY_PLACE = N_("by place")
BY_TITLE = N_("by title")
