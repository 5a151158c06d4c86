"""Listings as the index takes them, read from the database; only those that may be found at all."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from techex.embedding.tables import EmbeddingVector, PassageRow
from techex.listings.rules import BODY_FIELDS, GUARDED, SEARCHABLE, Kind, Visibility
from techex.listings.tables import Listing, ListingField, ListingTransferForm
from techex.organisations.tables import Organisation
from techex.quantities import compact
from techex.quantities.compact import FIGURES, FigureRows
from techex.regions.service import region_of
from techex.search.analysis import listing_terms
from techex.search.collection import Item, Key, centring_class
from techex.search.dense import HalfArray
from techex.search.facts import Facts
from techex.search.segments import Entry, Passage
from techex.search.tables import ListingFigures

_STORED = np.dtype("<f2")
ROLE = "listing"  # needs and offers are embedded alike; only a search text has a role of its own
_BATCH = 500  # listings read at a time: below the number of parameters every database takes

_FOUND_BY = tuple(name for name in BODY_FIELDS if name not in GUARDED)
_STATES = tuple(state.value for state in SEARCHABLE)


def items(session: Session, card_key: str, dimension: int, ids: Collection[int] | None = None) -> Iterator[Item]:
    """The listings that may be found, with raw vectors, by id; of `ids` alone where they are given.

    A passage whose vector is missing, or is not one of `dimension` numbers, is left out.
    """
    wanted = sorted(searchable_ids(session) if ids is None else ids)
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        fields = _codes(session, ListingField, batch)
        forms = _codes(session, ListingTransferForm, batch)
        passages = _passages(session, card_key, dimension, batch)
        figures = _stored_figures(session, batch)
        for row in session.execute(_listings().where(Listing.id.in_(batch)).order_by(Listing.id)):
            found = passages.get(row.id, [])
            yield Item(
                (Visibility(row.visibility), Kind(row.kind)),
                Entry(
                    row.id,
                    _facts(row, fields[row.id], forms[row.id]),
                    _terms(row),
                    [passage for passage, _ in found],
                    np.array([vector for _, vector in found], np.float32).reshape(-1, dimension),
                    _figures(row, figures.get(row.id)),
                ),
            )


def searchable_ids(session: Session, among: Sequence[int] | None = None) -> Sequence[int]:
    """Ids of all listings that may be found, or of those among a few, ascending."""
    found = select(Listing.id).where(Listing.state.in_(_STATES)).order_by(Listing.id)
    return session.scalars(found if among is None else found.where(Listing.id.in_(among))).all()


def pending_ids(session: Session, card_key: str) -> Sequence[int]:
    """Ids of listings that may be found and lack passages, the vector of a passage for this card, or figures that were
    read; ascending."""
    without = (
        select(Listing.id)
        .outerjoin(PassageRow, PassageRow.listing_id == Listing.id)
        .outerjoin(EmbeddingVector, _same_text(card_key))
        .outerjoin(ListingFigures, ListingFigures.listing_id == Listing.id)
        .where(Listing.state.in_(_STATES), or_(EmbeddingVector.digest.is_(None), ListingFigures.listing_id.is_(None)))
        .distinct()
    )
    return session.scalars(without.order_by(Listing.id)).all()


def places(session: Session) -> Mapping[int, Key]:
    """Listing id -> the partition it belongs to, for all that may be found."""
    rows = session.execute(select(Listing.id, Listing.visibility, Listing.kind).where(Listing.state.in_(_STATES)))
    return {row.id: (Visibility(row.visibility), Kind(row.kind)) for row in rows}


def missing_texts(session: Session, card_key: str, listing_ids: Sequence[int]) -> int:
    """How many different passages of these listings have no vector for this card."""
    missing = (
        select(func.count(PassageRow.digest.distinct()))
        .outerjoin(EmbeddingVector, _same_text(card_key))
        .where(PassageRow.listing_id.in_(listing_ids), EmbeddingVector.digest.is_(None))
    )
    return session.scalar(missing) or 0


def listings_of(session: Session, organisation_ids: Collection[int]) -> Sequence[int]:
    """Ids of all listings of these organisations: their kind is a fact to filter by."""
    return session.scalars(select(Listing.id).where(Listing.organisation_id.in_(organisation_ids))).all()


def vector_groups(session: Session, card_key: str, dimension: int) -> Mapping[tuple[str, str, str], HalfArray]:
    """The raw vectors of all passages that everybody may find, (n, dimension), by (language, role, length class).

    Everybody's vectors are centred with what is learned from these, so nothing hidden may have a part in it. The role
    is the kind of the listing; the whole text of a listing has the length class "whole".
    """
    rows = (
        select(
            *(Listing.kind, PassageRow.language, PassageRow.length_class, PassageRow.field),
            EmbeddingVector.vector,
        )
        .join(PassageRow, PassageRow.listing_id == Listing.id)
        .join(EmbeddingVector, _same_text(card_key))
        .where(Listing.state.in_(_STATES), Listing.visibility == Visibility.PUBLIC.value)
        .order_by(Listing.id, PassageRow.position)
    )
    groups: dict[tuple[str, str, str], list[bytes]] = defaultdict(list)
    for row in session.execute(rows.execution_options(yield_per=_BATCH)):
        if len(row.vector) == dimension * _STORED.itemsize:
            length_class = centring_class(row.field, row.length_class)
            groups[row.language, row.kind, length_class].append(row.vector)
    return {key: np.frombuffer(b"".join(some), _STORED).reshape(-1, dimension) for key, some in groups.items()}


def passage_texts(session: Session) -> Iterator[tuple[int, int, str, str]]:
    """(listing id, position, text, digest) of every passage of a listing that may be found, by listing and position."""
    rows = (
        select(PassageRow.listing_id, PassageRow.position, PassageRow.text, PassageRow.digest)
        .join(Listing)
        .where(Listing.state.in_(_STATES))
        .order_by(PassageRow.listing_id, PassageRow.position)
    )
    for row in session.execute(rows.execution_options(yield_per=_BATCH)):
        yield row.listing_id, row.position, row.text, row.digest


def searchable_count(session: Session) -> int:
    """How many listings may be found."""
    return session.scalar(select(func.count()).select_from(Listing).where(Listing.state.in_(_STATES))) or 0


def stored_vectors(session: Session, card_key: str) -> Iterator[tuple[int, int, bytes | None]]:
    """(listing id, position, vector) of every passage that may be found; None where the vector is missing."""
    rows = (
        select(PassageRow.listing_id, PassageRow.position, EmbeddingVector.vector)
        .join(Listing)
        .outerjoin(EmbeddingVector, _same_text(card_key))
        .where(Listing.state.in_(_STATES))
        .order_by(PassageRow.listing_id, PassageRow.position)
    )
    for row in session.execute(rows.execution_options(yield_per=_BATCH)):
        yield row.listing_id, row.position, row.vector


def _same_text(card_key: str) -> Any:
    return and_(
        EmbeddingVector.digest == PassageRow.digest,
        EmbeddingVector.card_key == card_key,
        EmbeddingVector.role == ROLE,
    )


def _listings() -> Select[Any]:
    return (
        select(
            *(Listing.id, Listing.kind, Listing.visibility, Listing.language, Listing.title, Listing.summary),
            *(Listing.body, Listing.country, Listing.province, Listing.trl, Listing.ip_status, Listing.organisation_id),
            *(Listing.industry, Listing.reach, Listing.anonymous, Listing.translations, Listing.expires_at),
            Organisation.kind.label("organisation_kind"),
        )
        .join(Organisation)
        .where(Listing.state.in_(_STATES))
    )


def _terms(row: Row[Any]) -> dict[str, int]:
    """What a listing is found by: what everybody reads who sees it, in all its languages."""
    found = listing_terms(_own_text(row), row.language)
    for code, text in (row.translations or {}).items():
        for term, often in listing_terms("\n".join(text["values"].values()), code).items():
            found[term] = found.get(term, 0) + often
    return found


def _own_text(row: Row[Any]) -> str:
    """What everybody reads who sees a listing, in the language of its owner."""
    return "\n".join([row.title, row.summary, *(row.body[name] for name in _FOUND_BY if row.body.get(name))])


def new_figures(session: Session, ids: Sequence[int]) -> list[ListingFigures]:
    """The figures of those of these listings of which what is stored was read from another text, or nothing is.

    Reading takes milliseconds a text: it is done once outside the transaction that stores them, and then remembered.
    """
    stored = _stored_figures(session, ids)
    return [
        ListingFigures(listing_id=row.id, digest=_digest(row), figures=_read_figures(row).tobytes())
        for row in session.execute(_listings().where(Listing.id.in_(ids)))
        if stored.get(row.id, ("",))[0] != _digest(row)
    ]


def _stored_figures(session: Session, ids: Sequence[int]) -> Mapping[int, tuple[str, bytes]]:
    rows = select(ListingFigures.listing_id, ListingFigures.digest, ListingFigures.figures)
    found = session.execute(rows.where(ListingFigures.listing_id.in_(ids)))
    return {row.listing_id: (row.digest, row.figures) for row in found}


def _figures(row: Row[Any], stored: tuple[str, bytes] | None) -> FigureRows:
    """What an offer states or a need asks for: as it is stored, unless the text has changed since."""
    if stored is None or stored[0] != _digest(row):
        return _read_figures(row)
    return np.frombuffer(stored[1], FIGURES)


def _read_figures(row: Row[Any]) -> FigureRows:
    read = compact.asked if row.kind == Kind.NEED else compact.stated
    return read(_own_text(row), row.language)


def _digest(row: Row[Any]) -> str:
    content = "\0".join((compact.VERSION, row.kind, row.language, _own_text(row)))
    return hashlib.sha256(content.encode()).hexdigest()


def _facts(row: Row[Any], fields: Sequence[str], forms: Sequence[str]) -> Facts:
    return Facts(
        language=row.language,
        country=row.country,
        province=row.province,
        region=region_of(row.province),
        fields=tuple(fields),
        trl=row.trl,
        ip_status=row.ip_status,
        transfer_forms=tuple(forms),
        # Filters, counts and "not with itself" would tell whose it is: in the index an anonymous listing is nobody's.
        organisation=0 if row.anonymous else row.organisation_id,
        organisation_kind="" if row.anonymous else row.organisation_kind,
        industry=row.industry,
        reach=row.reach,
        ends=row.expires_at.toordinal() if row.expires_at else 0,
        sdg=tuple(row.body.get("sdg") or ()),
        partner_kinds=tuple(row.body.get("partner_kinds") or ()),
    )


def _codes(session: Session, table: Any, ids: Sequence[int]) -> Mapping[int, list[str]]:
    codes = defaultdict(list)
    for listing_id, code in session.execute(select(table.listing_id, table.code).where(table.listing_id.in_(ids))):
        codes[listing_id].append(code)
    return codes


def _passages(
    session: Session, card_key: str, dimension: int, ids: Sequence[int]
) -> Mapping[int, list[tuple[Passage, np.ndarray[Any, Any]]]]:
    rows = (
        select(
            *(PassageRow.listing_id, PassageRow.position, PassageRow.field, PassageRow.language),
            *(PassageRow.length_class, PassageRow.digest, EmbeddingVector.vector),
        )
        .join(EmbeddingVector, _same_text(card_key))
        .where(PassageRow.listing_id.in_(ids))
        .order_by(PassageRow.listing_id, PassageRow.position)
    )
    found = defaultdict(list)
    for row in session.execute(rows):
        if len(row.vector) == dimension * _STORED.itemsize:
            vector = np.frombuffer(row.vector, _STORED)
            passage = Passage(row.position, row.field, row.language, row.length_class, row.digest)
            found[row.listing_id].append((passage, vector))
    return found
