"""Listings as rows: what is filtered or sorted has a column, what is only read stands in `body`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, Float, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.core.database import Base, UTCDateTime
from techex.listings.rules import BODY_FIELDS, GUARDED, Kind, State, Teaser, Visibility
from techex.organisations.tables import Organisation
from techex.regions.rules import Place

TITLE_KEY = 80  # characters of a title by which lists sort it


class Listing(Base):
    """A need or an offer."""

    __tablename__ = "listing"
    __table_args__ = (
        UniqueConstraint("organisation_id", "kind", "external_id"),
        CheckConstraint("kind IN ('need', 'offer')", name="kind"),
        CheckConstraint("trl IS NULL OR (trl BETWEEN 1 AND 9)", name="trl"),
        # Lists are put in order from these two alone, without reading the texts.
        Index("ix_listing_shown", "state", "visibility", "kind", "published_at", "id", "deadline", "trl"),
        Index("ix_listing_titled", "state", "kind", "title_key", "id", "visibility"),
        # Facets, maps and totals are counted from this index alone, without reading the texts.
        Index(
            "ix_listing_counted",
            *("state", "visibility", "kind", "country", "province"),
            *("ip_status", "language", "organisation_id", "trl", "anonymous"),
        ),
        # Of an owner: all there are, and the few anonymous ones, which every page of matches asks for.
        Index("ix_listing_owned", "organisation_id", "kind", "anonymous", "state", "visibility"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16), default=State.DRAFT.value)
    visibility: Mapped[str] = mapped_column(String(16), default=Visibility.PUBLIC.value)
    open_for_interest: Mapped[bool] = mapped_column(default=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    external_id: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Language -> its texts once more: {"origin": "author" | "translation", "values": {field: text}}
    translations: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    keywords: Mapped[str] = mapped_column(Text, default="", server_default="")  # titles and summaries, folded
    title_key: Mapped[str] = mapped_column(String(TITLE_KEY), default="", server_default="")  # its title, folded
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
    anonymous: Mapped[bool] = mapped_column(default=False, server_default=false())  # whose it is stays untold
    teaser: Mapped[str] = mapped_column(String(8), default=Teaser.NONE.value, server_default=Teaser.NONE.value)
    teaser_text: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    extended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # its owner, whether it shall go on

    organisation: Mapped[Organisation] = relationship(lazy="joined")
    field_rows: Mapped[list[ListingField]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    transfer_rows: Mapped[list[ListingTransferForm]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    # Loaded where a verdict needs them: for listings that are shared, or anonymous.
    grants: Mapped[list[ListingGrant]] = relationship(cascade="all, delete-orphan", order_by="ListingGrant.id")

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
    def kind_of_owner(self) -> str:
        """The kind of its organisation; empty for an anonymous listing, of which that would tell whose it is."""
        return "" if self.anonymous else self.organisation.kind

    @property
    def is_need(self) -> bool:
        """True for a need."""
        return self.kind == Kind.NEED

    @property
    def texts(self) -> dict[str, str]:
        """Its long texts by field name, in reading order, empty ones left out; those that everybody reads who sees it.

        Matching, search and quotes take their texts from here, so a guarded field cannot be found by.
        """
        return {name: self.body[name] for name in BODY_FIELDS if self.body.get(name) and name not in GUARDED}

    @property
    def guarded_texts(self) -> dict[str, str]:
        """Its other long texts; who reads one is for `rules.hidden_fields` to say."""
        return {name: self.body[name] for name in BODY_FIELDS if self.body.get(name) and name in GUARDED}

    @property
    def place_codes(self) -> tuple[str, ...]:
        """Under which codes operators serve it: its province, and its country."""
        return (f"{self.country}-{self.province}", self.country) if self.province else (self.country,)


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


class ListingGrant(Base):
    """An organisation that a restricted listing is shared with; `introduced`: it may know whose listing it is."""

    __tablename__ = "listing_grant"
    __table_args__ = (
        UniqueConstraint("listing_id", "organisation_id"),
        Index("ix_listing_grant_organisation_id", "organisation_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    introduced: Mapped[bool] = mapped_column(default=False)
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    granted_by: Mapped[str] = mapped_column(String(200))


class ListingRevision(Base):
    """A content that a listing had once, or that is proposed for it."""

    __tablename__ = "listing_revision"
    __table_args__ = (
        UniqueConstraint("listing_id", "number"),
        CheckConstraint("state IN ('past', 'proposed', 'accepted', 'refused')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(8))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)  # a past one: when another took its place
    written_by: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[str] = mapped_column(String(200), default="")


class Review(Base):
    """One passage through the queue: of a listing that was submitted, or of a revision that is proposed."""

    __tablename__ = "listing_review"
    __table_args__ = (Index("ix_listing_review_open", "closed_at", "due"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("listing_revision.id", ondelete="CASCADE"))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_by: Mapped[str] = mapped_column(String(200))
    due: Mapped[date] = mapped_column(Date)
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str] = mapped_column(String(16), default="")  # the verb that closed it

    readings: Mapped[list[Reading]] = relationship(cascade="all, delete-orphan", order_by="Reading.id")


class Reading(Base):
    """What one reader found: four criteria from 0 to 5, and comments by field."""

    __tablename__ = "listing_reading"
    __table_args__ = (
        UniqueConstraint("review_id", "reader_id"),
        CheckConstraint("benefit BETWEEN 0 AND 5", name="benefit"),
        CheckConstraint("clarity BETWEEN 0 AND 5", name="clarity"),
        CheckConstraint("cooperation BETWEEN 0 AND 5", name="cooperation"),
        CheckConstraint("wording BETWEEN 0 AND 5", name="wording"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("listing_review.id", ondelete="CASCADE"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reader_name: Mapped[str] = mapped_column(String(200))
    benefit: Mapped[int]
    clarity: Mapped[int]
    cooperation: Mapped[int]
    wording: Mapped[int]
    comments: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # field, or "" for all of it -> comment
    passed: Mapped[bool]
    read_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Report(Base):
    """Somebody's complaint about a listing, hidden since then until an operator has looked."""

    __tablename__ = "listing_report"

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), index=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    ground: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    reported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    looked_by: Mapped[str] = mapped_column(String(200), default="")
    outcome: Mapped[str] = mapped_column(String(16), default="")  # the verb that answered it
