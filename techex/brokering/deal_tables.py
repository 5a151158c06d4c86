"""Deals as rows: the deal, its ledger, its messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.brokering.disclosing import Rung
from techex.brokering.pipeline import Contract, Stage
from techex.brokering.tables import Interest
from techex.core.database import Base, UTCDateTime


class Deal(Base):
    """What became of an accepted expression of interest. `revision` counts its steps: of two at once one wins."""

    __tablename__ = "deal"

    id: Mapped[int] = mapped_column(primary_key=True)
    interest_id: Mapped[int] = mapped_column(ForeignKey(Interest.id), unique=True)
    stage: Mapped[str] = mapped_column(String(16), default=Stage.LEAD.value, index=True)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    introduced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    contract: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    registration: Mapped[str] = mapped_column(String(100), default="")
    outcome: Mapped[str] = mapped_column(Text, default="")
    lost_at: Mapped[str | None] = mapped_column(String(16))  # the stage at which it was lost
    reason: Mapped[str | None] = mapped_column(String(32))
    reason_text: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - what SQLAlchemy reads

    interest: Mapped[Interest] = relationship(lazy="joined")
    ledger: Mapped[list[DealStep]] = relationship(order_by="DealStep.number", cascade="all, delete-orphan")

    @property
    def facts(self) -> Contract | None:
        """The contract as it was written down."""
        return Contract(**self.contract) if self.contract else None


class DealStep(Base):
    """One line of a deal's ledger, chained by hashes so that neither side nor we can change it unseen."""

    __tablename__ = "deal_step"
    __table_args__ = (UniqueConstraint("deal_id", "number"), Index("ix_deal_step_person_id", "person_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    organisation_id: Mapped[int | None]  # the side for which it was done; None for an operator
    verb: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(16))  # after it
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    hash: Mapped[str] = mapped_column(String(64))


class DealMessage(Base):
    """What one participant of a deal wrote to the others."""

    __tablename__ = "deal_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    organisation_id: Mapped[int | None]
    language: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    rung: Mapped[str] = mapped_column(
        String(16), default=Rung.NON_CONFIDENTIAL.value, server_default=Rung.NON_CONFIDENTIAL.value
    )
    keywords: Mapped[str] = mapped_column(Text, default="", server_default="")
