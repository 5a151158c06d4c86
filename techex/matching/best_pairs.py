"""The best pairs of needs and results between two territories, or of the whole exchange: what operators go through.

A technology goes from where a result comes from (`origin`) to where it is needed (`application`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.listings import queries
from techex.listings.queries import Head
from techex.listings.rules import Kind, visible_classes
from techex.matching.batch import Found, Need, best_of_many
from techex.matching.learned import Learned
from techex.matching.results import index_filters
from techex.matching.rules import NO_FILTERS, Band, Filters
from techex.matching.service import stored_query
from techex.matching.strength import EXPLORE, band, falling, strength
from techex.regions import service as regions
from techex.regions import working_days
from techex.regions.rules import HOME_COUNTRY, Place
from techex.search.collection import Collection

TOP = 3  # results a need: more of them rarely belong to the best of a region
HYDRATED = 200  # needs whose pairs are read from the database together

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Territory:
    """A province, a country or a region; everywhere without any places."""

    code: str = ""
    places: tuple[Place, ...] = ()
    filters: Filters = NO_FILTERS

    def name(self, language: str) -> str:
        """What to call it on a page; empty for everywhere."""
        if self.code in regions.regions():
            return regions.region_name(self.code, language)
        return regions.place_name(self.places[0], language) if self.places else ""


EVERYWHERE = Territory()


@dataclass(frozen=True)
class Asked:
    """What pairs are sought. `both` adds those in the other direction; `across` leaves out pairs within one region."""

    origin: Territory = EVERYWHERE
    application: Territory = EVERYWHERE
    both: bool = False
    across: bool = False
    top: int = TOP
    least: int = EXPLORE  # strength
    most_needs: int | None = None  # the newest so many

    @property
    def directions(self) -> Sequence[tuple[Territory, Territory]]:
        """(origin, application), once or both ways."""
        one = (self.origin, self.application)
        return (one, one[::-1]) if self.both and one[0] != one[1] else (one,)


@dataclass(frozen=True)
class Pair:
    """A need and a result that fit, by strength and by what they are called."""

    need: Head
    offer: Head
    strength: int
    band: Band
    score: float
    distance_km: float | None

    def row(self, base_url: str = "") -> dict[str, Any]:
        """For CSV and JSON."""
        sides = {"need": self.need, "result": self.offer}
        found: dict[str, Any] = {"strength": self.strength, "band": self.band}
        for side, head in sides.items():
            found |= {
                f"{side}_id": head.id,
                f"{side}_title": head.title,
                f"{side}_language": head.language,
                f"{side}_organisation": head.organisation,
                f"{side}_place": head.place.code,
            }
        found["distance_km"] = None if self.distance_km is None else round(self.distance_km)
        found["url"] = f"{base_url.rstrip('/')}/pairs/{self.need.id}/{self.offer.id}"
        return found


SIDES = ("need", "result")
COLUMNS = (
    *("strength", "band"),
    *(f"{side}_{what}" for side in SIDES for what in ("id", "title", "language", "organisation", "place")),
    *("distance_km", "url"),
)


@dataclass
class Count:
    """What a run went through, filled while it runs."""

    needs: int = 0
    without_vectors: int = 0
    pairs: int = 0
    more_needs: bool = field(default=False)  # there are more than `Asked.most_needs`


def territory(name: str) -> Territory:
    """The territory of this name or code; raises BadInput for one that nobody calls so."""
    if not name.strip():
        return EVERYWHERE
    place = regions.place_of_code(name) or regions.find_place(name)
    if code := regions.find_region(name):
        within = tuple(Place(HOME_COUNTRY, province) for province in regions.regions()[code].provinces)
        return Territory(code, within, Filters(regions=(code,)))
    if place is None:
        known = ", ".join(regions.regions())
        raise BadInput(
            Sentence(
                N_(
                    "“%(name)s” is no place known here. Expected a province (VN-33), a country (NL), "
                    "or one of %(known)s."
                ),
                name=name,
                known=known,
            )
        )
    chosen = Filters(provinces=(place.province,)) if place.province else Filters(countries=(place.country,))
    return Territory(place.code, (place,), chosen)


def best_pairs(
    session: Session,
    context: Context,
    collection: Collection,
    learned: Learned,
    asked: Asked,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    count: Count | None = None,
) -> Iterator[Pair]:
    """The pairs, need by need as they are found; a need's best first. Only what the asker may see is compared."""
    count = count if count is not None else Count()
    partitions = collection.view(visible_classes(context.actor), Kind.OFFER)
    given: set[tuple[int, int]] = set()
    for origin, application in asked.directions:
        needs = _needs(session, context, collection, replace(asked, origin=origin, application=application), count)
        found = best_of_many(partitions, needs, learned, workers, working_days.here(context.now))
        total = len(needs) * len(asked.directions)
        while several := list(islice(found, HYDRATED)):
            for pair in _hydrated(session, context, asked, learned, several):
                if (key := (pair.need.id, pair.offer.id)) not in given:
                    given.add(key)
                    count.pairs += 1
                    yield pair
            count.needs += len(several)
            if progress:
                progress(min(count.needs, total), total)


def _needs(session: Session, context: Context, collection: Collection, asked: Asked, count: Count) -> list[Need]:
    limit = queries.EVERY if asked.most_needs is None else asked.most_needs + 1
    if asked.application.places:
        rows = queries.newest_in(session, context, Kind.NEED, asked.application.places, limit)
    else:
        rows = queries.newest(session, context, Kind.NEED, limit)
    if asked.most_needs is not None and len(rows) > asked.most_needs:
        rows, count.more_needs = rows[: asked.most_needs], True
    wanted = replace(asked.origin.filters, elsewhere=asked.across)
    needs = [Need(row.id, stored_query(collection, row), index_filters(wanted, row.place, row)) for row in rows]
    ready = [need for need in needs if need.query.whole is not None]
    count.without_vectors += len(needs) - len(ready)
    return ready


def _hydrated(
    session: Session, context: Context, asked: Asked, learned: Learned, several: Sequence[Found]
) -> Iterator[Pair]:
    """The pairs of some needs that are strong enough, as far as the database lets the asker see them now."""
    strong: list[tuple[int, int, float, float]] = []
    for found in several:
        ranking = found.ranking
        strengths = learned.strength(falling(strength(ranking.plain, found.need.query.words)))[: asked.top]
        rows = zip(ranking.ids.tolist(), strengths.tolist(), ranking.scores.tolist(), strict=False)
        strong += [(found.need.id, offer, value, score) for offer, value, score in rows if round(value) >= asked.least]
    heads = queries.heads_of(session, context, np.unique([row[:2] for row in strong]).tolist() if strong else [])
    for need_id, offer_id, value, score in strong:
        need, offer = heads.get(need_id), heads.get(offer_id)
        if need is None or offer is None or (need.organisation_id or -1) == offer.organisation_id:
            continue
        distance = regions.distance_between(need.place, offer.place)
        yield Pair(need, offer, round(value), band(value), score, distance)
