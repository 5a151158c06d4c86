"""The outbox: a letter is a row, written in the transaction that makes it necessary and sent later by `techex work`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base, UTCDateTime


class Letter(Base):
    """One letter to one person. Its key says what it is about, so the same thing is never written twice."""

    __tablename__ = "letter"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed')", name="state"),
        Index("ix_letter_state", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    recipient: Mapped[str] = mapped_column(String(254), index=True)
    language: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    secret: Mapped[bool] = mapped_column(default=False)  # holds a link that opens a door: forgotten once sent
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)  # not before; while it is being sent: claimed until
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    error: Mapped[str] = mapped_column(Text, default="")
