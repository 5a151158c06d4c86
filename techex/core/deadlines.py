"""A day or a moment by which somebody has to do something, as calendars and letters tell of it.

What is said of it leaves the exchange, so it holds numbers, links and the titles of what everybody may read anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from sqlalchemy.orm import Session

from techex.core.context import Context


@dataclass(frozen=True)
class Deadline:
    """`key` stays the same as long as it is the same thing to do; `revision` grows whenever it moves.

    `what` is an English message (N_) that is filled in with `values`; `path` is the page on which to act.
    """

    key: str
    due: date | datetime
    what: str
    values: Mapping[str, object]
    path: str
    changed_at: datetime
    revision: int = 0
    title: str = ""  # of a listing that everybody may read; else empty
    has_letter: bool = False  # a letter of its own tells of it

    @property
    def is_moment(self) -> bool:
        """True for a moment, False for a whole day."""
        return isinstance(self.due, datetime)

    def day_in(self, zone: tzinfo) -> date:
        """The day it is due for somebody in a time zone."""
        return self.due.astimezone(zone).date() if isinstance(self.due, datetime) else self.due


# What a domain knows of a person's deadlines.
Source = Callable[[Session, Context], Iterable[Deadline]]


@dataclass(frozen=True)
class Sources:
    """All domains that have any."""

    each: tuple[Source, ...] = ()

    def of(self, session: Session, context: Context) -> list[Deadline]:
        """Everything with a date that waits for this person, the next first."""
        found = [deadline for source in self.each for deadline in source(session, context)]
        return sorted(found, key=lambda one: (one.day_in(UTC), one.key))
