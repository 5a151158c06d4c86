"""The exchange's own figures: for everybody with nothing below five, exact for operators and administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from techex.accounts.demo import is_demo
from techex.brokering import figure_words, figures, funnel, gaps, listing_figures
from techex.brokering.figures import Asked
from techex.brokering.funnel import Veil, Way
from techex.core.context import ANONYMOUS, Actor, Context
from techex.core.vocabulary import FIELDS, ORGANISATION_KINDS
from techex.matching import surveyed
from techex.matching.verdict_figures import verdict_figures
from techex.organisations import service as organisations
from techex.regions import service as regions
from techex.regions import working_days
from techex.regions.rules import Place
from techex.web import identity, policy, replies, tables
from techex.web.language import page_language

MOST_GAPS = 15
MOST_SHARES = 12

blueprint = Blueprint("figures", __name__)


def is_exact(actor: Actor) -> bool:
    """True for those who see exact numbers: operators of their places, administrators of all."""
    return (actor.is_operator or actor.is_administrator) and request.args.get("as") != "everybody"


def places_of(actor: Actor) -> list[str] | None:
    """The places whose figures somebody reads exactly; None is everywhere."""
    return None if actor.is_administrator else sorted(actor.places)


@blueprint.get("/figures")
@policy.open_to(policy.everyone)
def index() -> Response:
    """From listings to contracts, flows between places, what is missing, who is shown, what people say of matches."""
    with identity.database().reading() as session:
        return _page(session, _read(session))


@blueprint.get(f"/figures.{tables.FILE}")
@policy.open_to(policy.everyone)
def file(suffix: str) -> Response:
    """The funnel as a whole, and by quarter, regions, field and kind of organisation, as the page tells it."""
    with identity.database().reading() as session:
        read = _read(session)
        matches = listing_figures.matches(session, read.context, read.asked, read.places)
        return tables.download("figures", suffix, *figure_words.file_of(read.found, matches, read.exact))


@dataclass(frozen=True)
class _Read:
    """What somebody reads: `context` is that of whom the figures are for, so that nothing else is counted."""

    context: Context
    exact: bool
    places: Sequence[str] | None
    everything: Sequence[Way]
    found: Sequence[Way]
    asked: Asked


def _read(session: Session) -> _Read:
    context = identity.context()
    if is_exact(context.actor):
        places = places_of(context.actor)
        # Administrators do not read what is restricted, so they do not count it either.
        everything = figures.ways(session, places, public=not context.actor.is_operator)
        asked = asked_of(request.args)
        return _Read(context, True, places, everything, figures.chosen(everything, asked), asked)
    # As it stood at the end of the last quarter: from day to day one would see each single step.
    asked = Asked(before=funnel.begin_of(*funnel.quarter(working_days.here(context.now))))
    assert asked.before is not None  # noqa: S101 - set a line above
    found = funnel.until(figures.ways(session, None, public=True), asked.before)
    return _Read(Context(ANONYMOUS, context.now), False, None, found, found, asked)


def _page(session: Session, read: _Read) -> Response:
    context, exact, places, asked = read.context, read.exact, read.places, read.asked
    everything, found = read.everything, read.found
    all_flows = funnel.flows(found, (lambda place: place.code) if exact else funnel.region_code)
    flows = all_flows if exact else funnel.told_flows(all_flows)
    missing = gaps.gaps(session, context, places, field=asked.field)
    by_region, by_house = gaps.shares(session, context, field=asked.field, kind=asked.kind)
    actor = identity.context().actor
    return replies.page(
        "brokering/figures.html",
        exact=exact,
        may_be_exact=actor.is_operator or actor.is_administrator,
        may_commission=actor.is_operator,
        own_places=[place for code in places or () if (place := regions.place_of_code(code))],
        until=asked.before - timedelta(days=1) if asked.before and not exact else None,
        asked=asked,
        given=request.args,
        listing_lines=figure_words.listing_lines(listing_figures.reached(session, context, asked, places), exact),
        lines=figure_words.interest_lines(found, exact),
        bar_row=figure_words.ROW,
        bar_width=figure_words.BAR,
        tables=figure_words.tables(found, listing_figures.matches(session, context, asked, places), exact),
        flows=flows,
        hidden_flows=len(all_flows) > len(flows),
        name_of=figure_words.name_of,
        file_address=_file_address,
        Veil=Veil,
        count=lambda number: figure_words.told(number, exact),
        illustrative=is_demo(session),
        looked=surveyed.looked_over(session, context),
        missing=missing,
        gaps=figure_words.told_gaps(missing.by_field[:MOST_GAPS], exact),
        unneeded=[(code, figure_words.told(count, exact)) for code, count in missing.results_by_field[:MOST_GAPS]],
        shares=_told_shares(by_region, exact),
        houses=[(_house(session, share), share) for share in _told_shares(by_house, exact)],
        said=verdict_figures(session),
        least=funnel.LEAST,
        periods=figure_words.periods(everything) if exact else (),
        ends=figure_words.ends(everything) if exact else (),
        fields=sorted({code for way in everything for code in way.fields}) if exact else (),
        kinds=sorted({code for way in everything for code in way.kinds}) if exact else (),
        **figure_words.flow_map(flows),
    )


def _file_address(suffix: str) -> str:
    names = ("period", "since", "until", "origin", "application", "field", "kind", "as")
    said = {name: value for name in names if (value := request.args.get(name, ""))}
    return url_for("figures.file", suffix=suffix, **said)  # type: ignore[arg-type]


def _told_shares(rows: Sequence[gaps.Share], exact: bool) -> list[gaps.Share]:
    """Those with enough results to be told."""
    return [row for row in rows if exact or row.results >= funnel.LEAST][:MOST_SHARES]


def _house(session: Session, share: gaps.Share) -> str:
    found = organisations.organisations(session, {int(share.key)}).get(int(share.key))
    return found.name_in(page_language()) if found else ""


def asked_of(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for; what nobody understands asks for nothing. Single days win over a period."""
    since, before = _period(arguments.get("period", ""))
    first, last = day_of(arguments.get("since", "")), day_of(arguments.get("until", ""))
    if first or last:
        since, before = first, last + timedelta(days=1) if last and last < date.max else None
    ends = {name: _end(arguments.get(name, "")) for name in ("origin", "application")}
    field, kind = arguments.get("field", ""), arguments.get("kind", "")
    return Asked(
        since, before, **ends, field=field if field in FIELDS else "", kind=kind if kind in ORGANISATION_KINDS else ""
    )


def _period(text: str) -> tuple[date | None, date | None]:
    year, _, number = text.partition("-")
    if not (year.isascii() and year.isdigit() and len(year) == 4 and "1000" < year < "9999"):
        return None, None
    if number in ("1", "2", "3", "4"):
        return funnel.begin_of(int(year), int(number)), funnel.begin_of(int(year), int(number) + 1)
    return date(int(year), 1, 1), date(int(year) + 1, 1, 1)


def day_of(text: str) -> date | None:
    """A day as a form sends it; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _end(code: str) -> str:
    return code if code in regions.regions() or regions.place_of_code(code) == Place(code) else ""
