"""How soon a new listing is found, and how long its own matches take, in a grown exchange; part of `techex bench`.

The whole way is measured: a transaction that posts, the change log, the model, the index of a running process, and a
page of matches. Rows of the grown listings, with texts, passages and vectors, stand in a database of their own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import numpy as np
from sqlalchemy import insert

from techex.core import changes
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.embedding import centring
from techex.embedding.cards import ModelCard, load_card
from techex.embedding.passages import Passage, passages_of
from techex.embedding.tables import EmbeddingVector, PassageRow
from techex.interchange.demo import DemoListing, demo_exchange
from techex.listings import service as listings
from techex.listings.rules import BODY_FIELDS, Kind, State, Visibility
from techex.listings.tables import Listing
from techex.matching.service import Matcher
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation
from techex.search.bench import PASSAGES_EACH
from techex.search.collection import Centring, Collection
from techex.search.service import SearchIndex
from techex.search.tables import CentringRow, EmbeddingProgress, ListingFigures
from techex.settings import Settings

OFFERS = (Visibility.PUBLIC, Kind.OFFER)
ROWS_AT_ONCE = 2_000
ROUNDS = 20
WARM_UP = 2
LONGEST_WAIT = 60.0  # seconds; what is not found by then is not found
PAUSE = 0.01  # seconds between two looks


@dataclass(frozen=True)
class FreshFigures:
    """From the end of the transaction that posts a need and a result: seconds until a search for its words finds the
    result, until both have their vectors in the index, and of the processor until then; and milliseconds of the first
    page of matches of the need, on the clock and of the processor. Each median and 95th percentile."""

    listings: int
    by_words: tuple[float, float]
    by_meaning: tuple[float, float]
    cpu_seconds: tuple[float, float]
    matches_ms: tuple[float, float]
    matches_cpu_ms: tuple[float, float]


class _Kept:
    """A collection as if a snapshot had kept it."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def load(self, centring: Centring) -> Collection:
        """The collection."""
        return self._collection

    def save(self, collection: Collection) -> Collection:
        """The collection as it is."""
        return collection


def measure(
    settings: Settings,
    database: Database,
    grown: Collection,
    report: Callable[[str], None] = lambda _: None,
    rounds: int = ROUNDS,
) -> FreshFigures:
    """Post needs and results, one pair after another, into an exchange whose rows `store` has written."""
    with database.reading() as session:
        kept = replace(grown, version=changes.last(session), card_key=load_card(settings.card).key)
        owner = session.get_one(Organisation, 1)
    report("posting new listings")
    matcher: list[Matcher] = []
    index = SearchIndex(settings, database, lambda: matcher[0].encoder(), _Kept(kept))
    matcher.append(Matcher(settings, database, index))
    matcher[0].warm()
    index.settle()
    demo = demo_exchange()
    needs, offers = demo.of_kind(Kind.NEED), demo.of_kind(Kind.OFFER)
    took = [
        _round(database, matcher[0], index, owner, needs[number % len(needs)], offers[number % len(offers)], number)
        for number in range(rounds + WARM_UP)
    ][WARM_UP:]
    index.settle()
    p50, p95 = np.percentile(np.array(took), [50, 95], axis=0).round(3).tolist()
    return FreshFigures(grown.listing_count, *zip(p50, p95, strict=True))


def _round(
    database: Database,
    matcher: Matcher,
    index: SearchIndex,
    owner: Organisation,
    need: DemoListing,
    offer: DemoListing,
    number: int,
) -> tuple[float, float, float, float, float]:
    """Seconds until found by words and by meaning, and of the processor; milliseconds of matches on the clock and of
    the processor."""
    context = command_line_context()
    mark = f"freshbench{number}"  # a word nobody else says
    ids = []
    with database.transaction() as session:
        for each in (need, offer):
            values = {**each.draft.values, "title": f"{each.draft.values['title']} {mark}"}
            draft = replace(each.draft, values=values, external_id=mark)
            listing = listings.post(session, context, session.get_one(Organisation, owner.id), draft)
            listings.publish(session, context, listing)
            ids.append(listing.id)
    posted, used = time.perf_counter(), time.process_time()

    def waited(found: Callable[[], bool]) -> float:
        while not found():
            if time.perf_counter() - posted > LONGEST_WAIT:
                raise TimeoutError(f"listing {ids[1]} was not found within {LONGEST_WAIT:.0f} seconds")
            time.sleep(PAUSE)
        return time.perf_counter() - posted

    def by_words() -> bool:
        found, _ = index.collection().partitions[OFFERS].keywords({mark: 1.0}).top(1)
        return bool(found.tolist() == [ids[1]])

    def by_meaning() -> bool:
        collection = index.collection()
        there = (collection.partitions[Visibility.PUBLIC, kind] for kind in (Kind.NEED, Kind.OFFER))
        return all(len(part.passages(np.array([one])).vectors) for part, one in zip(there, ids, strict=True))

    said, meant = waited(by_words), waited(by_meaning)
    used = time.process_time() - used
    index.settle()  # matches are timed by themselves
    with database.reading() as session:
        new = session.get_one(Listing, ids[0])
        began, worked = time.perf_counter(), time.thread_time()
        page = matcher.matches_for(session, context, new)
        answered = 1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - worked)
    assert page.matches  # noqa: S101 - there is something to rank
    return said, meant, used, *answered


def store(database: Database, grown: Collection, card: ModelCard) -> None:
    """Rows for the grown listings: the demo's results over and over, all public, with passages and their vectors."""
    context = command_line_context()
    drafts = [listing.draft for listing in demo_exchange().of_kind(Kind.OFFER)]
    passages, means = [_passages(draft) for draft in drafts], centring.learn(card, [])
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, OrganisationDraft(name="Bench", province="01"))
        owner_id, last = owner.id, changes.last(session)
        # As if means had been learned and all passages embedded, so that only what is new is worked on.
        kept = {"version": means.version, "listings": grown.listing_count, "data": means.to_bytes()}
        session.add(CentringRow(card_key=card.key, **kept))
        session.flush()
        session.add(EmbeddingProgress(card_key=card.key, change=changes.last(session)))
    assert last  # noqa: S101 - an empty log cannot be followed
    halves = grown.partitions[OFFERS].segments[0].index.halves()
    now = datetime.now(UTC)
    with database.engine.begin() as connection:
        for start in range(1, grown.listing_count + 1, ROWS_AT_ONCE):
            numbers = range(start, min(start + ROWS_AT_ONCE, grown.listing_count + 1))
            rows = [_row(number, drafts[number % len(drafts)], owner_id, now) for number in numbers]
            pieces = [piece for number in numbers for piece in _pieces(number, passages[number % len(drafts)])]
            first = (start - 1) * PASSAGES_EACH
            vectors = [
                {"card_key": card.key, "role": "listing", "digest": piece["digest"], "vector": vector.tobytes()}
                for piece, vector in zip(pieces, halves[first : first + len(pieces)], strict=True)
            ]
            connection.execute(insert(Listing), rows)
            connection.execute(insert(PassageRow), pieces)
            connection.execute(insert(EmbeddingVector), vectors)
            # As if their figures had been read: without any, nothing is to be done for them.
            figures: list[dict[str, Any]] = [{"listing_id": number, "digest": "", "figures": b""} for number in numbers]
            connection.execute(insert(ListingFigures), figures)


def _passages(draft: Any) -> Sequence[Passage]:
    body = {name: draft.values[name] for name in BODY_FIELDS if draft.values.get(name)}
    found = passages_of(draft.values["title"], draft.values["summary"], body, draft.language)
    return list(islice(cycle(found), PASSAGES_EACH))


def _pieces(number: int, passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """Rows of passages; a number makes each text its own."""
    pieces = []
    for position, passage in enumerate(passages):
        text = f"{passage.text} {number}-{position}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        described = {"field": passage.field, "language": passage.language, "length_class": passage.length_class}
        pieces.append({"listing_id": number, "position": position, "text": text, "digest": digest, **described})
    return pieces


def _row(number: int, draft: Any, owner: int, now: datetime) -> dict[str, Any]:
    values = draft.values
    return {
        "id": number,
        "kind": Kind.OFFER.value,
        "state": State.PUBLISHED.value,
        "visibility": "public",
        "organisation_id": owner,
        "language": draft.language,
        "title": values["title"],
        "summary": values["summary"],
        "body": {name: values[name] for name in ("problem_solved", "description", "advantages") if name in values},
        "trl": values.get("trl"),
        "country": draft.country,
        "province": draft.province,
        "open_for_interest": True,
        "illustrative": True,
        "created_at": now,
        "updated_at": now,
        "published_at": now - timedelta(seconds=number),
    }
