"""Tasks of a deal: what a named person does by a working day, and the letters that remind them of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering import course, deals, participants, pipeline
from techex.brokering.course import TASKS, TaskParty, TaskState, TaskTransition, TaskVerb
from techex.brokering.course_tables import DealTask
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import Stage
from techex.core import mail
from techex.core.context import Context, MemberRole
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.organisations.tables import OperatorPlace
from techex.regions import working_days

SOON_WORKING_DAYS = 1  # before its day, the owner is reminded
DAYS_LATE = 14  # later a letter no longer helps; the desk and the page still say it
AT_ONCE = 200

_QUICKER = N_("Somebody else was quicker: look at where it stands now.")
_GIVEN = (
    N_("%(exchange)s: a task for you in deal %(number)s"),
    N_("Somebody asks you to do something for deal %(number)s by %(due)s. What it is stands here:\n%(link)s"),
)
_SOON = (
    N_("%(exchange)s: a task of deal %(number)s is due"),
    N_("A task of yours in deal %(number)s is due on %(due)s:\n%(link)s"),
)
_LATE = (
    N_("%(exchange)s: a task of deal %(number)s is late"),
    N_("A task of yours in deal %(number)s was due on %(due)s. Do it, or say that it is dropped:\n%(link)s"),
)


@dataclass(frozen=True)
class Candidate:
    """Somebody a task can be for; `organisation_id` None is an operator."""

    person_id: int
    name: str
    organisation_id: int | None


def candidates(session: Session, deal: Deal) -> list[Candidate]:
    """The people of a deal once both sides were introduced: of the sides, of participants, operators of its places."""
    if deal.introduced_at is None:
        return []
    found = [
        Candidate(member.person_id, member.person.name, member.organisation_id)
        for member in [*deals.contacts(session, deal), *participants.people(session, deal)]
    ]
    codes = sorted(set(deals.standing(deal).places))
    rows = session.scalars(select(OperatorPlace).where(OperatorPlace.place_code.in_(codes)).order_by(OperatorPlace.id))
    operators = [*(row.person for row in rows.unique()), *participants.operators(session, deal)]
    found += [Candidate(person.id, person.name, None) for person in operators if person.is_active]
    return list({one.person_id: one for one in reversed(found)}.values())[::-1]


def of_deal(session: Session, deal: Deal) -> Sequence[DealTask]:
    """Its tasks, the open ones first, by day."""
    found = session.scalars(select(DealTask).where(DealTask.deal_id == deal.id)).unique().all()
    return sorted(found, key=lambda task: (task.state != TaskState.OPEN, task.due, task.id))


def open_of(session: Session, context: Context) -> Sequence[DealTask]:
    """The open tasks of this person, whose day comes first; those of deals that they may still see."""
    query = select(DealTask).where(DealTask.owner_id == context.actor.person_id, DealTask.state == TaskState.OPEN.value)
    found = session.scalars(query.order_by(DealTask.due, DealTask.id)).unique().all()
    return [task for task in found if _inside(context, task.deal) or participants.seat(session, context, task.deal)]


def _inside(context: Context, deal: Deal) -> bool:
    """True for whoever acts for a side or brokers."""
    standing = deals.standing(deal)
    side = pipeline.side_of(context.actor, standing, MemberRole.EDITOR)
    return side is not None or pipeline.is_operator(context.actor, standing)


def add(
    session: Session,
    context: Context,
    house: House | None,
    deal_id: int,
    title: str,
    owner_id: int,
    due: date | None,
    working: int = course.DUE_WORKING_DAYS[1],
    language: str = "vi",
) -> DealTask:
    """Ask a person of the deal for something by a day; without a day so many working days from today.

    A day off moves to the next working day. Raises NotFound, NotAllowed, Conflict, FieldErrors.
    """
    deal = deals.get(session, context, deal_id)
    if not _inside(context, deal):
        raise NotAllowed(Sentence(N_("Editors of both sides and operators of their places set tasks.")))
    if deal.introduced_at is None or Stage(deal.stage) is Stage.LOST:
        raise Conflict(Sentence(N_("Tasks begin with the introduction and end with the deal.")))
    errors: dict[str, str] = {}
    try:
        title = clean_line(title, "title")
    except BadInput as error:
        errors["title"] = error.sentence
    if not errors and not 0 < len(title) <= course.LONGEST_TITLE:
        pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
        errors["title"] = Sentence(pattern, count=len(title), longest=course.LONGEST_TITLE)
    if owner_id not in {one.person_id for one in candidates(session, deal)}:
        errors["owner"] = Sentence(N_("Choose somebody of the deal."))
    today = working_days.here(context.now)
    if due is None:
        due = working_days.after(today, working)
    elif not today <= due <= today + timedelta(days=course.LATEST_DAYS):
        errors["due"] = Sentence(N_("Expected a day from today on, within two years."))
    if errors:
        raise FieldErrors(errors)
    opened = select(func.count()).select_from(DealTask).where(DealTask.deal_id == deal.id)
    if (session.scalar(opened.where(DealTask.state == TaskState.OPEN.value)) or 0) >= course.MOST_OPEN_TASKS:
        raise Conflict(
            Sentence(N_("This deal has %(most)s open tasks: finish some first."), most=course.MOST_OPEN_TASKS)
        )
    task = DealTask(
        deal=deal,
        title=title,
        language=language,
        owner_id=owner_id,
        due=due if working_days.is_working_day(due) else working_days.after(due, 1),
        made_by=context.actor.person_id,
        made_at=context.now,
    )
    session.add(task)
    session.flush()
    _note(session, context, task, "task")
    if house is not None and owner_id != context.actor.person_id:
        _write(session, context, house, task, "given", _GIVEN)
    return task


def allowed(session: Session, context: Context, task: DealTask) -> list[TaskTransition]:
    """What this person may do to it now, in the order of the table; in a deal that is lost none is opened again."""
    parties, lost = set(), Stage(task.deal.stage) is Stage.LOST
    if context.actor.person_id is not None and task.owner_id == context.actor.person_id:
        parties.add(TaskParty.OWNER)
    if _inside(context, task.deal):
        parties.add(TaskParty.INSIDE)
    rows = [row for row in TASKS if task.state in row.sources and parties & set(row.who)]
    return [row for row in rows if not lost or row.target is not TaskState.OPEN]


def take(session: Session, context: Context, deal_id: int, task_id: int, verb: TaskVerb, revision: int) -> DealTask:
    """Take the next step of a task. Raises NotFound, NotAllowed, Conflict where somebody else was quicker."""
    task = session.get(DealTask, task_id)
    absent = NotFound(
        Sentence(N_("There is no task number %(number)s in deal number %(deal)s here."), number=task_id, deal=deal_id)
    )
    if task is None or task.deal_id != deal_id:
        raise absent
    owns = context.actor.person_id is not None and task.owner_id == context.actor.person_id
    if not (_inside(context, task.deal) or (owns and participants.seat(session, context, task.deal))):
        if not pipeline.may_see(context.actor, deals.standing(task.deal)):
            raise absent
        raise NotAllowed(Sentence(N_("This step is for somebody else to take.")))
    row = next((row for row in allowed(session, context, task) if row.verb is verb), None)
    if revision != task.revision or (row is None and not any(task.state in one.sources for one in _rows(verb))):
        raise Conflict(Sentence(_QUICKER))
    if row is None and verb is TaskVerb.REOPEN and Stage(task.deal.stage) is Stage.LOST:
        raise Conflict(Sentence(course.OVER))
    if row is None:
        raise NotAllowed(Sentence(N_("This step is for somebody else to take.")))
    task.state = row.target.value
    task.closed_at = None if row.target is TaskState.OPEN else context.now
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(Sentence(_QUICKER)) from error
    _note(session, context, task, f"task_{verb.value}")
    return task


def _rows(verb: TaskVerb) -> list[TaskTransition]:
    return [row for row in TASKS if row.verb is verb]


def _note(session: Session, context: Context, task: DealTask, verb: str) -> None:
    side = pipeline.side_of(context.actor, deals.standing(task.deal))
    deals.note(session, context, task.deal, verb, side, {"task": task.id, "due": task.due.isoformat()})


def remind(session: Session, context: Context, house: House) -> int:
    """Write to the owners of tasks that are due on the next working day, and of those that are late; each once for each
    day, by the day it is where they are. Returns how many letters.
    """
    sent = 0
    # East of Vietnam the next day has begun already: so far the net is cast, then each owner's own day counts.
    furthest = working_days.after(working_days.here(context.now) + timedelta(days=1), SOON_WORKING_DAYS)
    query = select(DealTask).where(DealTask.state == TaskState.OPEN.value, DealTask.due <= furthest)
    for task in session.scalars(query.order_by(DealTask.due, DealTask.id)).unique():
        owner = session.get(Person, task.owner_id) if task.owner_id else None
        today = working_days.day_of(owner.timezone if owner else "", context.now)
        late = task.due < today
        if task.due > working_days.after(today, SOON_WORKING_DAYS) or (today - task.due).days > DAYS_LATE:
            continue
        if Stage(task.deal.stage) is not Stage.LOST:
            sent += _write(session, context, house, task, "late" if late else "soon", _LATE if late else _SOON)
    return sent


def _write(session: Session, context: Context, house: House, task: DealTask, key: str, words: tuple[str, str]) -> bool:
    """A letter to the owner; it says neither what the task is nor with whom."""
    owner = session.get(Person, task.owner_id) if task.owner_id else None
    known = next((one for one in candidates(session, task.deal) if one.person_id == task.owner_id), None)
    if owner is None or known is None or not owner.is_active or owner.confirmed_at is None:
        return False
    return mail.write(
        session,
        context,
        key=f"task-{task.id}-{key}-{task.due}-{owner.id}",
        to=owner.email,
        language=owner.language or "vi",
        subject=words[0],
        text=words[1],
        values={
            "exchange": house.name,
            "number": task.deal_id,
            "due": f"{task.due:%Y-%m-%d}",
            "link": house.address_of("deals.show", deal_id=task.deal_id),
        },
        reader=owner.id,
        needs=[("member", known.organisation_id, MemberRole.EDITOR.value)] if known.organisation_id else [("person",)],
    )
