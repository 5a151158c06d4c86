"""Alerts as rows and what each has told of; calendars, and letters about deadlines."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text
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


class CalendarFeed(Base):
    """The secret address at which a person's calendar program reads their deadlines; kept as a digest."""

    __tablename__ = "calendar_feed"

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # by a calendar program, to the day


class DeadlineLetters(Base):
    """When a person's deadlines are looked at next for a letter, or since when they want none."""

    __tablename__ = "deadline_letters"

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class DeadlineTold(Base):
    """A deadline of which a letter has told somebody; told of again only when it has moved."""

    __tablename__ = "deadline_told"

    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    due: Mapped[date] = mapped_column(Date, primary_key=True)
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)
