"""Who did what to what, and when, for people to read; written in the same transaction as the deed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from techex.core.context import Context
from techex.core.database import Base, UTCDateTime


class AuditEntry(Base):
    """One deed. Entries are only ever added."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor: Mapped[str] = mapped_column(String(200))
    verb: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


def record(
    session: Session,
    context: Context,
    verb: str,
    subject: str,
    subject_id: int,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry inside the caller's transaction."""
    session.add(
        AuditEntry(
            at=context.now,
            actor=context.actor.name,
            verb=verb,
            subject=subject,
            subject_id=subject_id,
            detail=dict(detail or {}),
        )
    )
