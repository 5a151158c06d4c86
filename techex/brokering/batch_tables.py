"""Batches of ranked offers as rows: what was sent to whom, and with which strengths."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.core.database import Base, UTCDateTime
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation


class Batch(Base):
    """Ranked results for a need, or needs for a result, sent to its organisation. `once` lets a press count once."""

    __tablename__ = "batch"
    __table_args__ = (Index("ix_batch_receiver", "receiver_id", "sent_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), index=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    note: Mapped[str] = mapped_column(Text, default="")
    once: Mapped[str] = mapped_column(String(64), unique=True)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    letters: Mapped[int] = mapped_column(default=0)

    listing: Mapped[Listing] = relationship(lazy="joined")
    receiver: Mapped[Organisation] = relationship(lazy="joined")
    lines: Mapped[list[BatchLine]] = relationship(order_by="BatchLine.rank", cascade="all, delete-orphan")


class BatchLine(Base):
    """One listing of a batch: its rank and strength when it was sent, and the passages that were cited."""

    __tablename__ = "batch_line"

    batch_id: Mapped[int] = mapped_column(ForeignKey(Batch.id, ondelete="CASCADE"), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True, index=True)
    rank: Mapped[int]
    strength: Mapped[int]
    quotes: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    listing: Mapped[Listing] = relationship(lazy="joined")


class BatchRefusal(Base):
    """Somebody who wants no letters with batches of an organisation; `person_id` None: nobody there wants batches."""

    __tablename__ = "batch_refusal"
    __table_args__ = (UniqueConstraint("organisation_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="CASCADE"), index=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
