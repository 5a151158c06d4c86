"""New and edited listings on their way into the index: passages, vectors, and the means they are centred with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.embedding import centring
from techex.embedding import service as embedding
from techex.embedding.cards import ModelCard
from techex.embedding.encoders import Encoder
from techex.listings.tables import Listing
from techex.search import queries
from techex.search.collection import Centring
from techex.search.sync import CENTRING, LISTING, pruned
from techex.search.tables import CentringRow, EmbeddingProgress

Progress = Callable[[int, int], None]

EMBEDDED = "embedded"  # the change that tells followers that a listing has its vectors
# Listings between two commits: what an interruption can cost, and how long an import waits to be found by meaning.
LISTINGS_A_STEP = 100
# Means are learned again when a collection has grown by this factor; below it they hardly move.
LEARN_AGAIN = 1.2


def embed(
    database: Database,
    card: ModelCard,
    encoder: Callable[[], Encoder],
    progress: Progress | None = None,
    thorough: bool = True,
) -> int:
    """Give published listings the passages, figures and vectors they lack; returns how many texts were embedded.

    Follows the change log from where the last run stopped. Every LISTINGS_A_STEP listings are committed and announced,
    so a run may be interrupted, and the next one goes on. `encoder` is called only if a vector is missing. Besides what
    has changed, a `thorough` run looks through the whole collection for what is missing.
    """
    with database.reading() as session:
        last = changes.last(session)
        steps = list(_steps(_to_embed(session, card, thorough)))
    for step in steps:
        wanted = select(Listing).where(Listing.id.in_(step))
        with database.reading() as session:
            ahead = embedding.passages_ahead(session.scalars(wanted).unique())
            queries.new_figures(session, step)  # read before the transaction, remembered for it
        with database.transaction() as session:
            embedding.store_passages(session, session.scalars(wanted).unique(), ahead)
            for figures in queries.new_figures(session, step):
                session.merge(figures)
    with database.reading() as session:
        missing = sum(queries.missing_texts(session, card.key, step) for step in steps)
    model = encoder() if missing else None
    done = 0
    for step in steps:
        if model is not None:
            done += embedding.embed_missing(database, model, step, progress=_from(done, missing, progress))
        with database.transaction() as session:
            for listing_id in step:
                changes.record(session, command_line_context(), LISTING, listing_id, EMBEDDED)
    with database.transaction() as session:
        _advance(session, card, last)
    if steps:
        learn_if_grown(database, card)
    return done


def stored_centring(session: Session, card: ModelCard) -> Centring:
    """The means learned from this collection; those shipped with the card where none were learned yet."""
    row = session.get(CentringRow, card.key)
    return centring.from_bytes(row.data) if row else centring.shipped(card)


def learn_if_grown(database: Database, card: ModelCard) -> bool:
    """Learn the means again if there are none, or the collection has grown by LEARN_AGAIN; returns whether it did."""
    with database.reading() as session:
        row = session.get(CentringRow, card.key)
        count = queries.searchable_count(session)
    if row is not None and count < LEARN_AGAIN * row.listings:
        return False
    return learn(database, card)


def learn(database: Database, card: ModelCard) -> bool:
    """Learn the means from all stored vectors; followers build anew. Returns whether they changed."""
    with database.reading() as session:
        count = queries.searchable_count(session)
        groups = queries.vector_groups(session, card.key, card.dimension)
    learned = centring.learn(card, [(*key, vectors.astype(np.float32)) for key, vectors in groups.items()])
    with database.transaction() as session:
        row = session.get(CentringRow, card.key)
        if row is not None and row.version == learned.version:
            row.listings = count
            return False
        if row is None:
            row = CentringRow(card_key=card.key)
            session.add(row)
        row.version, row.listings, row.data = learned.version, count, learned.to_bytes()
        changes.record(session, command_line_context(), CENTRING, 0, "learned")
    return True


def _to_embed(session: Session, card: ModelCard, thorough: bool) -> list[int]:
    """Listings that may be found and were changed since the last run; a thorough run adds those that lack passages or
    vectors, which reads all of them. Ascending."""
    progress = session.get(EmbeddingProgress, card.key)
    if progress is None or pruned(session, progress.change):
        return list(queries.searchable_ids(session))
    changed: set[int] = set()
    at = progress.change
    while log := changes.since(session, at):
        at = log[-1].seq
        changed.update(change.subject_id for change in log if change.subject == LISTING and change.what != EMBEDDED)
    ids = {one for some in _steps(sorted(changed)) for one in queries.searchable_ids(session, some)}
    return sorted(ids.union(queries.pending_ids(session, card.key)) if thorough else ids)


def _advance(session: Session, card: ModelCard, change: int) -> None:
    further = update(EmbeddingProgress).where(EmbeddingProgress.card_key == card.key, EmbeddingProgress.change < change)
    session.execute(further.values(change=change))  # another process may have come further
    if session.get(EmbeddingProgress, card.key) is None:
        session.add(EmbeddingProgress(card_key=card.key, change=change))


def _from(done: int, total: int, progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    return lambda now, _of: progress(done + now, total)


def _steps(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), LISTINGS_A_STEP):
        yield ids[start : start + LISTINGS_A_STEP]
