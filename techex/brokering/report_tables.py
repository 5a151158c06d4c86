"""Plan documents, what is tagged with them, and the reports of a period as they were made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techex.accounts.tables import Person
from techex.core.database import Base, UTCDateTime


class PlanDocument(Base):
    """A plan or programme that work is done under, such as 328-KH/TU: its number, title and date."""

    __tablename__ = "plan_document"
    __table_args__ = (UniqueConstraint("number", "date"), Index("ix_plan_document_person_id", "person_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(Text)
    date: Mapped[date] = mapped_column(Date)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PlanTag(Base):
    """Something that was done under a plan document. No key to it: it may go, the tag is then shown no more."""

    __tablename__ = "plan_tag"
    __table_args__ = (
        CheckConstraint("subject IN ('listing', 'deal', 'commission', 'report')", name="subject"),
        Index("ix_plan_tag_subject", "subject", "subject_id"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey(PlanDocument.id, ondelete="CASCADE"), primary_key=True)
    subject: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject_id: Mapped[int] = mapped_column(primary_key=True)
    tagged_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Report(Base):
    """A report of a period: its figures as they stood when it was made, so that it says the same ever after."""

    __tablename__ = "report"
    __table_args__ = (Index("ix_report_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date] = mapped_column(Date)  # the last day of the period
    places: Mapped[list[str]] = mapped_column(JSON)  # codes; empty for all
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
