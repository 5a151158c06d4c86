"""The outbox: a letter is a row, written in the transaction that makes it necessary and sent later by `techex work`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from babel.support import Translations
from sqlalchemy import JSON, CheckConstraint, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from techex import paths
from techex.core.context import Context
from techex.core.database import Base, UTCDateTime
from techex.translations.build import compile_catalogues

LONGEST_SUBJECT = 300


class Letter(Base):
    """One letter to one person. Its key says what it is about, so the same thing is never written twice."""

    __tablename__ = "letter"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')", name="state"),
        Index("ix_letter_state", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    recipient: Mapped[str] = mapped_column(String(254), index=True)
    language: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    text: Mapped[str] = mapped_column(Text)
    unsubscribe: Mapped[str] = mapped_column(Text, default="")  # address that stops such letters with one POST
    secret: Mapped[bool] = mapped_column(default=False)  # holds a link that opens a door: forgotten once sent
    # What its reader must still be allowed when it leaves (`needs_of`); empty for what concerns only themselves.
    needs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)  # not before; while it is being sent: claimed until
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    error: Mapped[str] = mapped_column(Text, default="")


# Something a reader must be allowed, asked again when the letter leaves: ("listing", 12) reads this listing,
# ("member", 5, "editor") writes for this organisation, ("operator", "VN-33") serves this place. `techex.work` names
# who answers.
Need = tuple[str | int, ...]


@dataclass(frozen=True)
class Part:
    """A passage of a letter that leaves only if its reader may do one of these by then."""

    text: str
    any_of: Sequence[Need]


# What a key may be: it is also the name of a file and part of a Message-ID.
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@cache
def _words(language: str) -> Callable[[str], str]:
    if paths.is_checkout():
        compile_catalogues(paths.translations_dir())
    return Translations.load(str(paths.translations_dir()), [language], "messages").gettext


def said_in(language: str, message: str) -> str:
    """An English message in the language of a reader: for words that stand within a letter."""
    return _words(language)(message)


def write(
    session: Session,
    context: Context,
    *,
    key: str,
    to: str,
    language: str,
    subject: str,
    text: str,
    values: Mapping[str, object] | None = None,
    secret: bool = False,
    unsubscribe: str = "",
    reader: int | None = None,
    needs: Sequence[Need] = (),
    parts: Sequence[Part] = (),
) -> bool:
    """Put a letter into the outbox, inside the caller's transaction; False where this key was written before.

    `subject` and `text` are English messages (marked N_), put into the language of the reader here and filled in with
    `values`. `secret` says that the text holds a link which opens a door; at the address `unsubscribe` one press ends
    such letters (RFC 8058). The person `reader` must still be allowed all `needs` when it leaves, else it is dropped;
    of `parts`, which stand in the text in this order, those leave that the reader may still see, and the letter only
    with one of them.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} cannot be the key of a letter: lower-case letters, digits, '.', '_' and '-'")
    if session.scalar(select(Letter.id).where(Letter.key == key)) is not None:
        return False
    words, filled = _words(language), dict(values or {})
    body = words(text) % filled
    session.add(
        Letter(
            key=key,
            recipient=to,
            language=language,
            # A line break in a name must not become a header of the letter.
            subject=" ".join((words(subject) % filled).split())[:LONGEST_SUBJECT],
            text=body,
            needs=needs_of(body, reader, needs, parts) if reader is not None else {},
            secret=secret,
            unsubscribe=unsubscribe,
            state="waiting",
            created_at=context.now,
            due_at=context.now,
        )
    )
    session.flush()
    return True


def needs_of(text: str, reader: int, needs: Sequence[Need], parts: Sequence[Part]) -> dict[str, Any]:
    """What is kept of needs and parts: a part by where it begins and ends; one may stand within the one before it."""
    found, begin = [], 0
    for part in parts:
        start = text.index(part.text, begin)
        found.append([start, start + len(part.text), [list(need) for need in part.any_of]])
        begin = start
    return {"reader": reader, "all": [list(need) for need in needs], "parts": found}


def newest(session: Session, most: int = 50) -> Sequence[Letter]:
    """The letters written last, the newest first."""
    return session.scalars(select(Letter).order_by(Letter.id.desc()).limit(most)).all()
