"""Reports of a period for a department: what was counted for some places, kept as it stood when it was made.

A report holds codes and numbers; its words come when it is read, in Vietnamese or English (`report_words`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.demo import is_demo
from techex.brokering import commissioning, deals, figures, funnel, gaps, listing_figures, plan_documents
from techex.brokering.commissioning import Consent
from techex.brokering.figures import Asked
from techex.brokering.funnel import Way
from techex.brokering.plan_documents import Subject
from techex.brokering.report_tables import Report
from techex.core import audit
from techex.core.context import Actor, Context
from techex.core.vocabulary import N_
from techex.errors import FieldErrors, NotFound, Sentence
from techex.matching import surveyed
from techex.matching.verdict_figures import verdict_figures
from techex.organisations import service as organisations
from techex.regions import working_days

LONGEST_DAYS = 1_100  # three years
MOST_SHARES = 15


def places_of(actor: Actor) -> list[str] | None:
    """The places somebody reports on: an operator's own, an administrator's all (None)."""
    return None if actor.is_administrator else sorted(actor.places)


def may_read(actor: Actor, places: Iterable[str]) -> bool:
    """A report of all places is the administrators'; one of some places is read by operators who serve all of them."""
    chosen = list(places)
    if not chosen:
        return actor.is_administrator
    return actor.is_operator and all(actor.operates_in(code) for code in chosen)


def get(session: Session, context: Context, report_id: int) -> Report:
    """A report that this person may read; NotFound whether it is absent or somebody else's."""
    found = session.get(Report, report_id)
    if found is None or not may_read(context.actor, found.places):
        raise NotFound(Sentence(N_("There is no report number %(number)s here."), number=report_id))
    return found


def kept(session: Session, context: Context) -> list[Report]:
    """All that this person may read, the newest first."""
    rows = session.scalars(select(Report).order_by(Report.id.desc()))
    return [row for row in rows if may_read(context.actor, row.places)]


def checked_period(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """First and last day. Raises FieldErrors for a period that has not begun, ends before it begins or is too long."""
    errors: dict[str, str] = {}
    if since is None or since > today:
        errors["since"] = Sentence(N_("Expected the first day of the period, today at the latest."))
    if until is None:
        errors["until"] = Sentence(N_("Expected the last day of the period."))
    if since and until and not errors:
        if until < since:
            errors["until"] = Sentence(N_("The period ends before it begins."))
        elif (until - since).days > LONGEST_DAYS:
            errors["until"] = Sentence(N_("A report covers at most three years."))
    if errors or since is None or until is None:
        raise FieldErrors(errors)
    return since, until


def make(session: Session, context: Context, since: date | None, until: date | None, plans: Sequence[int]) -> Report:
    """Count and keep a report of a period for the maker's places, tagged with plan documents. Raises FieldErrors."""
    first, last = checked_period(since, until, working_days.here(context.now))
    places = places_of(context.actor)
    made = Report(
        since=first,
        until=last,
        places=places or [],
        facts=facts(session, context, first, last, places),
        person_id=context.actor.person_id,
        made_at=context.now,
    )
    session.add(made)
    session.flush()
    for plan in plans:
        plan_documents.put(session, context, plan, Subject.REPORT, made.id)
    audit.record(session, context, "report made", "report", made.id, {"since": f"{first}", "until": f"{last}"})
    return made


def facts(session: Session, context: Context, first: date, last: date, places: list[str] | None) -> dict[str, Any]:
    """Everything that a report counts."""
    asked = Asked(since=first, before=last + timedelta(days=1))
    everything = figures.ways(session, places, public=not context.actor.is_operator)
    ways = figures.chosen(everything, asked)
    matches = listing_figures.matches(session, context, asked, places)
    missing = gaps.gaps(session, context, places)
    by_region, by_house = gaps.shares(session, context)
    contracts = _contracts(session, context, asked)
    groups: dict[str, Callable[[Any], Iterable[str]]] = {
        "pairs": lambda one: (_pair(one),),
        "fields": lambda one: one.fields,
        "kinds": lambda one: one.kinds,
    }
    looked, said = surveyed.looked_over(session, context), verdict_figures(session)
    return {
        "listings": [
            [row.step.value, row.count, row.days] for row in listing_figures.reached(session, context, asked, places)
        ],
        "interests": [[row.step.value, row.count, row.days] for row in funnel.funnel(ways)],
        **{name: _table(ways, matches, keys) for name, keys in groups.items()},
        "days": {name: _days(ways, keys) for name, keys in groups.items()},
        "flows": [
            [flow.origin, flow.application, flow.count] for flow in funnel.flows(_signed(everything, asked), _code)
        ],
        "contracts": contracts,
        "gaps": [[gap.field, gap.region, gap.needs, gap.all_needs] for gap in missing.by_field],
        "needs": [len(missing.needs), missing.all_needs],
        "results": [len(missing.results), missing.all_results],
        "unneeded": [list(row) for row in missing.results_by_field],
        "shares": [_share(row) for row in by_region[:MOST_SHARES]],
        "houses": [
            [*_share(row), {language: house.name_in(language) for language in ("vi", "en")}]
            for row in by_house[:MOST_SHARES]
            if (house := organisations.organisations(session, {int(row.key)}).get(int(row.key)))
        ],
        "verdicts": {"count": said.verdicts, "bands": [asdict(row) for row in said.bands]} if said else None,
        "commissions": _commissions(session, context, first, last),
        "plans": plan_documents.counted(session, context),
        "looked": f"{looked.made_at:%Y-%m-%d}" if looked else "",
        "demo": is_demo(session),
    }


def _code(place: Any) -> str:
    return str(place.code)


def _signed(ways: Sequence[Way], asked: Asked) -> list[Way]:
    """Those whose contract was confirmed within the period, whenever they began."""
    found = []
    for way in ways:
        at = way.moments.get(funnel.Step.SIGNED)
        day = working_days.here(at) if at else None
        if day and (not asked.since or day >= asked.since) and (not asked.before or day < asked.before):
            found.append(way)
    return found


def _pair(one: Any) -> str:
    return f"{funnel.region_code(one.origin)}>{funnel.region_code(one.application)}"


def _table(ways: Sequence[Way], matches: Sequence[Any], keys: Callable[[Any], Iterable[str]]) -> list[list[Any]]:
    """[key, matches, how many took each step], the largest group first."""
    counted = funnel.breakdown(ways, keys)
    fitting = Counter(key for match in matches for key in keys(match))
    rows = [[key, fitting.get(key, 0), *(one.count for one in counts)] for key, counts in counted.items()]
    rest = sorted((key for key in fitting if key not in counted), key=lambda key: (-fitting[key], key))
    return rows + [[key, fitting[key], *[0] * len(funnel.Step)] for key in rest]


def _days(ways: Sequence[Way], keys: Callable[[Any], Iterable[str]]) -> list[list[Any]]:
    """[key, for each step after the first: the median of the days since the one before, of how many], largest first."""
    return [
        [key, *(value for one in counted[1:] for value in (one.days, one.behind))]
        for key, counted in funnel.breakdown(ways, keys).items()
        if any(one.behind for one in counted)
    ]


def _share(row: gaps.Share) -> list[Any]:
    return [row.key, row.results, row.suitable, row.shown, round(row.of_suitable, 4), round(row.of_shown, 4)]


def _contracts(session: Session, context: Context, asked: Asked) -> list[dict[str, Any]]:
    """The contracts of the period that the maker may read; administrators read no deals, so they have counts alone."""
    found = []
    for deal in deals.visible(session, context):
        day = working_days.here(deal.signed_at) if deal.signed_at else None
        if (
            day
            and deal.contract
            and (not asked.since or day >= asked.since)
            and (not asked.before or day < asked.before)
        ):
            names = ("value_band", "currency", "transfer_form", "origin", "application")
            row: dict[str, Any] = {name: deal.contract[name] for name in names}
            plans = plan_documents.numbers_of(session, Subject.DEAL, deal.id)
            found.append({"deal": deal.id, "day": f"{day}", "registration": deal.registration, "plans": plans} | row)
    return sorted(found, key=lambda row: (row["day"], row["deal"]))


def _commissions(session: Session, context: Context, first: date, last: date) -> list[list[Any]]:
    """[number, title, needs, firms, firms that agreed] of the proposals drafted in the period."""
    return [
        [
            row.id,
            row.title,
            len(row.need_rows),
            len(row.consents),
            sum(one.state == Consent.AGREED for one in row.consents),
        ]
        for row in commissioning.kept(session, context)
        if first <= working_days.here(row.created_at) <= last
    ]


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """The reports a person made, for that person."""
    rows = session.scalars(select(Report).where(Report.person_id == person_id).order_by(Report.id))
    return {"reports": [{"number": row.id, "since": f"{row.since}", "until": f"{row.until}"} for row in rows]}
