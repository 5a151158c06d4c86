"""Letters about deadlines that come near: one a day at most, at seven where the reader is, of each deadline once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from babel.dates import format_date
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.alerts.calendars import as_person, zone_named
from techex.alerts.rules import Cadence, next_time
from techex.alerts.service import Place
from techex.alerts.tables import DeadlineLetters, DeadlineTold
from techex.core import audit, letter_links, mail
from techex.core.context import Context, MemberRole
from techex.core.deadlines import Deadline, Sources
from techex.core.vocabulary import N_
from techex.organisations.tables import OperatorPlace, OrganisationMember
from techex.regions import working_days

WORKING_DAYS_BEFORE = 1  # told on the last working day before it, or later where it came up later
_SALT = "letters about deadlines"
_SUBJECT = N_("%(exchange)s: %(count)s to do by a day that is near")
_LETTER = N_(
    "This waits for you, by these days:\n\n%(lines)s\n\n"
    "All your deadlines, also for your calendar: %(page)s\n"
    "No more letters about deadlines, with one press and without signing in: %(stop)s"
)


def begin(session: Session, context: Context, place: Place, at_most: int) -> int:
    """Look after the people who may have deadlines and are not looked after yet; returns how many came."""
    edits = select(OrganisationMember.person_id).where(OrganisationMember.role != MemberRole.VIEWER.value)
    new = select(Person).where(
        or_(Person.id.in_(edits), Person.id.in_(select(OperatorPlace.person_id))),
        Person.id.not_in(select(DeadlineLetters.person_id)),
    )
    people = session.scalars(new.order_by(Person.id).limit(at_most)).all()
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for person in people:
        row = insert(DeadlineLetters).values(person_id=person.id, next_at=_next(context, place, person))
        session.execute(row.on_conflict_do_nothing())
    return len(people)


def _next(context: Context, place: Place, person: Person) -> datetime:
    return next_time(Cadence.DAILY, context.now, zone_named(person.timezone, place.zone))


def due(session: Session, context: Context, at_most: int) -> Sequence[int]:
    """Numbers of the people whose deadlines are to be looked at now, the longest waiting first."""
    query = select(DeadlineLetters.person_id).where(
        DeadlineLetters.next_at <= context.now, DeadlineLetters.stopped_at.is_(None)
    )
    return session.scalars(query.order_by(DeadlineLetters.next_at, DeadlineLetters.person_id).limit(at_most)).all()


def tell(session: Session, context: Context, place: Place, sources: Sources, person_id: int) -> int:
    """Write to a person of the deadlines that are near and that no letter has told of; returns how many.

    Letter, what it told and the next moment are one transaction.
    """
    # A second worker waits here, and then finds nothing due.
    row = session.get_one(DeadlineLetters, person_id, with_for_update=True)
    if row.next_at > context.now or row.stopped_at is not None:
        return 0
    person = session.get_one(Person, person_id)
    row.next_at = _next(context, place, person)
    if not person.is_active or person.confirmed_at is None:
        return 0
    zone = zone_named(person.timezone, place.zone)
    today = context.now.astimezone(zone).date()
    rows = session.execute(select(DeadlineTold.key, DeadlineTold.due).where(DeadlineTold.person_id == person_id))
    told = {(key, day) for key, day in rows}
    waiting = [one for one in sources.of(session, as_person(session, context, person)) if not one.has_letter]
    near = [(one, one.day_in(zone)) for one in waiting if is_near(today, one.day_in(zone))]
    near = [(one, day) for one, day in near if (one.key, day) not in told]
    for deadline, day in near:
        session.add(DeadlineTold(person_id=person_id, key=deadline.key, due=day, told_at=context.now))
    if near:
        _write(session, context, place, person, near, today)
    session.flush()
    return len(near)


def is_near(today: date, due_on: date) -> bool:
    """True from the last working day before a day on."""
    return working_days.until(today, due_on) <= WORKING_DAYS_BEFORE


def _write(
    session: Session,
    context: Context,
    place: Place,
    person: Person,
    near: Sequence[tuple[Deadline, date]],
    today: date,
) -> None:
    language = person.language or "vi"
    stop = f"{place.base}/alerts/deadlines/stop/{token_for(person.id, place.key)}"
    lines = [
        f"• {format_date(day, 'full', locale=language)}: {mail.said_in(language, deadline.what) % deadline.values}\n"
        f"  {place.base}{deadline.path}"
        for deadline, day in near
    ]
    mail.write(
        session,
        context,
        key=f"deadlines-{person.id}-{today:%Y%m%d}",
        to=person.email,
        language=language,
        subject=_SUBJECT,
        text=_LETTER,
        values={
            "exchange": place.exchange,
            "count": len(near),
            "lines": "\n\n".join(lines),
            "page": f"{place.base}/alerts/calendar",
            "stop": stop,
        },
        unsubscribe=stop,
        reader=person.id,
    )


def are_on(session: Session, person_id: int) -> bool:
    """True unless a person wants none."""
    row = session.get(DeadlineLetters, person_id)
    return row is None or row.stopped_at is None


def switch(session: Session, context: Context, place: Place, person_id: int, *, on: bool) -> None:
    """A person wants them, or none."""
    row = session.get(DeadlineLetters, person_id)
    if row is None:
        person = session.get_one(Person, person_id)
        row = DeadlineLetters(person_id=person_id, next_at=_next(context, place, person))
        session.add(row)
    if on == (row.stopped_at is None):
        return
    row.stopped_at = None if on else context.now
    audit.record(session, context, "deadline letters " + ("begun" if on else "stopped"), "person", person_id)
    session.flush()


def token_for(person_id: int, key: str) -> str:
    """What stands in the link that stops them without signing in."""
    return letter_links.token_of(key, _SALT, person_id)


def of_token(session: Session, token: str, key: str) -> int:
    """The number of the person of such a link. Raises NotFound for a link that is not ours."""
    person = session.get(Person, letter_links.value_of(key, _SALT, token))
    if person is None or person.deleted_at is not None:
        raise letter_links.not_ours()
    return person.id


def forget(session: Session, person_id: int) -> None:
    """An account is deleted."""
    for table in (DeadlineTold, DeadlineLetters):
        session.execute(delete(table).where(table.person_id == person_id))
