"""Who did what to what, and when, for people to read; written in the same transaction as the deed.

The table only ever grows: triggers refuse UPDATE and DELETE on both databases. Each entry carries the SHA-256 of the
hash before it and of its own content, so whoever gets past the triggers still cannot change, remove or reorder an entry
without breaking every hash after it; `verify` names the first that does not follow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from techex.core import changes
from techex.core.context import Actor, Context
from techex.core.database import Base, UTCDateTime

START = "0" * 64  # what the first entry follows
_ONLY_ROW = 1
_BATCH = 1_000  # entries read at once while the chain is walked


class AuditEntry(Base):
    """One deed. Entries are only ever added, numbered in the order in which they were committed."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    # No foreign key: an account may be deleted, what was done with it stays.
    person_id: Mapped[int | None] = mapped_column(index=True)
    verb: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain: number and hash of the last entry; one row, made by the migration."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class Link:
    """An entry as the chain sees it; `content` is None where the database holds something that cannot be read."""

    id: int
    content: str | None
    hash: str


@dataclass(frozen=True)
class Walk:
    """What walking the chain found; `broken` is the number of the first entry that does not follow."""

    entries: int
    hash: str
    broken: int | None = None
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """True when every entry follows from the one before it."""
        return not self.reason


def record(
    session: Session,
    context: Context,
    verb: str,
    subject: str,
    subject_id: int,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry inside the caller's transaction."""
    head = _held_head(session)
    entry = AuditEntry(
        id=head.last + 1,
        at=context.now,
        actor=_named(context.actor),
        person_id=context.actor.person_id,
        verb=verb,
        subject=subject,
        subject_id=subject_id,
        detail=json.loads(json.dumps(dict(detail or {}))),  # as it will be read again: text keys, no tuples
    )
    entry.hash = hash_after(head.hash, content_of(entry))
    head.last, head.hash = entry.id, entry.hash
    session.add(entry)


def _named(actor: Actor) -> str:
    # By number, not by name: the name goes with the account, the entry stays.
    return actor.name if actor.person_id is None else f"person {actor.person_id}"


def _held_head(session: Session) -> AuditHead:
    """The end of the chain, held until the end of the transaction, so that entries are chained in commit order.

    The counter of the change log is taken first: whoever records a change and an entry, in whichever order, takes
    both locks in the same one, and two writers never wait for each other.
    """
    changes.hold(session)
    session.flush()  # so that reading the head anew takes nothing back
    head = session.get(AuditHead, _ONLY_ROW, with_for_update=True, populate_existing=True)
    if head is None:
        head = AuditHead(id=_ONLY_ROW, last=0, hash=START)
        session.add(head)
    return head


def content_of(entry: Any) -> str:
    """What an entry says, in one canonical form: JSON with sorted keys, the moment in UTC to the microsecond."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    values = [entry.id, at, entry.actor, entry.person_id, entry.verb, entry.subject, entry.subject_id, entry.detail]
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hash_after(previous: str, content: str) -> str:
    """The hash of an entry with this content that follows the hash `previous`."""
    return hashlib.sha256(f"{previous}\n{content}".encode("utf-8", "surrogatepass")).hexdigest()


def last(session: Session) -> tuple[int, str]:
    """Number and hash of the last entry, to be noted down outside the database."""
    head = session.get(AuditHead, _ONLY_ROW)
    return (head.last, head.hash) if head else (0, START)


def walk(links: Iterable[Link], end: tuple[int, str]) -> Walk:
    """Follow the chain over its entries in order of their numbers; `end` is what the database says of the last."""
    count, number, previous = 0, 0, START
    for link in links:
        if link.content is None:
            return Walk(count, previous, link.id, "it cannot be read: its content was changed")
        if hash_after(previous, link.content) != link.hash:
            after = f"entry {number}" if number else "the beginning"
            what = f"it does not follow from {after}: it was changed, or an entry before it was removed or moved"
            return Walk(count, previous, link.id, what)
        count, number, previous = count + 1, link.id, link.hash
    if (number, previous) != end:
        what = f"the chain ends at entry {number} and should end at entry {end[0]}: entries were removed or added"
        return Walk(count, previous, number + 1, what)
    return Walk(count, previous)


def verify(session: Session, progress: Callable[[int, int], None] | None = None, noted: str = "") -> Walk:
    """Walk the whole chain in the database; `noted` is a hash written down earlier, which it must still hold.

    `progress` gets (done, all).
    """
    total = session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    found = noted in ("", START)

    def watched() -> Iterator[Link]:
        nonlocal found
        for done, link in enumerate(_links(session), start=1):
            found = found or link.hash == noted
            yield link
            if progress and (done % _BATCH == 0 or done == total):
                progress(done, total)

    walked = walk(watched(), last(session))
    if walked.is_whole and not found:
        what = "no entry has the hash that was noted: the whole chain was written anew after it"
        return Walk(walked.entries, walked.hash, None, what)
    return walked


def _links(session: Session) -> Iterator[Link]:
    columns = [getattr(AuditEntry, name) for name in AuditEntry.__table__.columns.keys()]  # noqa: SIM118
    after = None
    while True:
        query = select(AuditEntry.id).order_by(AuditEntry.id).limit(_BATCH)
        ids = session.scalars(query if after is None else query.where(AuditEntry.id > after)).all()
        if not ids:
            return
        try:
            rows = session.execute(select(*columns).where(AuditEntry.id.in_(ids)).order_by(AuditEntry.id)).all()
            links = [Link(row.id, content_of(row), row.hash) for row in rows]
        except (ValueError, TypeError, AttributeError):
            links = [_single(session, columns, number) for number in ids]
        yield from links
        after = ids[-1]


def _single(session: Session, columns: list[Any], number: int) -> Link:
    """One entry of a batch in which something cannot be read."""
    try:
        row = session.execute(select(*columns).where(AuditEntry.id == number)).one()
        return Link(row.id, content_of(row), row.hash)
    except (ValueError, TypeError, AttributeError):
        return Link(number, None, "")
