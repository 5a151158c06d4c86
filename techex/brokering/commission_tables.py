"""Proposals for commissioned tasks, drafted from needs that nothing suits: the texts, the needs, the firms' consent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.core.database import Base, UTCDateTime
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation


class Commission(Base):
    """A drafted proposal. `offers` are [result, strength] of the nearest partial offers, `institutes` organisations
    that might take it on, both as chosen by its operator; `revision` counts edits: of two at once one wins.
    """

    __tablename__ = "commission"
    __table_args__ = (Index("ix_commission_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(String(8))
    field: Mapped[str] = mapped_column(String(3))
    places: Mapped[list[str]] = mapped_column(JSON)  # codes of where the needs are: their operators keep it
    title: Mapped[str] = mapped_column(Text)
    problem: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    offers: Mapped[list[Any]] = mapped_column(JSON)
    institutes: Mapped[list[int]] = mapped_column(JSON)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - what SQLAlchemy reads

    need_rows: Mapped[list[CommissionNeed]] = relationship(
        cascade="all, delete-orphan", order_by="CommissionNeed.listing_id"
    )
    consents: Mapped[list[CommissionConsent]] = relationship(
        cascade="all, delete-orphan", order_by="CommissionConsent.organisation_id"
    )


class CommissionNeed(Base):
    """A need that a proposal stands on."""

    __tablename__ = "commission_need"
    __table_args__ = (Index("ix_commission_need_listing_id", "listing_id"),)

    commission_id: Mapped[int] = mapped_column(ForeignKey(Commission.id, ondelete="CASCADE"), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)

    listing: Mapped[Listing] = relationship(lazy="joined")


class CommissionConsent(Base):
    """Whether a firm lets itself be named in a proposal; without its yes its needs are counted and it is not named."""

    __tablename__ = "commission_consent"
    __table_args__ = (
        CheckConstraint("state IN ('counted', 'asked', 'agreed', 'declined')", name="state"),
        Index("ix_commission_consent_organisation_id", "organisation_id"),
        Index("ix_commission_consent_person_id", "person_id"),
    )

    commission_id: Mapped[int] = mapped_column(ForeignKey(Commission.id, ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="counted")
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))  # who answered

    organisation: Mapped[Organisation] = relationship(lazy="joined")
