"""One-time links: a secret of 256 bits that is kept as a digest, is good for one purpose, once, and not for long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from techex.accounts.rules import LINK_LASTS
from techex.accounts.sessions import digest, new_token
from techex.accounts.tables import OneTimeLink, Person
from techex.core.context import Context


def issue(
    session: Session, context: Context, purpose: str, person: Person | None, detail: Mapping[str, Any] | None = None
) -> str:
    """A new link; returns its token. It is void as soon as the person's password changes."""
    token = new_token()
    session.add(
        OneTimeLink(
            person_id=person.id if person else None,
            purpose=purpose,
            token_hash=digest(token),
            created_at=context.now,
            expires_at=context.now + LINK_LASTS[purpose],
            detail=dict(detail or {}) | ({"version": person.password_version} if person else {}),
        )
    )
    session.flush()
    return token


def find(session: Session, context: Context, token: str, *purposes: str) -> OneTimeLink | None:
    """The link of a token while it is good for one of these purposes."""
    found = session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == digest(token),
            OneTimeLink.purpose.in_(purposes),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > context.now,
        )
    )
    if found is None or found.person_id is None:
        return found
    person = session.get(Person, found.person_id)
    good = person is not None and person.is_active and person.password_version == found.detail.get("version")
    return found if good else None


def use(session: Session, context: Context, link: OneTimeLink) -> bool:
    """Use a link up; False where somebody was quicker."""
    done = session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=context.now)
        .returning(OneTimeLink.id)
    )
    return done.scalar_one_or_none() is not None


def prune(session: Session, context: Context) -> None:
    """Forget links that are used or expired."""
    session.execute(
        delete(OneTimeLink).where((OneTimeLink.expires_at <= context.now) | OneTimeLink.used_at.is_not(None))
    )
