"""What it is worth to act: the observed share of deals at a stage that end in a contract, times the middle of the band.

Shares are of closed deals only: an open one may still go either way. Few observations are pulled towards the share of
all closed deals, and that one towards one in two while there are hardly any (a rule of succession).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering.deal_tables import Deal, DealStep
from techex.brokering.pipeline import OPEN, Stage
from techex.brokering.rules import State
from techex.brokering.tables import Interest

# The middle of each band of pipeline.VALUE_BANDS in millions of dong; of the open one, half as much again as its edge.
# Bands in other currencies are cut at about the same worth, so they count as these.
MIDDLES: Mapping[str, int] = {"a": 100, "b": 600, "c": 3_000, "d": 12_500, "e": 30_000}
EDGES_DONG = (200_000_000, 1_000_000_000, 5_000_000_000, 20_000_000_000)
EDGES_OTHER = (10_000, 50_000, 250_000, 1_000_000)
LIKE_THE_EURO = frozenset({"USD", "EUR", "GBP", "CHF", "AUD", "CAD", "SGD"})
# So many closed deals at a stage weigh as much as the share of all: with fewer, one contract more or less would move an
# item by half the desk.
WEIGHT = 10
ASKED = "asked"  # before a deal: an expression of interest


@dataclass(frozen=True)
class Course:
    """How something went that is over: what it passed, and whether a contract came of it."""

    passed: frozenset[str]
    signed: bool


@dataclass(frozen=True)
class Share:
    """Of so many that passed a stage and are over, so many ended in a contract; `value` is that share, shrunk."""

    passed: int
    signed: int
    value: float


@dataclass(frozen=True)
class Worth:
    """The expected value of an item in millions of dong, and what it was formed of."""

    share: Share
    band: str
    usual_band: bool  # nothing is known of its own value: the middle one of the exchange's contracts

    @property
    def millions(self) -> float:
        """Share times middle."""
        return self.share.value * MIDDLES[self.band]


@dataclass(frozen=True)
class Chances:
    """Shares by stage, and the band that contracts of this exchange usually have; "" where there is none yet."""

    shares: Mapping[str, Share] = field(default_factory=dict)
    usual: str = ""
    closed: int = 0

    def of(self, stage: str, band: str) -> Worth | None:
        """What something at this stage is worth; None where nothing is known of any value."""
        share = self.shares.get(stage)
        known = band or self.usual
        return Worth(share, known, not band) if share and known in MIDDLES else None


def shares(courses: Iterable[Course]) -> dict[str, Share]:
    """The share of each stage, shrunk."""
    found = list(courses)
    signed = sum(course.signed for course in found)
    over_all = (signed + 1) / (len(found) + 2)
    shares = {}
    for stage in (ASKED, *(stage.value for stage in OPEN)):
        at = [course for course in found if stage in course.passed]
        won = sum(course.signed for course in at)
        shares[stage] = Share(len(at), won, (won + WEIGHT * over_all) / (len(at) + WEIGHT))
    # A contract that is signed is there; what is left of it to do is worth all of it.
    return shares | {stage.value: Share(0, 0, 1.0) for stage in (Stage.SIGNED, Stage.REGISTERED, Stage.IMPLEMENTED)}


def band_of(amount: float | None, currency: str | None) -> str:
    """The band of an amount; "" where it is not known or its currency is not one whose bands are known."""
    if not amount or amount <= 0 or (currency != "VND" and currency not in LIKE_THE_EURO):
        return ""
    edges: Sequence[int] = EDGES_DONG if currency == "VND" else EDGES_OTHER
    return "abcde"[sum(amount > edge for edge in edges)]


class Valued(Protocol):
    """What states a budget or a price: a listing, or so much of one."""

    @property
    def budget_min(self) -> float | None: ...
    @property
    def budget_max(self) -> float | None: ...
    @property
    def price(self) -> float | None: ...
    @property
    def currency(self) -> str | None: ...


def band_of_listing(*listings: Valued | None) -> str:
    """The band of the first budget or price that one of these states."""
    for listing in listings:
        if listing is None:
            continue
        bounds = [bound for bound in (listing.budget_min, listing.budget_max) if bound]
        amount = sum(bounds) / len(bounds) if bounds else listing.price
        if band := band_of(amount, listing.currency):
            return band
    return ""


def band_of_deal(deal: Deal) -> str:
    """The band that was written down, else that of a budget or a price."""
    if deal.contract:
        return str(deal.contract.get("value_band", ""))
    return band_of_listing(deal.interest.listing, deal.interest.own_listing)


def chances(session: Session) -> Chances:
    """What the exchange has seen so far."""
    passed: dict[int, set[str]] = {}
    for deal_id, stage in session.execute(select(DealStep.deal_id, DealStep.stage).distinct()):
        passed.setdefault(deal_id, set()).add(stage)
    courses, bands = [], []
    ended = {State.DECLINED.value, State.WITHDRAWN.value, State.LAPSED.value}
    query = select(Interest.state, Deal.id, Deal.stage, Deal.signed_at, Deal.contract)
    for state, deal_id, stage, signed_at, contract in session.execute(
        query.select_from(Interest).outerjoin(Deal, Deal.interest_id == Interest.id)
    ):
        if signed_at is not None and contract:
            bands.append(str(contract.get("value_band", "")))
        if signed_at is not None or stage == Stage.LOST:
            courses.append(Course(frozenset({ASKED, *passed.get(deal_id, ())}), signed_at is not None))
        elif deal_id is None and state in ended:
            courses.append(Course(frozenset({ASKED}), signed=False))
    known = sorted(band for band in bands if band in MIDDLES)
    return Chances(shares(courses), median_low(known) if known else "", len(courses))
