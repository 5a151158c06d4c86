"""How much each operator has before them, and how long their answers took, in working days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.admin.desk import Item
from techex.brokering.deal_tables import Deal, DealStep
from techex.brokering.pipeline import Verb as DealVerb
from techex.brokering.rules import Party, Verb
from techex.brokering.tables import Interest, InterestStep
from techex.core.audit import AuditEntry
from techex.listings.tables import Reading, Review
from techex.organisations.tables import Organisation
from techex.regions import working_days
from techex.regions.working_days import until

PERIOD = timedelta(days=90)
LEAST_ANSWERS = 3  # below, a median says nothing of anybody


@dataclass(frozen=True)
class Answer:
    """One thing that somebody settled: when it came, when it was settled."""

    person_id: int
    came: date
    settled: date

    @property
    def working_days(self) -> int:
        """0 on the same day."""
        return max(0, until(self.came, self.settled))


@dataclass(frozen=True)
class Load:
    """One operator's work; `person_id` None for what nobody has taken. `typical` None where there are few answers."""

    person_id: int | None
    open: int
    late: int
    answers: int
    typical: float | None


def loads(items: Sequence[Item], answers: Iterable[Answer], people: Iterable[int]) -> list[Load]:
    """One line for each of these people, then one for what nobody has."""
    took: Mapping[int, list[int]] = _by_person(answers)
    found = []
    for person_id in (*people, None):
        mine = [item for item in items if item.holder == person_id]
        days = took.get(person_id, []) if person_id else []
        late = sum(item.at_once or item.is_late for item in mine)
        typical = float(median(days)) if len(days) >= LEAST_ANSWERS else None
        found.append(Load(person_id, len(mine), late, len(days), typical))
    return found


def _by_person(answers: Iterable[Answer]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for answer in answers:
        found.setdefault(answer.person_id, []).append(answer.working_days)
    return found


def answers(session: Session, now: datetime) -> list[Answer]:
    """What operators settled within PERIOD: listings read, interests passed on or returned, sides introduced,
    organisations verified.
    """
    since = now - PERIOD
    settled = (Verb.FORWARD.value, Verb.REFUSE.value)
    queries = (
        select(InterestStep.person_id, Interest.sent_at, InterestStep.at)
        .join(Interest, Interest.id == InterestStep.interest_id)
        .where(InterestStep.party == Party.OPERATOR.value, InterestStep.verb.in_(settled), InterestStep.at >= since),
        select(Reading.reader_id, Review.submitted_at, Reading.read_at)
        .join(Review, Review.id == Reading.review_id)
        .where(Reading.read_at >= since),
        select(DealStep.person_id, Deal.opened_at, DealStep.at)
        .join(Deal, Deal.id == DealStep.deal_id)
        .where(DealStep.verb == DealVerb.INTRODUCE.value, DealStep.at >= since),
        select(AuditEntry.person_id, Organisation.created_at, AuditEntry.at)
        .join(Organisation, Organisation.id == AuditEntry.subject_id)
        .where(AuditEntry.subject == "organisation", AuditEntry.verb == "verified", AuditEntry.at >= since),
    )
    return [
        Answer(person_id, working_days.here(came), working_days.here(at))
        for query in queries
        for person_id, came, at in session.execute(query)
        if person_id is not None
    ]
