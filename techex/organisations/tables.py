"""Organisations as rows: who they are, who acts for them, who verified them; and who serves which place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
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
    # In the directory and with a page for everyone: not before somebody of the exchange has looked at it.
    listed: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    fields: Mapped[list[OrganisationField]] = relationship(cascade="all, delete-orphan")

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


class OrganisationMember(Base):
    """A person who acts for an organisation."""

    __tablename__ = "organisation_member"
    __table_args__ = (
        UniqueConstraint("organisation_id", "person_id"),
        CheckConstraint("role IN ('viewer', 'editor', 'manager')", name="role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    shown: Mapped[bool] = mapped_column(default=False)  # on the organisation's page, because they chose so
    position: Mapped[str] = mapped_column(String(120), default="")  # what they do there, in their own words
    since: Mapped[datetime] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")
    person: Mapped[Person] = relationship(lazy="joined")


class Invitation(Base):
    """A letter that makes its reader a member; the link in it is kept as a hash and works once."""

    __tablename__ = "organisation_invitation"
    __table_args__ = (CheckConstraint("role IN ('viewer', 'editor', 'manager')", name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(254))  # as the manager wrote it
    email_key: Mapped[str] = mapped_column(String(254), index=True)  # as addresses compare
    role: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # accepted, or taken back
    accepted: Mapped[bool] = mapped_column(default=False)

    organisation: Mapped[Organisation] = relationship(lazy="joined")


class OperatorPlace(Base):
    """A province or country that a person serves as an operator."""

    __tablename__ = "operator_place"
    __table_args__ = (UniqueConstraint("person_id", "place_code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    place_code: Mapped[str] = mapped_column(String(8), index=True)
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)

    person: Mapped[Person] = relationship(lazy="joined")

    @property
    def place(self) -> Place:
        """The province or country."""
        country, _, province = self.place_code.partition("-")
        return Place(country, province or None)


class Verification(Base):
    """That an operator checked who an organisation is: when, how; and why that no longer holds, where it does not."""

    __tablename__ = "organisation_verification"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by: Mapped[str] = mapped_column(String(200))
    checked: Mapped[list[str]] = mapped_column(JSON, default=list)  # codes of CHECKS
    note: Mapped[str] = mapped_column(Text, default="")  # for operators
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_by: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(Text, default="")  # of the withdrawal
