"""What an operator's desk keeps: views under a name, and who has handed what to whom."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techex.accounts.tables import Person
from techex.core.database import Base, UTCDateTime


class SavedView(Base):
    """The filters and the order of a list, under a name; with a place, colleagues who serve it see it too."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("person_id", "page", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"))
    page: Mapped[str] = mapped_column(String(40))  # the endpoint of the list
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str] = mapped_column(Text)
    place_code: Mapped[str | None] = mapped_column(String(8), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class HandOver(Base):
    """One thing of a desk (`task`, `key`), or everything (both empty), given to a colleague.

    `person_id` is who had it, None where nobody had. It ends after the day `until`, or with `ended_at`, and goes back.
    """

    __tablename__ = "hand_over"
    __table_args__ = (Index("ix_hand_over_task", "task", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    task: Mapped[str] = mapped_column(String(16), default="")
    key: Mapped[str] = mapped_column(String(100), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[date | None] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.ended_at is None and (self.until is None or day <= self.until)
