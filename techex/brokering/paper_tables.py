"""What is handed over inside a deal, as rows: papers and their versions. Their content lies beside the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.brokering.deal_tables import Deal
from techex.core.database import Base, UTCDateTime

LONGEST_TITLE = 120


class DealPaper(Base):
    """One document of a deal, or the agreement on confidentiality. `organisation_id` None: of the exchange."""

    __tablename__ = "deal_paper"
    __table_args__ = (UniqueConstraint("deal_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id, ondelete="CASCADE"))
    number: Mapped[int]  # within its deal
    kind: Mapped[str] = mapped_column(String(16))
    organisation_id: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    rung: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))  # of title and note
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    note: Mapped[str] = mapped_column(Text, default="")
    # What it is found by: folded, and as it was written; the text of a PDF with it, so it is read only to search.
    keywords: Mapped[str] = mapped_column(Text, default="", deferred=True)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    versions: Mapped[list[DealPaperVersion]] = relationship(
        order_by="DealPaperVersion.number", cascade="all, delete-orphan", lazy="selectin"
    )

    @property
    def last(self) -> DealPaperVersion:
        """The version that counts."""
        return self.versions[-1]


class DealPaperVersion(Base):
    """One content of a paper. `terms` are what an agreement was made from by the template."""

    __tablename__ = "deal_paper_version"
    __table_args__ = (UniqueConstraint("paper_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey(DealPaper.id, ondelete="CASCADE"))
    number: Mapped[int]
    organisation_id: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    terms: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
