"""Passages and vectors of listings as rows: what is stored is never computed twice.

Embedding is slow next to a transaction, so the two never overlap: texts are read, encoded outside any transaction,
and each batch is written in a short one. A run that is interrupted keeps what it had written and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from techex.core.database import Database
from techex.embedding.cards import ModelCard, Role
from techex.embedding.encoders import Encoder, FloatArray, Progress
from techex.embedding.passages import Passage, passages_of, with_translations
from techex.embedding.tables import EmbeddingVector, PassageRow
from techex.listings.rules import BODY_FIELDS, FIELD_BY_NAME
from techex.listings.tables import Listing

# Texts encoded between two commits: some seconds of work, which is what an interruption can cost.
TEXTS_A_COMMIT = 256
# Ids in one IN list, well below the limits of SQLite (32,766) and PostgreSQL (65,535 parameters).
IDS_A_QUERY = 5_000

_STORED = np.dtype("<f2")

Item = TypeVar("Item")
Ahead = Mapping[int, tuple[datetime, list[Passage]]]


@dataclass(frozen=True)
class StoredPassages:
    """Embedded passages as columns of equal length n, ordered by listing and position.

    `vectors` is (n, dimension) float32. Listings with a passage that has no vector yet are in `incomplete`.
    """

    listing_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    fields: list[str]
    languages: list[str]
    length_classes: list[str]
    digests: list[str]
    vectors: FloatArray
    incomplete: frozenset[int]

    def __len__(self) -> int:
        return len(self.digests)


def passages_of_listing(listing: Listing) -> list[Passage]:
    """The passages a listing has now, by its current texts; numbers of patents and the like are found by words only."""
    own = passages_of(listing.title, listing.summary, _embedded(listing.texts), listing.language)
    further = [
        passages_of(text["values"]["title"], text["values"]["summary"], _embedded(text["values"]), code)
        for code, text in (listing.translations or {}).items()
    ]
    return with_translations(own, further)


def _embedded(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name in BODY_FIELDS and FIELD_BY_NAME[name].embedded}


def passages_ahead(listings: Iterable[Listing]) -> Ahead:
    """The passages of these listings and the version of each they were cut from, for `store_passages` to take up."""
    return {listing.id: (listing.updated_at, passages_of_listing(listing)) for listing in listings}


def store_passages(session: Session, listings: Iterable[Listing], ahead: Ahead | None = None) -> int:
    """Bring the passage rows of these listings to their current texts; returns how many listings changed.

    Cutting texts takes time, in which nobody else could write: what was cut `ahead`, outside the transaction, is taken
    where its listing is still the same.
    """
    changed = 0
    for listing in listings:
        version, cut = (ahead or {}).get(listing.id, (None, []))
        wanted = cut if version == listing.updated_at else passages_of_listing(listing)
        rows = {row.position: row for row in _rows(session, [listing.id])}
        if [_facts(rows[position]) for position in sorted(rows)] == [_facts(passage) for passage in wanted]:
            continue
        changed += 1
        for passage in wanted:
            row = rows.pop(passage.position, None)
            if row is None:
                row = PassageRow(listing_id=listing.id, position=passage.position)
                session.add(row)
            row.field, row.text, row.digest = passage.field, passage.text, passage.digest
            row.language, row.length_class = passage.language, passage.length_class
        for row in rows.values():
            session.delete(row)
    session.flush()
    return changed


def embed_missing(
    database: Database,
    encoder: Encoder,
    listing_ids: Sequence[int] | None = None,
    role: Role = "listing",
    progress: Progress | None = None,
) -> int:
    """Compute and store the vectors that stored passages lack, of all listings or of these; returns how many.

    Opens its own short transactions. Two processes may do this at once: the second one's vector is dropped.
    """
    with database.reading() as session:
        waiting = _missing(session, encoder.card, role, listing_ids)
    for start in range(0, len(waiting), TEXTS_A_COMMIT):
        with database.reading() as session:
            texts = _texts(session, waiting[start : start + TEXTS_A_COMMIT])
        digests = list(texts)
        vectors = encoder.encode([texts[digest] for digest in digests], role)
        with database.transaction() as session:
            store_vectors(session, encoder.card, role, digests, vectors)
        if progress:
            progress(min(start + TEXTS_A_COMMIT, len(waiting)), len(waiting))
    return len(waiting)


def store_vectors(
    session: Session, card: ModelCard, role: Role, digests: Sequence[str], vectors: NDArray[np.floating]
) -> None:
    """Store (n, dimension) unit rows for n texts named by their digests; one that is there already is left as it is."""
    if not digests:
        return
    packed = np.asarray(vectors, dtype=_STORED)
    rows = [
        {"card_key": card.key, "role": role, "digest": digest, "vector": row.tobytes()}
        for digest, row in zip(digests, packed, strict=True)
    ]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(EmbeddingVector).on_conflict_do_nothing(), rows)


def vectors_for(
    session: Session, card: ModelCard, digests: Sequence[str], role: Role = "listing"
) -> dict[str, FloatArray]:
    """The stored vectors of these texts, (dimension,) float32 each; texts without one are left out."""
    found: dict[str, FloatArray] = {}
    for some in _chunks(sorted(set(digests))):
        query = _vectors(card, role).where(EmbeddingVector.digest.in_(some))
        for digest, vector in session.execute(query):
            found[digest] = np.frombuffer(vector, dtype=_STORED).astype(np.float32)
    return found


def load_passages(
    session: Session, card: ModelCard, listing_ids: Sequence[int] | None = None, role: Role = "listing"
) -> StoredPassages:
    """The passages of all listings, or of these, with their vectors: what an index is made from."""
    query = (
        select(
            *(PassageRow.listing_id, PassageRow.position, PassageRow.field),
            *(PassageRow.language, PassageRow.length_class, PassageRow.digest),
            EmbeddingVector.vector,
        )
        .outerjoin(
            EmbeddingVector,
            (EmbeddingVector.digest == PassageRow.digest)
            & (EmbeddingVector.card_key == card.key)
            & (EmbeddingVector.role == role),
        )
        .order_by(PassageRow.listing_id, PassageRow.position)
    )
    queries = [query]
    if listing_ids is not None:
        queries = [query.where(PassageRow.listing_id.in_(some)) for some in _chunks(sorted(set(listing_ids)))]
    rows = [row for one in queries for row in session.execute(one)]
    whole = [row for row in rows if row.vector is not None]
    vectors = np.frombuffer(b"".join(row.vector for row in whole), dtype=_STORED).astype(np.float32)
    return StoredPassages(
        listing_ids=np.array([row.listing_id for row in whole], dtype=np.int64),
        positions=np.array([row.position for row in whole], dtype=np.int64),
        fields=[row.field for row in whole],
        languages=[row.language for row in whole],
        length_classes=[row.length_class for row in whole],
        digests=[row.digest for row in whole],
        vectors=vectors.reshape(len(whole), card.dimension),
        incomplete=frozenset(row.listing_id for row in rows if row.vector is None),
    )


def passages_for(session: Session, listing_ids: Sequence[int]) -> dict[int, list[PassageRow]]:
    """The passage rows of these listings, in reading order, for quoting them."""
    found: dict[int, list[PassageRow]] = {}
    for row in _rows(session, listing_ids):
        found.setdefault(row.listing_id, []).append(row)
    return found


def counts(session: Session, card: ModelCard, role: Role = "listing") -> tuple[int, int]:
    """Distinct passage texts, and how many of them have a vector under this card."""
    texts = session.scalar(select(func.count(PassageRow.digest.distinct()))) or 0
    return texts, texts - len(_missing(session, card, role, None))


def forget_unused(session: Session, card: ModelCard | None = None) -> int:
    """Delete the vectors of texts that no listing has any more, of all cards or of one; returns how many."""
    query = delete(EmbeddingVector).where(EmbeddingVector.digest.not_in(select(PassageRow.digest)))
    if card is not None:
        query = query.where(EmbeddingVector.card_key == card.key)
    return session.connection().execute(query).rowcount


def _missing(session: Session, card: ModelCard, role: Role, listing_ids: Sequence[int] | None) -> list[str]:
    """Digests of passages without a vector, those of the oldest listings first."""
    # One look into the key for each passage: as a list, all vectors of the exchange would be read for a new listing.
    stored = select(EmbeddingVector.digest).where(
        EmbeddingVector.card_key == card.key,
        EmbeddingVector.role == role,
        EmbeddingVector.digest == PassageRow.digest,
    )
    query = (
        select(PassageRow.digest).where(~stored.exists()).group_by(PassageRow.digest).order_by(func.min(PassageRow.id))
    )
    if listing_ids is None:
        return list(session.scalars(query))
    found: dict[str, None] = {}
    for some in _chunks(sorted(set(listing_ids))):
        found |= dict.fromkeys(session.scalars(query.where(PassageRow.listing_id.in_(some))))
    return list(found)


def _texts(session: Session, digests: Sequence[str]) -> dict[str, str]:
    # A listing may have been edited since the digests were read: its old text is then gone, and not wanted.
    query = select(PassageRow.digest, func.min(PassageRow.text)).where(PassageRow.digest.in_(digests))
    found = dict(session.execute(query.group_by(PassageRow.digest)).all())
    return {digest: found[digest] for digest in digests if digest in found}


def _rows(session: Session, listing_ids: Sequence[int]) -> Iterator[PassageRow]:
    for some in _chunks(listing_ids):
        query = select(PassageRow).where(PassageRow.listing_id.in_(some))
        yield from session.scalars(query.order_by(PassageRow.listing_id, PassageRow.position))


def _vectors(card: ModelCard, role: Role) -> Select[str, bytes]:
    return select(EmbeddingVector.digest, EmbeddingVector.vector).where(
        EmbeddingVector.card_key == card.key, EmbeddingVector.role == role
    )


def _facts(passage: PassageRow | Passage) -> tuple[object, ...]:
    return (passage.position, passage.field, passage.language, passage.length_class, passage.digest)


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), IDS_A_QUERY):
        yield items[start : start + IDS_A_QUERY]
