"""Plan documents and reports as lists: orders, filters, columns of the file."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from techex.accounts.service import names_of
from techex.brokering import plan_documents, reporting
from techex.brokering.plan_documents import Subject
from techex.brokering.report_tables import PlanDocument, Report
from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.regions.naming import place_called
from techex.web.tables import BY_TITLE, NEWEST, Column, Filter, Table


@dataclass(frozen=True)
class PlanRow:
    """A plan document, and how much stands under it, whether its reader may see that or not."""

    plan: PlanDocument
    under: int


@dataclass(frozen=True)
class ReportRow:
    """A report, who made it (empty once they are gone), and the numbers of the documents it was made under."""

    report: Report
    maker: str
    plans: list[str]

    @property
    def years(self) -> list[str]:
        """The years that its period touches."""
        return [str(year) for year in range(self.report.since.year, self.report.until.year + 1)]


def plan_rows(session: Session) -> list[PlanRow]:
    """All plan documents."""
    counts = plan_documents.counts_of_tags(session)
    return [PlanRow(plan, counts.get(plan.id, 0)) for plan in plan_documents.known(session)]


def report_rows(session: Session, context: Context) -> list[ReportRow]:
    """The reports that this person may read."""
    found = reporting.kept(session, context)
    makers = names_of(session, list({row.person_id for row in found if row.person_id}))
    plans = plan_documents.numbers_by_thing(session, Subject.REPORT)
    return [ReportRow(row, makers.get(row.person_id or 0, ""), plans.get(row.id, [])) for row in found]


PLANS = Table(
    "plans.index",
    "plans.file",
    {
        "newest": (NEWEST, lambda row: (-row.plan.date.toordinal(), -row.plan.id)),
        "oldest": (N_("oldest first"), lambda row: (row.plan.date, row.plan.id)),
        "number": (N_("by number"), lambda row: (row.plan.number.casefold(), -row.plan.date.toordinal())),
        "title": (BY_TITLE, lambda row: (row.plan.title.casefold(), -row.plan.date.toordinal())),
        "most": (N_("most under it first"), lambda row: (-row.under, -row.plan.date.toordinal(), -row.plan.id)),
    },
    (
        Column(N_("Number"), lambda row: row.plan.number),
        Column(N_("Title"), lambda row: row.plan.title),
        Column(N_("Date"), lambda row: row.plan.date),
        Column(N_("Stands under it"), lambda row: row.under),
    ),
    {"year": Filter(N_("Year"), lambda row: [str(row.plan.date.year)], lambda year: year)},
    words=lambda row: f"{row.plan.number} {row.plan.title}",
)

REPORTS = Table(
    "reports.index",
    "reports.list_file",
    {
        "newest": (NEWEST, lambda row: -row.report.id),
        "oldest": (N_("oldest first"), lambda row: row.report.id),
        "period": (
            N_("latest period first"),
            lambda row: (-row.report.until.toordinal(), -row.report.since.toordinal(), -row.report.id),
        ),
    },
    (
        Column(N_("First day"), lambda row: row.report.since),
        Column(N_("Last day"), lambda row: row.report.until),
        Column(N_("Plan documents"), lambda row: row.plans),
        Column(N_("Made"), lambda row: row.report.made_at),
        Column(N_("Made by"), lambda row: row.maker),
    ),
    {
        "year": Filter(N_("Year"), lambda row: row.years, lambda year: year),
        "place": Filter(N_("Place"), lambda row: row.report.places, place_called),
        "plan": Filter(N_("Plan document"), lambda row: row.plans, lambda number: number),
        "by": Filter(N_("Made by"), lambda row: [row.maker] if row.maker else [], lambda name: name),
    },
)
