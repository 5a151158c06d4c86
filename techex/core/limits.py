"""How often something may be done: counters in the database, so that all workers count together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base, UTCDateTime


class Count(Base):
    """How often one thing was done within one period."""

    __tablename__ = "limit_count"
    __table_args__ = (Index("ix_limit_count_ends_at", "ends_at"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # the how manieth of its length
    times: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
