"""What the page of the audit log shows: entries by subject, person and time, with the names of people as of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core.audit import AuditEntry

PAGE_SIZE = 50


@dataclass(frozen=True)
class Asked:
    """What somebody looks for in the log; empty means everything."""

    subject: str = ""
    subject_id: int | None = None
    person_id: int | None = None
    since: datetime | None = None  # inclusive
    before: datetime | None = None  # exclusive
    oldest_first: bool = False
    page: int = 1


@dataclass(frozen=True)
class AuditPage:
    """One page of the log, the newest first; the names of those people who still have an account, by number."""

    entries: Sequence[AuditEntry]
    names: Mapping[int, str]
    total: int
    page: int
    pages: int


def subjects(session: Session) -> Sequence[str]:
    """The kinds of things that something happened to, in order."""
    return session.scalars(select(AuditEntry.subject).distinct().order_by(AuditEntry.subject)).all()


def _query(asked: Asked) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if asked.subject:
        query = query.where(AuditEntry.subject == asked.subject)
    if asked.subject_id is not None:
        query = query.where(AuditEntry.subject_id == asked.subject_id)
    if asked.person_id is not None:
        query = query.where(AuditEntry.person_id == asked.person_id)
    if asked.since is not None:
        query = query.where(AuditEntry.at >= asked.since)
    if asked.before is not None:
        query = query.where(AuditEntry.at < asked.before)
    return query.order_by(AuditEntry.id if asked.oldest_first else AuditEntry.id.desc())


def entries(session: Session, asked: Asked) -> AuditPage:
    """One page of the log; a page beyond the end is the last one."""
    query = _query(asked)
    total = session.scalar(query.order_by(None).with_only_columns(func.count(AuditEntry.id))) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, asked.page), pages)
    found = session.scalars(query.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)).all()
    return AuditPage(found, names_in(session, found), total, page, pages)


def everything(session: Session, asked: Asked, most: int) -> Sequence[AuditEntry]:
    """All entries that are asked for, at most so many."""
    return session.scalars(_query(asked).limit(most)).all()


def names_in(session: Session, found: Sequence[AuditEntry]) -> Mapping[int, str]:
    """The names of the people in these entries, and in their details, who still have an account."""
    people = {entry.person_id for entry in found if entry.person_id is not None}
    people |= {entry.detail["person"] for entry in found if isinstance(entry.detail.get("person"), int)}
    people |= {entry.subject_id for entry in found if entry.subject == "person"}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(people), Person.deleted_at.is_(None)))
    return dict(rows.all())
