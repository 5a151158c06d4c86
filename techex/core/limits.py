"""How often something may be done: counters in the database, so that all workers count together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Index, String, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from techex.core.database import Base, UTCDateTime


class Count(Base):
    """How often one thing was done within one period."""

    __tablename__ = "limit_count"
    __table_args__ = (Index("ix_limit_count_ends_at", "ends_at"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # the how manieth of its length
    times: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True)
class Rate:
    """So many times within so many seconds."""

    times: int
    seconds: int


def hit(session: Session, now: datetime, what: str, who: str, rate: Rate) -> int:
    """Count one more; 0 while it is within the rate, else how many seconds to wait.

    The last period counts in proportion to what of it still lies within the window, so nobody gets twice the rate by
    knocking around its edge. `who` is kept as a digest.
    """
    key, period = _key(what, who, rate), _period(now, rate)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    ends = datetime.fromtimestamp((period + 2) * rate.seconds, UTC)
    counted = session.execute(
        insert(Count)
        .values(key=key, period=period, times=1, ends_at=ends)
        .on_conflict_do_update(index_elements=["key", "period"], set_={"times": Count.times + 1})
        .returning(Count.times)
    ).scalar_one()
    before = session.scalar(select(Count.times).where(Count.key == key, Count.period == period - 1)) or 0
    passed = now.timestamp() / rate.seconds - period
    if counted + before * (1 - passed) <= rate.times:
        return 0
    return max(1, round((1 - passed) * rate.seconds))


def give_back(session: Session, now: datetime, what: str, who: str, rate: Rate) -> None:
    """Take one count back: what was counted before it was known to be right."""
    row = session.get(Count, (_key(what, who, rate), _period(now, rate)))
    if row is not None and row.times:
        row.times -= 1


def prune(session: Session, now: datetime) -> None:
    """Forget periods that no window reaches any more."""
    session.execute(delete(Count).where(Count.ends_at < now))


def _key(what: str, who: str, rate: Rate) -> str:
    return f"{what}/{rate.seconds}/{hashlib.sha256(who.encode()).hexdigest()[:40]}"


def _period(now: datetime, rate: Rate) -> int:
    return int(now.timestamp() // rate.seconds)
