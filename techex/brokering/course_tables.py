"""What is kept beside a deal's ledger: tasks, further participants, credits of exchanges, answers about outcomes."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.brokering.course import ParticipantState, TaskState
from techex.brokering.deal_tables import Deal
from techex.core.database import Base, UTCDateTime
from techex.organisations.tables import Organisation


class DealTask(Base):
    """Something that a named person does by a day. `revision` counts its steps: of two at once one wins."""

    __tablename__ = "deal_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(160))
    language: Mapped[str] = mapped_column(String(8))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    due: Mapped[date] = mapped_column(Date, index=True)
    state: Mapped[str] = mapped_column(String(16), default=TaskState.OPEN.value)
    made_by: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - what SQLAlchemy reads

    deal: Mapped[Deal] = relationship(lazy="joined")


class DealParticipant(Base):
    """A further organisation, or an operator of another place, that takes part in a deal once both sides agree."""

    __tablename__ = "deal_participant"
    __table_args__ = (CheckConstraint("(organisation_id IS NULL) OR (person_id IS NULL)", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(16), default=ParticipantState.ASKED_BOTH.value)
    note: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8))
    named_at: Mapped[datetime] = mapped_column(UTCDateTime)
    joined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - what SQLAlchemy reads

    deal: Mapped[Deal] = relationship(lazy="joined")
    organisation: Mapped[Organisation | None] = relationship(lazy="joined")


class DealCredit(Base):
    """An exchange, by the code of its place, whose operator took part in bringing a deal about."""

    __tablename__ = "deal_credit"

    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"), primary_key=True)
    place_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class DealOutcome(Base):
    """What one side says came of a contract so many months after it was signed."""

    __tablename__ = "deal_outcome"
    __table_args__ = (UniqueConstraint("deal_id", "months", "organisation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"))
    months: Mapped[int]
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    in_use: Mapped[str] = mapped_column(String(16))
    jobs: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8))
