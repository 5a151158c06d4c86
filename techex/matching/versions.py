"""Versions of what was learned: kept, applied by a decision, taken back by one command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from techex.core import audit, changes
from techex.core.context import Context
from techex.errors import Conflict, NotAllowed, NotFound
from techex.matching.learned import NOTHING, Learned, from_dict
from techex.matching.learning import Candidate
from techex.matching.tables import LearnedActivation, LearnedVersion

LEARNED = "learned"  # the subject of its changes


class Following:
    """What is active, as one process knows it: read again only when something has changed."""

    def __init__(self, card_key: str) -> None:
        self._card_key = card_key
        self._known: tuple[int, Learned] = (-1, NOTHING)

    def at(self, session: Session, change: int) -> Learned:
        """What is active, given that the last change seen is number `change`."""
        known_at, learned = self._known
        if known_at != change:
            row = active(session, self._card_key)
            if row is None:
                learned = NOTHING
            elif row.version != learned.version:
                learned = from_dict(row.content)
            self._known = (change, learned)
        return learned


def keep(
    session: Session, context: Context, card_key: str, candidate: Candidate, *, verdicts: int, pairs: int
) -> LearnedVersion:
    """Store a candidate; it changes nothing until it is activated. Raises Conflict if there is nothing in it."""
    _require_operator(context)
    if candidate.learned.is_nothing:
        raise Conflict("Nothing was learned that holds on needs it was not learned from; there is nothing to keep.")
    row = LearnedVersion(
        card_key=card_key,
        version=candidate.learned.version,
        made_at=context.now,
        made_by=context.actor.name,
        verdicts=verdicts,
        pairs=pairs,
        content=candidate.learned.as_dict(),
        report=[asdict(step) for step in candidate.steps],
    )
    session.add(row)
    session.flush()
    audit.record(session, context, "learned", LEARNED, row.id, {"version": row.version, "verdicts": verdicts})
    return row


def versions(session: Session, card_key: str) -> Sequence[LearnedVersion]:
    """All that was learned for a vector space, newest first."""
    query = select(LearnedVersion).where(LearnedVersion.card_key == card_key).order_by(LearnedVersion.id.desc())
    return session.scalars(query).all()


def active(session: Session, card_key: str) -> LearnedVersion | None:
    """The version that is applied in a vector space; None where the ranking is bare."""
    activation = session.scalars(_standing(card_key)).first()
    return activation.learned if activation else None


def activate(session: Session, context: Context, card_key: str, learned_id: int) -> LearnedVersion:
    """Apply a version from the next search on, in every process.

    Raises NotFound where this vector space has no such version, Conflict if it is active already.
    """
    _require_operator(context)
    row = session.get(LearnedVersion, learned_id)
    if row is None or row.card_key != card_key:
        raise NotFound(f"There is no learned version {learned_id} for the model in use. See `techex learn list`.")
    standing = active(session, card_key)
    if standing is not None and standing.id == learned_id:
        raise Conflict(f"Version {learned_id} is active already.")
    session.add(LearnedActivation(learned_id=learned_id, at=context.now, by=context.actor.name))
    session.flush()
    _record(session, context, row, "activated")
    return row


def revert(session: Session, context: Context, card_key: str) -> LearnedVersion | None:
    """Take back the last activation: what was active before it is active again, in the end the bare ranking (None).

    Raises Conflict if nothing is active.
    """
    _require_operator(context)
    activation = session.scalars(_standing(card_key)).first()
    if activation is None:
        raise Conflict("Nothing that was learned is active; there is nothing to revert.")
    activation.reverted_at, activation.reverted_by = context.now, context.actor.name
    session.flush()
    _record(session, context, activation.learned, "reverted")
    return active(session, card_key)


def _standing(card_key: str) -> Select[LearnedActivation]:
    """Activations that were not reverted, the latest first."""
    return (
        select(LearnedActivation)
        .join(LearnedVersion)
        .where(LearnedVersion.card_key == card_key, LearnedActivation.reverted_at.is_(None))
        .order_by(LearnedActivation.id.desc())
    )


def _record(session: Session, context: Context, row: LearnedVersion, what: str) -> None:
    changes.record(session, context, LEARNED, row.id, what)
    audit.record(session, context, what, LEARNED, row.id, {"version": row.version})


def _require_operator(context: Context) -> None:
    if not context.actor.is_system:
        raise NotAllowed("Only the operator of the exchange decides what is learned and applied.")
