"""The best pairs across regions that nobody has touched yet: not asked about, not proposed, not sent, not refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering import expected
from techex.brokering.batch_tables import Batch, BatchLine
from techex.brokering.expected import Worth
from techex.brokering.tables import Interest
from techex.core.context import Actor, Context
from techex.listings import queries
from techex.listings.tables import Listing
from techex.matching.best_pairs import Pair
from techex.matching.pair_sorts import Placed
from techex.matching.table import Row, Table
from techex.matching.tables import PairVerdict

_AT_ONCE = 500  # ids in one statement: below the number of parameters every database takes

PROVED = 6  # with evidence beside them: each takes a tenth of a second the first time


@dataclass(frozen=True)
class Proof:
    """The shortest evidence: how many requirements are met, contradicted and open, and the met one that is cited."""

    met: int
    against: int
    open: int
    cited: Row | None
    need_language: str


@dataclass(frozen=True)
class Touched:
    """What has been touched: pairs of listings, and (listing, organisation) where one asked without a listing."""

    pairs: frozenset[frozenset[int]]
    asked: frozenset[tuple[int, int]]

    def holds(self, pair: Pair) -> bool:
        """True when somebody has done something about this pair."""
        sides = ((pair.need, pair.offer), (pair.offer, pair.need))
        asked = any((one.id, other.organisation_id) in self.asked for one, other in sides)
        return asked or frozenset((pair.need.id, pair.offer.id)) in self.pairs


def touched(session: Session) -> Touched:
    """All of it, whoever did it."""
    pairs: set[frozenset[int]] = set()
    asked: set[tuple[int, int]] = set()
    for listing, own, sender in session.execute(
        select(Interest.listing_id, Interest.own_listing_id, Interest.sender_id)
    ):
        asked.add((listing, sender))
        if own is not None:
            pairs.add(frozenset((listing, own)))
    refused = select(PairVerdict.need_id, PairVerdict.offer_id)
    refused = refused.where(PairVerdict.judgement == "no", PairVerdict.replaced_at.is_(None))
    pairs |= {frozenset(row) for row in session.execute(refused)}
    sent = select(Batch.listing_id, BatchLine.listing_id).join(BatchLine, BatchLine.batch_id == Batch.id)
    pairs |= {frozenset(row) for row in session.execute(sent)}
    return Touched(frozenset(pairs), frozenset(asked))


def untouched(actor: Actor, pairs: Iterable[Pair], known: Touched) -> list[Pair]:
    """Those with a side in one of the actor's places that nobody has touched, in the order given."""
    found = []
    for pair in pairs:
        codes = {code for head in (pair.need, pair.offer) for code in (head.place.code, head.place.country)}
        if any(actor.operates_in(code) for code in codes) and not known.holds(pair):
            found.append(pair)
    return found


@dataclass(frozen=True)
class Line(Placed):
    """A pair as the desk lists it: with what it is expected to be worth, as something somebody has asked about."""

    worth: Worth | None


def lines(session: Session, context: Context, pairs: Iterable[Pair]) -> list[Line]:
    """Pairs with their places in the order given and their expected values."""
    found = list(pairs)
    stated = _stated(session, context, sorted({head.id for pair in found for head in (pair.need, pair.offer)}))
    chances = expected.chances(session)

    def worth(pair: Pair) -> Worth | None:
        band = expected.band_of_listing(stated.get(pair.need.id), stated.get(pair.offer.id))
        return chances.of(expected.ASKED, band)

    return [Line(place, pair, worth(pair)) for place, pair in enumerate(found)]


def _stated(session: Session, context: Context, ids: Sequence[int]) -> dict[int, Any]:
    """Budgets and prices of listings, which every operator may read of what operators see."""
    columns = (Listing.id, Listing.budget_min, Listing.budget_max, Listing.price, Listing.currency)
    found: dict[int, Any] = {}
    for first in range(0, len(ids), _AT_ONCE):
        query = select(*columns).where(*queries.shown_of(context, ids[first : first + _AT_ONCE]))
        found |= {row.id: row for row in session.execute(query)}
    return found


def proof(table: Table | None) -> Proof | None:
    """What a desk shows of the evidence; None where there is none."""
    if table is None or not table.rows:
        return None
    cited = [row for row in table.rows if row.cited is not None]
    best = next((row for row in cited if row.verdict == "met"), cited[0] if cited else None)
    counts = table.count("met"), table.count("contradicts"), table.count("not_stated")
    return Proof(*counts, best, table.need_language)
