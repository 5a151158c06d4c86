"""The whole exchange looked over: what is nearest to each need, which listings nothing suits, how often each is shown.

Comparing everything with everything takes minutes where there is much, so it is done beside the pages and kept. It is
done once for each scope: what everybody may read, and what operators may read; nobody's figures know more than they do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.context import ANONYMOUS, COMMAND_LINE, Context
from techex.core.database import Database
from techex.listings import queries
from techex.listings.rules import Kind, visible_classes
from techex.listings.tables import Listing
from techex.matching import versions
from techex.matching.batch import Found, Need, best_of_many
from techex.matching.learned import NOTHING, Learned, from_dict
from techex.matching.results import index_filters
from techex.matching.rules import NO_FILTERS
from techex.matching.service import stored_query
from techex.matching.strength import EXPLORE, REVIEW, falling, strength
from techex.matching.survey_tables import Survey, SurveyedAlike, SurveyedListing, SurveyedPair
from techex.matching.surveyed import ALL, PUBLIC
from techex.regions import working_days
from techex.search.collection import Collection
from techex.search.dense import FloatArray
from techex.search.service import SearchIndex
from techex.settings import Settings

FIRST = 10  # of a need's results: what a reader looks at, and as many as are kept
AT_ONCE = 500  # needs written in one transaction, so that nobody waits long for the lock
REST = 20  # times as long as the last look took, nothing is looked over again
# Needs of one group lie this many spreads above any two needs, as one pair of twenty does. Of the demo's 30 needs
# without a close result it joins drying with drying and wastewater with sludge; at 1.3 welding stands with rice.
ALIKE = 1.6
MOST_ALIKE = 20  # of one need
MOST_SAMPLED = 2_000  # needs from which the usual likeness is taken

_READERS = {PUBLIC: ANONYMOUS, ALL: COMMAND_LINE}


@dataclass
class Seen:
    """What one look found, before it is written down."""

    pairs: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)  # need -> (result, place, strength)
    best: Counter[int] = field(default_factory=Counter)
    suitable: Counter[int] = field(default_factory=Counter)
    shown: Counter[int] = field(default_factory=Counter)
    listings: set[int] = field(default_factory=set)
    alike: list[tuple[int, int, float]] = field(default_factory=list)
    without_vectors: int = 0

    def take(self, need_id: int, ranked: Iterable[tuple[int, int]]) -> None:
        """Count a need's results, the strongest first: (result, strength)."""
        self.pairs[need_id] = []
        for place, (offer_id, value) in enumerate(ranked, start=1):
            if place <= FIRST:
                self.pairs[need_id].append((offer_id, place, value))
            for listing_id in (need_id, offer_id):
                self.best[listing_id] = max(self.best[listing_id], value)
            if value >= EXPLORE:
                self.suitable.update((need_id, offer_id))
                self.shown[offer_id] += place <= FIRST


def look_over(settings: Settings, database: Database, context: Context, *, at_once: bool = False) -> str | None:
    """The timed job: look over each scope that has changed since; `at_once` without the rest after the last look."""
    collection: Collection | None = None
    said = []
    for scope in _READERS:
        with database.reading() as session:
            last, known = changes.last(session), session.get(Survey, scope)
            if known is not None:
                # Vectors arrive after the change that asks for them, so a look that lacked some is no last word.
                fresh = known.change == last and not known.without_vectors
                resting = context.now - known.made_at < timedelta(seconds=REST * known.seconds)
                if fresh or (resting and not at_once):
                    continue
        if collection is None:
            index = SearchIndex(settings, database)
            collection = index.collection()
            with database.reading() as session:
                row = versions.active(session, index.card.key)
                learned = from_dict(row.content) if row else NOTHING
        began = time.monotonic()
        reader = Context(_READERS[scope], context.now)
        with database.reading() as session:
            seen = look(session, reader, collection, learned, settings.threads)
        keep(database, context, scope, seen, last, time.monotonic() - began)
        said.append(f"{scope}: {len(seen.pairs)} needs")
    return ", ".join(said) or None


def look(session: Session, reader: Context, collection: Collection, learned: Learned, workers: int = 1) -> Seen:
    """Compare all needs with all results that this reader may see."""
    seen = Seen()
    owners: dict[int, int] = {}
    shown = select(Listing.id, Listing.organisation_id, queries.owner_known(reader)).where(*queries.shown(reader))
    for listing_id, owner, known in session.execute(shown):
        seen.listings.add(listing_id)
        if known:
            owners[listing_id] = owner
    rows = queries.newest(session, reader, Kind.NEED, queries.EVERY)
    needs = [Need(row.id, stored_query(collection, row), index_filters(NO_FILTERS, row.place, row)) for row in rows]
    ready = [need for need in needs if need.query.whole is not None]
    seen.without_vectors = len(needs) - len(ready)
    partitions = collection.view(visible_classes(reader.actor), Kind.OFFER)
    for found in best_of_many(partitions, ready, learned, workers, working_days.here(reader.now)):
        seen.take(found.need.id, _strengths(found, learned, owners, seen.listings))
    vectors = {need.id: need.query.whole for need in ready if need.query.whole is not None}
    seen.alike = alike(vectors, {need for need in vectors if seen.best[need] < REVIEW})
    return seen


def alike(vectors: Mapping[int, FloatArray], among: Iterable[int]) -> list[tuple[int, int, float]]:
    """Pairs of these needs that are ALIKE: (smaller number, larger number, likeness in spreads above any two needs)."""
    chosen = sorted(among)
    if len(chosen) < 2 or len(vectors) < 3:
        return []
    some = np.array([vectors[need] for need in sorted(vectors)[:: max(1, len(vectors) // MOST_SAMPLED)]])
    usual = (some @ some.T)[np.triu_indices(len(some), 1)]
    mean, spread = float(usual.mean()), max(float(usual.std()), 1e-6)
    table = np.array([vectors[need] for need in chosen])
    found: dict[tuple[int, int], float] = {}
    for row, need in enumerate(chosen):
        values = (table @ table[row] - mean) / spread
        values[row] = -np.inf
        for place in np.argsort(-values)[:MOST_ALIKE].tolist():
            if values[place] >= ALIKE:
                other = chosen[place]
                found[min(need, other), max(need, other)] = float(values[place])
    return [(*pair, likeness) for pair, likeness in sorted(found.items())]


def _strengths(found: Found, learned: Learned, owners: dict[int, int], there: set[int]) -> Iterable[tuple[int, int]]:
    ranked = found.ranking
    values = learned.strength(falling(strength(ranked.plain, found.need.query.words)))
    own = owners.get(found.need.id, -1)
    for offer_id, value in zip(ranked.ids.tolist(), values.tolist(), strict=True):
        if offer_id in there and owners.get(offer_id) != own:
            yield offer_id, round(value)


def keep(database: Database, context: Context, scope: str, seen: Seen, change: int, seconds: float) -> None:
    """Write a look down, some needs at a time; readers meanwhile see some of the old one and some of the new."""
    needs = sorted(seen.pairs)
    for first in range(0, len(needs), AT_ONCE):
        several = needs[first : first + AT_ONCE]
        with database.transaction() as session:
            there = _there(session, {offer for need in several for offer, *_ in seen.pairs[need]} | set(several))
            session.execute(delete(SurveyedPair).where(SurveyedPair.scope == scope, SurveyedPair.need_id.in_(several)))
            rows = [
                {"scope": scope, "need_id": need, "offer_id": offer, "place": place, "strength": value}
                for need in several
                for offer, place, value in seen.pairs[need]
                if {need, offer} <= there
            ]
            if rows:
                session.execute(insert(SurveyedPair), rows)
    with database.transaction() as session:
        old = set(session.scalars(select(SurveyedPair.need_id).where(SurveyedPair.scope == scope).distinct()))
        for first in range(0, len(gone := sorted(old - set(needs))), AT_ONCE):
            several = gone[first : first + AT_ONCE]
            session.execute(delete(SurveyedPair).where(SurveyedPair.scope == scope, SurveyedPair.need_id.in_(several)))
        session.execute(delete(SurveyedListing).where(SurveyedListing.scope == scope))
        there = _there(session, seen.listings)
        rows = [
            {"scope": scope, "listing_id": one, "best": seen.best[one]}
            | {"suitable": seen.suitable[one], "shown": seen.shown[one]}
            for one in sorted(there)
        ]
        if rows:
            session.execute(insert(SurveyedListing), rows)
        session.execute(delete(SurveyedAlike).where(SurveyedAlike.scope == scope))
        rows = [
            {"scope": scope, "need_id": one, "other_id": other, "likeness": likeness}
            for one, other, likeness in seen.alike
            if {one, other} <= there
        ]
        if rows:
            session.execute(insert(SurveyedAlike), rows)
        made = {"made_at": context.now, "seconds": seconds, "without_vectors": seen.without_vectors}
        session.merge(Survey(scope=scope, change=change, **made))


def _there(session: Session, ids: set[int]) -> set[int]:
    """Those that have not been deleted meanwhile."""
    found: set[int] = set()
    every = sorted(ids)
    for first in range(0, len(every), AT_ONCE):
        found.update(session.scalars(select(Listing.id).where(Listing.id.in_(every[first : first + AT_ONCE]))))
    return found
