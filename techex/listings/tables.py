"""Listings as rows: what is filtered or sorted has a column, what is only read stands in `body`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.core.database import Base, UTCDateTime
from techex.listings.rules import BODY_FIELDS, Kind, State, Visibility
from techex.organisations.tables import Organisation
from techex.regions.rules import Place


class Listing(Base):
    """A need or an offer."""

    __tablename__ = "listing"
    __table_args__ = (
        UniqueConstraint("organisation_id", "kind", "external_id"),
        CheckConstraint("kind IN ('need', 'offer')", name="kind"),
        CheckConstraint("trl IS NULL OR (trl BETWEEN 1 AND 9)", name="trl"),
        Index("ix_listing_shown", "state", "visibility", "kind", "published_at"),
        # Facets, maps and totals are counted from this index alone, without reading the texts.
        Index(
            "ix_listing_counted",
            *("state", "visibility", "kind", "country", "province"),
            *("ip_status", "language", "organisation_id", "trl"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16), default=State.DRAFT.value)
    visibility: Mapped[str] = mapped_column(String(16), default=Visibility.PUBLIC.value)
    open_for_interest: Mapped[bool] = mapped_column(default=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    external_id: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    keywords: Mapped[str] = mapped_column(Text, default="", server_default="")  # title and summary, folded
    trl: Mapped[int | None]
    ip_status: Mapped[str | None] = mapped_column(String(16))
    ownership: Mapped[str | None] = mapped_column(String(16))
    reach: Mapped[str | None] = mapped_column(String(16))
    industry: Mapped[str | None] = mapped_column(String(1))
    country: Mapped[str] = mapped_column(String(2), index=True)
    province: Mapped[str | None] = mapped_column(String(2), index=True)
    budget_min: Mapped[float | None] = mapped_column(Float)
    budget_max: Mapped[float | None] = mapped_column(Float)
    price: Mapped[float | None] = mapped_column(Float)
    currency: Mapped[str | None] = mapped_column(String(3))
    deadline: Mapped[date | None] = mapped_column(Date)
    validity: Mapped[date | None] = mapped_column(Date)
    illustrative: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")
    field_rows: Mapped[list[ListingField]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    transfer_rows: Mapped[list[ListingTransferForm]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    @property
    def fields(self) -> list[str]:
        """Codes of its fields of science and technology, in order."""
        return sorted(row.code for row in self.field_rows)

    @property
    def transfer_forms(self) -> list[str]:
        """Codes of its transfer forms, in order."""
        return sorted(row.code for row in self.transfer_rows)

    @property
    def place(self) -> Place:
        """Where it is applied (a need) or comes from (an offer)."""
        return Place(self.country, self.province)

    @property
    def is_need(self) -> bool:
        """True for a need."""
        return self.kind == Kind.NEED

    @property
    def texts(self) -> dict[str, str]:
        """Its long texts by field name, in reading order, empty ones left out."""
        return {name: self.body[name] for name in BODY_FIELDS if self.body.get(name)}


class ListingField(Base):
    """A field of science and technology of a listing."""

    __tablename__ = "listing_field"
    __table_args__ = (UniqueConstraint("listing_id", "code"), Index("ix_listing_field_code", "code"))

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(3))


class ListingTransferForm(Base):
    """A transfer form that a need accepts or an offer is open to."""

    __tablename__ = "listing_transfer_form"
    __table_args__ = (UniqueConstraint("listing_id", "code"), Index("ix_listing_transfer_form_code", "code"))

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(32))
