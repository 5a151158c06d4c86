"""People, their sessions, one-time links and recovery codes as rows.

Nothing here opens a door by itself: tokens and codes are kept as digests, passwords as argon2id, and the seed of a
second factor is made from the nonce in the row and the signing key outside the database.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base, UTCDateTime


class Person(Base):
    """Somebody with an account. The row of a deleted account stays, emptied, so that what they did keeps its author."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))  # as its owner writes it
    email_key: Mapped[str] = mapped_column(String(254), unique=True)  # as two spellings of one address compare
    name: Mapped[str] = mapped_column(String(120))
    language: Mapped[str] = mapped_column(String(8), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")
    password_hash: Mapped[str] = mapped_column(String(200), default="")  # empty: no password chosen yet
    password_version: Mapped[int] = mapped_column(default=0)  # one up at each change: older links are void
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # proved that the mailbox is theirs
    administrator: Mapped[bool] = mapped_column(default=False)
    illustrative: Mapped[bool] = mapped_column(default=False)  # invented for the demo exchange
    factor_nonce: Mapped[str] = mapped_column(String(64), default="")
    factor_since: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the second factor is asked for since then
    factor_step: Mapped[int] = mapped_column(default=0)  # time step of the last code used: none is used twice
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_active(self) -> bool:
        """True while this account may be signed in to."""
        return self.disabled_at is None and self.deleted_at is None


class PersonSession(Base):
    """One browser in which a person is signed in; without its row the cookie is worth nothing."""

    __tablename__ = "person_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    second_factor: Mapped[bool] = mapped_column(default=False)  # proved in this session
    browser: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(64), default="")


class OneTimeLink(Base):
    """A secret that was mailed (or printed) once and opens one door once, until it expires."""

    __tablename__ = "one_time_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class RecoveryCode(Base):
    """One of the codes that stand in for a lost second factor."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
