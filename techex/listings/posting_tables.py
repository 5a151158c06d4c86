"""What is not a listing yet, and what hangs on one: drafts and attachments as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.core.database import Base, UTCDateTime
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation


class SavedDraft(Base):
    """A listing as far as somebody has written it: nothing in it has been checked yet.

    `values` are as the form sends them. With a `listing_id` it is a new version of that listing.
    """

    __tablename__ = "listing_draft"
    __table_args__ = (CheckConstraint("kind IN ('need', 'offer')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # Field -> page that wrote it last, and field -> what other pages typed there meanwhile (listings.together).
    writers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")
    asides: Mapped[dict[str, list[dict[str, Any]]]] = mapped_column(JSON, default=dict, server_default="{}")

    person: Mapped[Person] = relationship()
    organisation: Mapped[Organisation] = relationship(lazy="joined")
    listing: Mapped[Listing | None] = relationship()

    @property
    def is_need(self) -> bool:
        """True for a need."""
        return self.kind == Kind.NEED


class Attachment(Base):
    """A file beside a listing, or beside a draft until that is submitted; its content is kept under its digest."""

    __tablename__ = "listing_attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"), index=True)
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("listing_draft.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by: Mapped[str] = mapped_column(String(200))
