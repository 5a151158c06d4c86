"""A report in words: its sections with their findings, charts and tables, in Vietnamese or English. No Flask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from techex.brokering import funnel, report_charts
from techex.brokering.funnel import Flow
from techex.brokering.listing_figures import LISTING_STEPS
from techex.brokering.pipeline import VALUE_BANDS
from techex.brokering.report_tables import Report
from techex.core.mail import said_in
from techex.core.vocabulary import FIELDS, N_, ORGANISATION_KINDS, TRANSFER_FORMS
from techex.regions import service as regions
from techex.regions import working_days

LANGUAGES = ("vi", "en")
MOST_ROWS = 15  # of a table on paper; the spreadsheet has all
BANDS: Mapping[str, str] = {
    "introduce": N_("worth an introduction"),
    "review": N_("worth a closer look"),
    "explore": N_("related"),
    "none": N_("does not fit"),
}
_STEPS = (N_("matches"), N_("sent"), N_("forwarded"), N_("accepted"), N_("introduced"), N_("contract"))


@dataclass(frozen=True)
class Section:
    """A part of a report: what it shows, the finding in one sentence, a chart (SVG) or none, a table."""

    title: str
    finding: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    chart: str = ""


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"

    def say(self, message: str, **values: object) -> str:
        """A sentence; numbers among the values in the way of the language."""
        said = {name: self.number(value) if isinstance(value, int | float) else value for name, value in values.items()}
        text = said_in(self.language, message)
        return text % said if said else text

    def number(self, value: float) -> str:
        """A number as the language writes it."""
        return str(format_decimal(round(value, 1) if isinstance(value, float) else value, locale=self.language))

    def day(self, value: date | str) -> str:
        """A day in words."""
        when = date.fromisoformat(value) if isinstance(value, str) else value
        return str(format_date(when, "long", locale=self.language))

    def place(self, code: str) -> str:
        """A region, province or country."""
        if code in regions.regions():
            return regions.region_name(code, self.language)
        place = regions.place_of_code(code)
        return regions.place_name(place, self.language) if place else code

    def columns(self, *names: str) -> list[str]:
        """The head of a table."""
        return [self.say(name) for name in names]


def heading(report: Report, language: str, exchange: str) -> dict[str, Any]:
    """What stands above a report."""
    words = Words(language)
    places = ", ".join(words.place(code) for code in report.places) or words.say(N_("all places"))
    return {
        "title": words.say(N_("Report of the technology exchange")),
        "exchange": exchange,
        "period": words.say(N_("%(first)s to %(last)s"), first=words.day(report.since), last=words.day(report.until)),
        "places": f"{words.say(N_('Places'))}: {places}",
        "made": words.say(N_("As it stood on %(day)s"), day=words.day(working_days.here(report.made_at))),
        "demo": words.say(N_("Illustrative: counted from the invented listings and deals of a demo exchange"))
        if report.facts.get("demo")
        else "",
        "language": words.language,
    }


def sections(report: Report, language: str, plans: Sequence[str] = ()) -> list[Section]:
    """All of it; `plans` are the documents that the report itself is tagged with."""
    words, facts = Words(language), report.facts
    return [
        *_funnels(words, facts),
        _flows(words, facts),
        _contracts(words, facts),
        *_breakdowns(words, facts),
        *_gaps(words, facts),
        *_shares(words, facts),
        _verdicts(words, facts),
        _commissions(words, facts),
        _plans(words, facts, plans),
    ]


def _funnels(words: Words, facts: Mapping[str, Any]) -> list[Section]:
    found = []
    for key, names, title, finding in (
        (
            "listings",
            {step.value: text for step, text in LISTING_STEPS.items()},
            N_("From listings over matches to contracts"),
            N_("Listings published in the period and still listed: %(first)s; in a confirmed contract: %(last)s."),
        ),
        (
            "interests",
            {step.value: text for step, text in funnel.STEPS.items()},
            N_("From an expression of interest to a contract"),
            N_("Expressions of interest sent in the period: %(first)s; of them confirmed contracts: %(last)s."),
        ),
    ):
        rows = facts[key]
        first = rows[0][1]
        table = [
            [words.say(names[step]), count, _share(words, count, first) if number else None, _days(words, days)]
            for number, (step, count, days) in enumerate(rows)
        ]
        bars = [(words.say(names[step]), count, words.number(count)) for step, count, _ in rows]
        columns = words.columns(N_("Step"), N_("How many"), N_("Share of the first"), N_("Days before it (median)"))
        said = words.say(finding, first=first, last=rows[-1][1])
        found.append(Section(words.say(title), said, columns, table, report_charts.bars(bars)))
    return found


def _share(words: Words, part: float, whole: float) -> str | None:
    return f"{words.number(100 * part / whole)} %" if whole else None


def _days(words: Words, days: float | None) -> float | None:
    return None if days is None else round(days, 1)


def _flows(words: Words, facts: Mapping[str, Any]) -> Section:
    flows = [Flow(*row) for row in facts["flows"]]
    total = sum(flow.count for flow in flows)
    across = sum(flow.count for flow in flows if flow.origin != flow.application)
    finding = words.say(
        N_(
            "Contracts confirmed in the period: %(total)s; of them from one province or country to another: %(across)s."
        ),
        total=total,
        across=across,
    )
    rows = [[words.place(flow.origin), words.place(flow.application), flow.count] for flow in flows]
    columns = words.columns(N_("Result from"), N_("Applied in"), N_("Contracts"))
    chart = report_charts.flow_map(flows, words.place) if flows else ""
    return Section(words.say(N_("Where results went")), finding, columns, rows, chart)


def _contracts(words: Words, facts: Mapping[str, Any]) -> Section:
    rows = []
    for row in facts["contracts"]:
        dong, other = VALUE_BANDS[row["value_band"]]
        value = f"{words.say(dong if row['currency'] == 'VND' else other)} {row['currency']}"
        form = words.say(TRANSFER_FORMS[row["transfer_form"]])
        ends = f"{words.place(row['origin'])} → {words.place(row['application'])}"
        rows.append([row["deal"], row["day"], ends, form, value, row["registration"], "; ".join(row["plans"])])
    columns = words.columns(
        *(N_("Deal"), N_("Confirmed on"), N_("From → to"), N_("Form"), N_("Value")),
        *(N_("Registration"), N_("Plan documents")),
    )
    finding = words.say(N_("Each was confirmed by both sides; values are bands, not prices."))
    return Section(words.say(N_("Contracts one by one")), finding, columns, rows)


def _breakdowns(words: Words, facts: Mapping[str, Any]) -> list[Section]:
    def pair(key: str) -> str:
        origin, _, application = key.partition(">")
        return f"{words.place(origin)} → {words.place(application)}"

    finding = words.say(
        N_("Expressions of interest sent in the period and what came of them; matches by when the later listing came.")
    )
    found = []
    for key, title, name in (
        ("pairs", N_("By regions: where the result comes from → where it is needed"), pair),
        ("fields", N_("By field"), lambda code: words.say(FIELDS[code])),
        ("kinds", N_("By kind of organisation"), lambda code: words.say(ORGANISATION_KINDS[code])),
    ):
        rows = [[name(row[0]), *row[1:]] for row in facts[key]]
        found.append(Section(words.say(title), finding, ["", *words.columns(*_STEPS)], rows))
        # Reports of before have no days of groups.
        if timed := facts.get("days", {}).get(key):
            found.append(_timed(words, words.say(title), [[name(row[0]), *row[1:]] for row in timed]))
    return found


def _timed(words: Words, title: str, rows: Sequence[Sequence[Any]]) -> Section:
    """The days between the steps of each group, each median with how many it is of."""
    finding = words.say(
        N_("Medians of the days since the step before, each with the number of expressions of interest behind it.")
    )
    days, of, between = words.columns(N_("days"), N_("of so many"), N_("days between the steps"))
    columns = ["", *(head for step in _STEPS[2:] for head in (f"{words.say(step)}, {days}", of))]
    told = [
        [row[0], *(_days(words, value) if at % 2 else value or None for at, value in enumerate(row[1:], 1))]
        for row in rows
    ]
    return Section(f"{title}: {between}", finding, columns, told)


def _gaps(words: Words, facts: Mapping[str, Any]) -> list[Section]:
    needs, results = facts["needs"], facts["results"]
    rows = [
        [words.say(FIELDS[field]), words.place(region), some, every] for field, region, some, every in facts["gaps"]
    ]
    finding = words.say(N_("Needs that nothing suits: %(some)s of %(all)s."), some=needs[0], all=needs[1])
    if facts["looked"]:
        finding += " " + words.say(N_("The exchange was last compared on %(day)s."), day=words.day(facts["looked"]))
    idle = words.say(N_("Results that suit no need: %(some)s of %(all)s."), some=results[0], all=results[1])
    bars = [(words.say(FIELDS[code]), count, words.number(count)) for code, count in facts["unneeded"][:10]]
    return [
        Section(
            words.say(N_("Needs without a suitable result")),
            finding,
            words.columns(N_("Field"), N_("Region"), N_("Without one"), N_("Needs there")),
            rows,
        ),
        Section(
            words.say(N_("Results that suit no need")),
            idle,
            words.columns(N_("Field"), N_("Results")),
            [[words.say(FIELDS[code]), count] for code, count in facts["unneeded"]],
            report_charts.bars(bars) if bars else "",
        ),
    ]


def _shares(words: Words, facts: Mapping[str, Any]) -> list[Section]:
    names = (N_("Results"), N_("Suitable ones"), N_("Places in first tens"))
    columns = words.columns(*names, N_("Share of suitable ones"), N_("Share of first tens"), N_("Ratio"))

    def line(name: str, row: Sequence[Any]) -> list[Any]:
        _, results, suitable, shown, of_suitable, of_shown = row
        ratio = round(of_shown / of_suitable, 2) if of_suitable else None
        shares = [f"{words.number(100 * share)} %" for share in (of_suitable, of_shown)]
        return [name, results, suitable, shown, *shares, ratio]

    finding = words.say(N_("A ratio above 1 says: shown among the first ten of needs more often than its share."))
    regions_rows = [line(words.place(row[0]), row) for row in facts["shares"]]
    houses = [line(row[6][words.language], row[:6]) for row in facts["houses"]]
    return [
        Section(words.say(N_("Who is shown: regions")), finding, [words.say(N_("Region")), *columns], regions_rows),
        Section(
            words.say(N_("Who is shown: universities and institutes")),
            finding,
            [words.say(N_("Institution")), *columns],
            houses,
        ),
    ]


def _verdicts(words: Words, facts: Mapping[str, Any]) -> Section:
    said = facts["verdicts"]
    rows = []
    for row in said["bands"] if said else ():
        told = [
            words.say(N_("fewer than five")) if row[name] is None else row[name] for name in ("fit", "partly", "no")
        ]
        rows.append([words.say(BANDS[row["band"]]), row["verdicts"], *told])
    finding = (
        words.say(N_("Pairs of public listings that people judged: %(count)s."), count=said["count"])
        if said
        else words.say(N_("Fewer than five pairs of public listings have been judged."))
    )
    columns = words.columns(N_("Word"), N_("Judged"), N_("Fits"), N_("Fits in part"), N_("Does not"))
    return Section(words.say(N_("What people say of matches")), finding, columns, rows)


def _commissions(words: Words, facts: Mapping[str, Any]) -> Section:
    columns = words.columns(N_("Number"), N_("Title"), N_("Needs"), N_("Firms"), N_("Firms that agreed"))
    finding = words.say(N_("Drafted in the period: %(count)s."), count=len(facts["commissions"]))
    return Section(words.say(N_("Proposals for commissioned tasks")), finding, columns, facts["commissions"])


def _plans(words: Words, facts: Mapping[str, Any], plans: Sequence[str]) -> Section:
    rows = [
        [row["number"], row["title"], row["date"], row["listing"], row["deal"], row["commission"]]
        for row in facts["plans"]
    ]
    columns = words.columns(
        *(N_("Number"), N_("Title"), N_("Date"), N_("Needs and results"), N_("Deals"), N_("Proposals")),
    )
    finding = words.say(N_("This report is made under: %(plans)s."), plans="; ".join(plans) or "–")
    return Section(words.say(N_("By plan document")), finding, columns, rows)
