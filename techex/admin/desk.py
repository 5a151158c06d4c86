"""What waits on an operator's desk, by urgency; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from techex.brokering.expected import Worth
from techex.core.vocabulary import N_
from techex.regions.rules import Place
from techex.regions.working_days import until

# The desk's own dates, where no rule of a domain sets one.
VERIFY_WORKING_DAYS = 5  # an organisation waits for its directory entry
INTRODUCE_WORKING_DAYS = 2  # two sides have agreed: as long as an expression of interest is screened
CALL_WORKING_DAYS = 3  # before a proposal lapses
REGISTRATION_DAYS = 30  # after a contract was signed whose registration the law asks for


class Task(StrEnum):
    """A kind of work."""

    REVIEW = "review"
    VERIFY = "verify"
    INTEREST = "interest"
    INTRODUCE = "introduce"
    SILENT = "silent"
    REGISTRATION = "registration"
    OUTCOME = "outcome"
    TODO = "todo"
    PROPOSAL = "proposal"


TASKS: Mapping[Task, str] = {
    Task.REVIEW: N_("Read a listing"),
    Task.VERIFY: N_("Verify an organisation"),
    Task.INTEREST: N_("Pass on an expression of interest"),
    Task.INTRODUCE: N_("Introduce two sides"),
    Task.SILENT: N_("Ask about a silent deal"),
    Task.REGISTRATION: N_("Ask for a registration"),
    Task.OUTCOME: N_("Ask for an outcome"),
    Task.TODO: N_("Do a task of a deal"),
    Task.PROPOSAL: N_("Call about a proposal"),
}
# What is to be done, in more words.
REPORTED = N_("reported by a reader and hidden: look at it")
ON_HOLD = N_("on hold")
SUBMITTED = N_("submitted: take it up")
UNDER_REVIEW = N_("under review: mark it")
NEW_VERSION = N_("new version of a published listing: compare")
UNVERIFIED = N_("check who this is")
IN_DIRECTORY = N_("in the directory, nobody has checked who this is")
TAKE_UP = N_("take it up")
FORWARD = N_("forward it, or say why not")
AGREED = N_("both sides agree to be introduced")
NOTHING_HAPPENED = N_("nothing has happened for 30 days")
NO_NUMBER = N_("signed; no registration is noted")
LAST_DAYS = N_("proposed; an answer is due within days")
HOW_DID_IT_TURN_OUT = N_("in force for half a year: how did it turn out?")


@dataclass(frozen=True)
class Item:
    """One line of the desk. `key` addresses its page; `due` None comes last, unless it is wanted `at_once`."""

    task: Task
    key: int | str
    title: str
    language: str  # of the title; empty for a name
    what: str
    places: tuple[Place, ...]
    since: datetime
    due: date | None = None
    at_once: bool = False
    kind: str = ""  # need or offer
    number: int | None = None
    days_left: int | None = None  # working days; below 0 that many late
    worth: Worth | None = None  # what is expected of it
    holder: int | None = None  # the person who has it; None: whoever of the place comes first

    @property
    def subject(self) -> tuple[str, str]:
        """How hand-overs name it."""
        return self.task.value, str(self.key)

    @property
    def millions(self) -> float:
        """Its expected value in millions of dong; 0 where none is known."""
        return self.worth.millions if self.worth else 0.0

    @property
    def is_late(self) -> bool:
        """True when its day has passed."""
        return self.days_left is not None and self.days_left < 0


def dated(items: Iterable[Item], today: date) -> list[Item]:
    """With the working days that are left; whatever is past its day is at least one late."""
    return [item if item.due is None else replace(item, days_left=_days_left(item.due, today)) for item in items]


def _days_left(due: date, today: date) -> int:
    left = until(today, due)
    return min(left, -1) if due < today else left


def _urgency(item: Item) -> tuple[Any, ...]:
    day = (not item.at_once, item.due is None, item.due or date.max)
    return (*day, -item.millions, item.since, item.task, str(item.key))


SORTS: Mapping[str, tuple[str, Callable[[Item], tuple[Any, ...]]]] = {
    "urgent": (N_("most urgent first"), _urgency),
    "value": (N_("greatest expected value first"), lambda item: (not item.at_once, -item.millions, *_urgency(item))),
    "oldest": (N_("waiting longest first"), lambda item: (item.since, *_urgency(item))),
    "task": (N_("by kind of work"), lambda item: (list(Task).index(item.task), *_urgency(item))),
    "place": (N_("by place"), lambda item: (item.places[0].code, *_urgency(item))),
}


NOBODY = "nobody"


def held_by(item: Item) -> str:
    """Who has it, as addresses say it."""
    return str(item.holder) if item.holder else NOBODY


@dataclass(frozen=True)
class Asked:
    """What the address asks for; empty means everything."""

    task: str = ""
    place: str = ""
    late: bool = False
    holder: str = ""  # a person's number, or NOBODY
    sort: str = "urgent"


def chosen(items: Iterable[Item], asked: Asked) -> list[Item]:
    """Those asked for, in the order asked for."""
    found = [
        item
        for item in items
        if (not asked.task or item.task == asked.task)
        and (not asked.place or asked.place in {place.code for place in item.places})
        and (not asked.late or item.at_once or item.is_late)
        and (not asked.holder or asked.holder == held_by(item))
    ]
    return sorted(found, key=SORTS[asked.sort][1])


def counted(items: Sequence[Item]) -> dict[Task, int]:
    """How many of each kind of work, kinds without any left out."""
    found = {task: sum(item.task is task for item in items) for task in Task}
    return {task: count for task, count in found.items() if count}
