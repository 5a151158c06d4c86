"""Where the matches of a province, a region or a country lie: counts between it and the places elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.context import Context
from techex.listings import queries as listings
from techex.listings.rules import Kind, visible_classes
from techex.listings.tables import Listing
from techex.matching.rules import Band
from techex.regions.rules import Place

# The newest of each kind that a page looks at, and the matches of each: enough to see the pattern, few enough for one
# page (a listing takes about 14 ms of one core). The page says so where a place has more.
MOST_LISTINGS = 25
MOST_MATCHES = 5
FRESH_SECONDS = 600  # vectors arrive a moment after the change that asks for them; so long may one be missing here
MOST_REMEMBERED = 200  # territories: more than all provinces, regions and the usual countries


class Outlines(Protocol):
    """What this needs of matching: pairs without reasons."""

    def outline(
        self, session: Session, context: Context, listings: Sequence[Listing], most: int = 5
    ) -> list[tuple[int, int, int, Band]]:
        """(listing, its match, strength, band) for the best matches worth showing; empty where the model is missing."""


@dataclass
class Flow:
    """Matches between here and one place elsewhere."""

    place: Place
    incoming: int = 0  # results there that fit needs here
    outgoing: int = 0  # needs there that results here fit
    best: int = 0  # strength of the strongest

    @property
    def all(self) -> int:
        """Both directions together."""
        return self.incoming + self.outgoing


@dataclass(frozen=True)
class Flows:
    """All of them, the most first; `within` counts matches that stay here, `looked_at` the listings compared."""

    elsewhere: Sequence[Flow]
    within: int
    looked_at: int


def flows(session: Session, context: Context, matcher: Outlines, territory: Sequence[Place]) -> Flows:
    """Where the matches of the newest listings of some places lie; every pair counts once."""
    here = [
        listing for kind in Kind for listing in listings.newest_in(session, context, kind, territory, MOST_LISTINGS)
    ]
    pairs = matcher.outline(session, context, here, MOST_MATCHES)
    places = listings.places_of(session, context, {other for _, other, _, _ in pairs})
    kinds = {listing.id: listing.kind for listing in here}
    inside = {listing.id: listing.place for listing in here}
    found: dict[Place, Flow] = {}
    within: set[tuple[int, int]] = set()
    for own, other, strength, _ in pairs:
        if other not in places:
            continue
        there = places[other]
        if other in inside or _holds(territory, there):
            within.add((min(own, other), max(own, other)))
            continue
        flow = found.setdefault(there, Flow(there))
        flow.best = max(flow.best, strength)
        if kinds[own] == Kind.NEED:
            flow.incoming += 1
        else:
            flow.outgoing += 1
    by_size = sorted(
        found.values(), key=lambda flow: (-flow.all, -flow.best, flow.place.country, flow.place.province or "")
    )
    return Flows(by_size, len(within), len(here))


def _holds(territory: Sequence[Place], place: Place) -> bool:
    return any(part.country == place.country and part.province in (None, place.province) for part in territory)


class Remembered:
    """Flows that were counted before: until anything changes in the exchange, and for FRESH_SECONDS at most."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Flows] = {}
        self._writing = Lock()

    def flows(self, session: Session, context: Context, matcher: Outlines, territory: Sequence[Place]) -> Flows:
        """As `flows`; the same for everybody who may see the same classes of listings."""
        moment = int(context.now.timestamp() // FRESH_SECONDS)
        key = (tuple(territory), visible_classes(context.actor), changes.last(session), moment)
        if (known := self._found.get(key)) is None:
            known = flows(session, context, matcher, territory)
            with self._writing:
                while len(self._found) >= MOST_REMEMBERED:
                    self._found.pop(next(iter(self._found)))
                self._found[key] = known
        return known
