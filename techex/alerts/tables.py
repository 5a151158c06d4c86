"""Alerts as rows, and what each has told of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.core.database import Base, UTCDateTime
from techex.listings.tables import Listing


class Alert(Base):
    """A search that is looked at again and again, as its address says it (`query`), or the matches of a listing."""

    __tablename__ = "alert"
    __table_args__ = (CheckConstraint("cadence IN ('at_once', 'daily', 'weekly')", name="cadence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    query: Mapped[str] = mapped_column(Text)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), index=True)
    cadence: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    looked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    person: Mapped[Person] = relationship(lazy="joined")
    listing: Mapped[Listing | None] = relationship()


class AlertMatch(Base):
    """A match of which an alert has told, or which was there when it began: it is never told of again."""

    __tablename__ = "alert_match"

    alert_id: Mapped[int] = mapped_column(ForeignKey(Alert.id, ondelete="CASCADE"), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)
