"""The change log: one sequence for the whole exchange, numbered in commit order.

The number comes from a counter row that is updated inside the writer's own transaction, so two writers get their
numbers in the order in which they commit; polling an auto-increment id would lose rows on PostgreSQL. Each web
worker follows the sequence before it searches (`search.sync`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from techex.core.context import Context
from techex.core.database import Base, UTCDateTime

_ONLY_ROW = 1


class ChangeCounter(Base):
    """The last number given; one row, made by the migration."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0)


class Change(Base):
    """One thing that happened to one subject, e.g. (listing, 17, published)."""

    __tablename__ = "change"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int]
    what: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


def record(session: Session, context: Context, subject: str, subject_id: int, what: str) -> int:
    """Append a change inside the caller's transaction; returns its number."""
    seq = session.execute(
        update(ChangeCounter)
        .where(ChangeCounter.id == _ONLY_ROW)
        .values(last=ChangeCounter.last + 1)
        .returning(ChangeCounter.last)
    ).scalar_one_or_none()
    if seq is None:
        session.add(ChangeCounter(id=_ONLY_ROW, last=1))
        session.flush()  # the row must be there before a second change of this transaction asks for it
        seq = 1
    session.add(Change(seq=seq, subject=subject, subject_id=subject_id, what=what, at=context.now))
    return seq


def hold(session: Session) -> None:
    """Wait for the other writers and keep them waiting until this transaction ends, as recording a change does."""
    if session.get_bind().dialect.name == "sqlite":
        return  # a writer holds the whole database from its first statement on
    session.execute(select(ChangeCounter.last).where(ChangeCounter.id == _ONLY_ROW).with_for_update())


def last(session: Session) -> int:
    """The number of the last committed change; 0 in an empty exchange."""
    return session.execute(select(ChangeCounter.last).where(ChangeCounter.id == _ONLY_ROW)).scalar_one_or_none() or 0


def oldest(session: Session) -> int:
    """The number of the oldest change still kept; a follower behind it must rebuild. 0 when none is kept."""
    return session.execute(select(func.min(Change.seq))).scalar_one() or 0


def since(session: Session, seq: int, limit: int = 10_000) -> Sequence[Change]:
    """The changes after number `seq`, in order, at most `limit` of them."""
    return session.scalars(select(Change).where(Change.seq > seq).order_by(Change.seq).limit(limit)).all()
