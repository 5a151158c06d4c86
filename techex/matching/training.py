"""From the verdicts of an exchange to a candidate: needs are ranked anew as they are listed now, and learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.database import Database
from techex.core.vocabulary import N_
from techex.errors import NotFound, Sentence
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility, visible_classes
from techex.listings.tables import Listing
from techex.matching import learning, ranking, verdicts, versions
from techex.matching.learned import NOTHING, Learned, from_dict
from techex.matching.learning import Candidate, Case
from techex.matching.service import stored_query
from techex.matching.strength import falling, strength
from techex.matching.verdicts import Shown
from techex.search.collection import Collection
from techex.search.service import SearchIndex
from techex.settings import Settings

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Training:
    """What came of it: the candidate, from how much, and the number it is kept under (None where nothing holds)."""

    candidate: Candidate
    verdicts: int
    pairs: int
    needs: int
    kept_as: int | None


def train(settings: Settings, database: Database, context: Context, progress: Progress | None = None) -> Training:
    """Learn from all verdicts that teach and keep what holds as a new version; nothing is applied."""
    index = SearchIndex(settings, database)
    collection = index.collection()
    with database.reading() as session:
        cases = cases_of(session, collection)
        given = verdicts.counts(session).teaching
    candidate = learning.learn(cases, given, progress)
    pairs = sum(len(case.grades) for case in cases)
    kept_as = None
    if not candidate.learned.is_nothing:
        with database.transaction() as session:
            row = versions.keep(session, context, index.card.key, candidate, verdicts=given, pairs=pairs)
            kept_as = row.id
    return Training(candidate, given, pairs, len(cases), kept_as)


def cases_of(session: Session, collection: Collection) -> list[Case]:
    """The needs with verdicts that teach and with vectors, by id, before the offers that everybody may see."""
    partitions = collection.view({Visibility.PUBLIC}, Kind.OFFER)
    cases = []
    for need_id, grades in sorted(verdicts.grades(session).items()):
        need = session.get(Listing, need_id)
        query = stored_query(collection, need) if need is not None else None
        if query is not None and query.whole is not None:
            cases.append(Case(query, partitions, grades))
    return cases


def shown(settings: Settings, database: Database, context: Context, need_id: int, offer_id: int) -> Shown:
    """The numbers with which an offer stands in the list of a need now, as they are kept with a verdict.

    Raises NotFound if the actor may not see one of them, or the offer is not among the candidates.
    """
    index = SearchIndex(settings, database)
    collection = index.collection()
    with database.reading() as session:
        need = listings.get_visible(session, context, need_id, Kind.NEED)
        offer = listings.get_visible(session, context, offer_id, Kind.OFFER)
        row = versions.active(session, index.card.key)
        learned = from_dict(row.content) if row else NOTHING
        return shown_in(collection, learned, context, need, offer)


def shown_in(collection: Collection, learned: Learned, context: Context, need: Listing, offer: Listing) -> Shown:
    """`shown`, of a collection and lessons that are there."""
    query = stored_query(collection, need)
    ranked = ranking.rank(collection.view(visible_classes(context.actor), Kind.OFFER), query, learned=learned)
    places = np.flatnonzero(ranked.ids == offer.id)
    if not len(places):
        raise NotFound(
            Sentence(
                N_("Result %(offer)s is not among the candidates for need %(need)s; there is nothing to judge."),
                offer=offer.id,
                need=need.id,
            )
        )
    place = int(places[0])
    raw = falling(strength(ranked.plain, query.words))
    return Shown(
        score=float(ranked.scores[place]),
        parts={part: float(values[place]) for part, values in ranked.parts.items()},
        raw_strength=float(raw[place]),
        strength=float(learned.strength(raw)[place]),
        rank=place + 1,
        versions=_versions(collection, learned),
    )


def _versions(collection: Collection, learned: Learned) -> dict[str, str]:
    return {"card": collection.card_key, "centring": collection.centring.version, "learned": learned.version}
