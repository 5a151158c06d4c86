"""Looking for listings that are listed twice, and keeping what people say of them. Nothing is merged here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from techex.core import audit, changes
from techex.core.context import Actor, Context
from techex.core.database import Database
from techex.core.vocabulary import N_
from techex.errors import BadInput, NotAllowed, NotFound, Sentence
from techex.listings import service as listings
from techex.listings.rules import SEARCHABLE, Kind
from techex.listings.tables import Listing
from techex.matching.duplicates import Finding, Verdict, compare, sharing_marks
from techex.matching.resemblance import Resemblance
from techex.matching.sketches import BANDS, SKETCH_VERSION, Portrait, portrait, sketch
from techex.matching.tables import DuplicatePair, ListingSketch
from techex.search.service import SearchIndex
from techex.settings import Settings

Progress = Callable[[int, int], None]
Pair = tuple[int, int]
T = TypeVar("T")

# Listings read, sketched or compared at a time, and written in one transaction.
BATCH = 500

DECISIONS: Mapping[str, str] = {
    "duplicate": N_("the same listing twice"),
    "different": N_("two different listings"),
    "open": N_("not decided"),
}

_SEARCHABLE = tuple(state.value for state in SEARCHABLE)
_MARKS = np.dtype("<u4")


@dataclass(frozen=True)
class Checked:
    """What a look for duplicates did. `alike` are listings that look like one that was there before (not variants)."""

    listings: int
    duplicates: int  # pairs that look like one listing, decided ones left out
    variants: int
    alike: frozenset[int]
    without_vectors: bool  # retold and translated twins were not looked for


def check(
    settings: Settings,
    database: Database,
    context: Context,
    listing_ids: Iterable[int] | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Look for twins of all published listings, or of these among all, and keep the pairs for a person to decide.

    Opens its own short transactions. May be interrupted and run again. Pairs found before that are none any more go,
    unless they were decided.
    """
    wanted = None if listing_ids is None else set(listing_ids)
    if wanted is not None and not wanted:
        return Checked(0, 0, 0, frozenset(), without_vectors=False)
    _sketch(database, progress)
    found: dict[Pair, Finding] = {}
    looked, without_vectors = 0, False
    collection = SearchIndex(settings, database).collection()
    for kind in Kind:
        with database.reading() as session:
            ids, marks = _sketches(session, kind)
            chosen = np.ones(len(ids), np.bool_) if wanted is None else np.isin(ids, sorted(wanted))
            if not chosen.any():
                continue
            looked += int(chosen.sum())
            resemblance = Resemblance(collection, kind)
            without_vectors |= not resemblance.is_known
            pairs = set(sharing_marks(ids, marks, chosen))
            pairs.update(_ordered(pair) for pair in resemblance.neighbours(ids[chosen]))
            found |= _compared(session, sorted(pairs), resemblance, progress)
    with database.transaction() as session:
        kept = _keep(session, context, wanted, found)
    fresh = [pair for pair in kept if found[pair].verdict.is_duplicate]
    return Checked(
        listings=looked,
        duplicates=len(fresh),
        variants=len(kept) - len(fresh),
        # Of two new ones the later is the twin of the earlier, which is there by then.
        alike=frozenset(one if wanted and two not in wanted else two for one, two in fresh),
        without_vectors=without_vectors,
    )


def check_since(
    settings: Settings, database: Database, context: Context, change: int, progress: Progress | None = None
) -> Checked:
    """`check` for the listings created or edited after change number `change`: what an import calls at its end."""
    touched: set[int] = set()
    with database.reading() as session:
        while log := changes.since(session, change):
            change = log[-1].seq
            touched.update(c.subject_id for c in log if c.subject == "listing" and c.what in ("created", "edited"))
    return check(settings, database, context, touched, progress)


def look_alikes(database: Database, listing_ids: Iterable[int]) -> dict[int, int]:
    """Which of these listings, whatever their state, look like a published one or an earlier one of them: its number.

    Exact and reworded copies in one language; what is retold or translated is found by `check` once it is published.
    Nothing is kept of it.
    """
    wanted = sorted(set(listing_ids))
    if not wanted:
        return {}
    _sketch(database, None)
    found: dict[int, tuple[float, int]] = {}
    for kind in Kind:
        with database.reading() as session:
            ids, tables = _sketches(session, kind)
            published = set(ids.tolist())
            fresh = [
                _sketch_of(listing)
                for batch in _batches(wanted)
                for listing in _listings(session, batch)
                if listing.kind == kind.value and listing.id not in published
            ]
            whole = np.concatenate([ids, np.array([made.listing_id for made in fresh], np.int64)])
            order = np.argsort(whole)
            marks = [
                np.concatenate([table, np.frombuffer(b"".join(column), _MARKS).reshape(-1, BANDS)])[order]
                for table, column in zip(tables, ([m.head for m in fresh], [m.whole for m in fresh]), strict=True)
            ]
            pairs = set(sharing_marks(whole[order], marks, np.isin(whole[order], wanted)))
            for pair, finding in _compared(session, sorted(pairs), None, None).items():
                for one, other in (pair, pair[::-1]):
                    is_there = other not in wanted or other < one
                    if finding.verdict.is_duplicate and one in wanted and is_there:
                        found[one] = max(found.get(one, (0.0, 0)), (finding.shared, other))
    return {one: other for one, (_shared, other) in found.items()}


def listed(
    session: Session, context: Context, *, variants: bool = False, decided: bool = False
) -> Sequence[DuplicatePair]:
    """The pairs found, undecided or decided ones, duplicates or variants, that the asker may decide about.

    The most alike come first.
    """
    rows = session.scalars(
        select(DuplicatePair)
        .where(DuplicatePair.decision.is_not(None) if decided else DuplicatePair.decision.is_(None), _is(variants))
        .order_by(DuplicatePair.shared.desc(), DuplicatePair.first_id, DuplicatePair.second_id)
    ).all()
    seen = listings.visible_by_id(session, context, {id_ for row in rows for id_ in (row.first_id, row.second_id)})
    return [row for row in rows if row.first_id in seen and row.second_id in seen and may_decide(context.actor, row)]


def may_decide(actor: Actor, row: DuplicatePair) -> bool:
    """True for operators of the place of either listing and for administrators."""
    return actor.is_administrator or any(actor.operates_in(listing.place.code) for listing in (row.first, row.second))


def get_pair(session: Session, context: Context, one: int, other: int) -> DuplicatePair:
    """A pair that was found.

    Raises NotFound where there is none or one of the two is hidden, NotAllowed for operators of other places.
    """
    for listing_id in (one, other):
        listings.get_visible(session, context, listing_id)
    first, second = _ordered((one, other))
    row = session.scalar(
        select(DuplicatePair).where(DuplicatePair.first_id == first, DuplicatePair.second_id == second)
    )
    if row is None:
        raise NotFound(
            Sentence(
                N_("Listings %(one)s and %(other)s were not found to be alike. Choose a pair of the list."),
                one=one,
                other=other,
            )
        )
    if not may_decide(context.actor, row):
        raise NotAllowed(
            Sentence(N_("Only an operator of the place of one of the two, or an administrator, decides about them."))
        )
    return row


def decide(session: Session, context: Context, one: int, other: int, decision: str) -> DuplicatePair:
    """Keep what a person says of a pair: "duplicate", "different", or "open" to take it back.

    The listings stay as they are. Raises BadInput for another word, and what `get_pair` raises.
    """
    if decision not in DECISIONS:
        raise BadInput(
            Sentence(
                N_("“%(decision)s” is no decision. Expected one of: %(names)s."),
                decision=decision,
                names=", ".join(DECISIONS),
            )
        )
    row = get_pair(session, context, one, other)
    row.decision = None if decision == "open" else decision
    row.decided_at = context.now if row.decision else None
    row.decided_by = context.actor.name if row.decision else ""
    audit.record(session, context, decision, "duplicate_pair", row.id, {"listings": [row.first_id, row.second_id]})
    return row


def _is(variants: bool) -> ColumnElement[bool]:
    variant = DuplicatePair.verdict == Verdict.VARIANT.value
    return variant if variants else ~variant


def _sketch(database: Database, progress: Progress | None) -> None:
    """Bring the sketches of published listings to their current texts."""
    with database.reading() as session:
        stale = session.scalars(
            select(Listing.id)
            .outerjoin(ListingSketch, ListingSketch.listing_id == Listing.id)
            .where(
                Listing.state.in_(_SEARCHABLE),
                or_(
                    ListingSketch.listing_id.is_(None),
                    ListingSketch.version != SKETCH_VERSION,
                    ListingSketch.made_from != Listing.updated_at,
                ),
            )
            .order_by(Listing.id)
        ).all()
    done = 0
    for batch in _batches(stale):
        # Sketched before the transaction: others write meanwhile.
        with database.reading() as session:
            sketches = [_sketch_of(listing) for listing in _listings(session, batch)]
        with database.transaction() as session:
            there = set(session.scalars(select(Listing.id).where(Listing.id.in_(batch))))
            for made in sketches:
                if made.listing_id in there:
                    session.merge(made)
        done += len(batch)
        if progress:
            progress(done, len(stale))


def _sketch_of(listing: Listing) -> ListingSketch:
    made = sketch(listing.title, listing.summary, listing.texts.values())
    return ListingSketch(
        listing_id=listing.id,
        version=SKETCH_VERSION,
        made_from=listing.updated_at,
        exact=made.exact,
        head=made.head.astype(_MARKS).tobytes(),
        whole=made.whole.astype(_MARKS).tobytes(),
    )


def _sketches(session: Session, kind: Kind) -> tuple[NDArray[np.int64], list[NDArray[np.uint32]]]:
    """(n,) ids of the published listings of a kind, ascending, and their marks of title and summary, and of all."""
    rows = session.execute(
        select(ListingSketch.listing_id, ListingSketch.head, ListingSketch.whole)
        .join(Listing)
        .where(Listing.state.in_(_SEARCHABLE), Listing.kind == kind.value)
        .order_by(ListingSketch.listing_id)
    ).all()
    tables = [
        np.frombuffer(b"".join(column), _MARKS).reshape(-1, BANDS)
        for column in ([row.head for row in rows], [row.whole for row in rows])
    ]
    return np.array([row.listing_id for row in rows], np.int64), tables


def _compared(
    session: Session, pairs: Sequence[Pair], resemblance: Resemblance | None, progress: Progress | None
) -> dict[Pair, Finding]:
    found: dict[Pair, Finding] = {}
    done = 0
    for batch in _batches(pairs):
        portraits = _portraits(session, sorted({listing_id for pair in batch for listing_id in pair}))
        known = resemblance.of(batch) if resemblance else [None] * len(batch)
        for pair, alike in zip(batch, known, strict=True):
            if finding := compare(portraits[pair[0]], portraits[pair[1]], alike):
                found[pair] = finding
        done += len(batch)
        if progress:
            progress(done, len(pairs))
    return found


def _portraits(session: Session, ids: Sequence[int]) -> dict[int, Portrait]:
    return {
        row.id: portrait(row.id, row.organisation_id, row.language, row.title, row.summary, row.texts)
        for batch in _batches(ids)
        for row in _listings(session, batch)
    }


def _keep(session: Session, context: Context, wanted: set[int] | None, found: Mapping[Pair, Finding]) -> list[Pair]:
    """Write what was found; returns the pairs that wait for a decision."""
    rows = {
        (row.first_id, row.second_id): row
        for row in session.scalars(select(DuplicatePair))
        if wanted is None or row.first_id in wanted or row.second_id in wanted
    }
    gone = [row.id for pair, row in rows.items() if pair not in found and row.decision is None]
    for batch in _batches(gone):
        session.execute(delete(DuplicatePair).where(DuplicatePair.id.in_(batch)))
    for (first, second), finding in found.items():
        row = rows.get((first, second))
        if row is None:
            row = DuplicatePair(first_id=first, second_id=second, found_at=context.now)
            session.add(row)
        row.verdict, row.shared = finding.verdict.value, finding.shared
        row.differences = {"figures": finding.figures, "words": finding.words}
    return [pair for pair in found if pair not in rows or rows[pair].decision is None]


def _listings(session: Session, ids: Sequence[int]) -> Iterable[Listing]:
    return session.scalars(select(Listing).where(Listing.id.in_(ids)).order_by(Listing.id)).unique()


def _ordered(pair: Pair) -> Pair:
    return min(pair), max(pair)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
