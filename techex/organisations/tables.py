"""Organisations as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.core.database import Base, UTCDateTime
from techex.regions.rules import Place


class Organisation(Base):
    """One organisation: its kind, its names in several languages, its place and its identifiers."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("length(name) > 0", name="named"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200), index=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # language -> name, where it has others
    country: Mapped[str] = mapped_column(String(2), index=True)
    province: Mapped[str | None] = mapped_column(String(2), index=True)
    keywords: Mapped[str] = mapped_column(Text, default="", server_default="")  # all its names, folded
    website: Mapped[str] = mapped_column(String(300), default="")
    identifiers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # tax code, ROR
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    verified_by: Mapped[str] = mapped_column(String(200), default="")
    illustrative: Mapped[bool] = mapped_column(default=False)  # invented for the demo exchange
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    fields: Mapped[list[OrganisationField]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.country, self.province)

    @property
    def field_codes(self) -> list[str]:
        """Its fields of science and technology, in order."""
        return sorted(field.code for field in self.fields)

    def name_in(self, language: str) -> str:
        """Its name for readers of a language; its own name where it has no other."""
        return self.names.get(language, self.name)


class OrganisationField(Base):
    """A field of science and technology an organisation works in."""

    __tablename__ = "organisation_field"
    __table_args__ = (UniqueConstraint("organisation_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(3))
