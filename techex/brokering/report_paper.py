"""A report as PDF and XLSX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from techex.brokering import paper_fonts, report_words
from techex.brokering.report_tables import Report
from techex.brokering.report_words import MOST_ROWS, Section, Words
from techex.core import sheets
from techex.core.vocabulary import N_


def as_pdf(report: Report, language: str, exchange: str, plans: Sequence[str] = ()) -> bytes:
    """For reading and printing: every section with its chart and its table. The same bytes for the same report."""
    words = Words(language)
    parts = [_part(words, section) for section in report_words.sections(report, language, plans)]
    data = report_words.heading(report, language, exchange) | {"sections": parts}
    return paper_fonts.made("report.typ", data)


def _part(words: Words, section: Section) -> dict[str, Any]:
    rows = section.rows[:MOST_ROWS]
    more = len(section.rows) - len(rows)
    texts = [at for at in range(len(section.columns)) if any(_is_text(row[at]) for row in rows)]
    return {
        "title": section.title,
        "finding": section.finding,
        "chart": section.chart,
        "wide": section.chart.count("<path") > 10,  # a map is taller than bars
        "columns": list(section.columns),
        "texts": texts,
        "rows": [[_said(words, cell) for cell in row] for row in rows],
        "more": words.say(N_("%(count)s more rows stand in the spreadsheet."), count=more) if more else "",
    }


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str) and not cell.endswith("%")


def _said(words: Words, cell: Any) -> str:
    if cell is None:
        return "–"
    return words.number(cell) if isinstance(cell, int | float) else str(cell)


def as_xlsx(report: Report, language: str, exchange: str, plans: Sequence[str] = ()) -> bytes:
    """For counting on: a sheet for each section, numbers as numbers, no text that comes alive as a formula."""
    head = report_words.heading(report, language, exchange)
    cover = [[head[name]] for name in ("period", "places", "made", "demo") if head[name]]
    book: list[tuple[str, Sequence[str], Sequence[Sequence[Any]]]] = [(exchange, [head["title"]], cover)]
    parts = report_words.sections(report, language, plans)
    book += [(section.title, section.columns, section.rows) for section in parts]
    return sheets.as_book(book)
