"""Who has which thing of a desk, and handing things over: single ones or everything, for a time or for good.

What nobody has is for whoever of the place comes first. Taking something up in its own domain gives it to that person;
a hand-over comes after that. One that has run out or was taken back gives it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.admin.desk import Item
from techex.admin.tables import HandOver
from techex.core import audit, mail
from techex.core.context import Context
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, NotAllowed, NotFound, Sentence
from techex.organisations.tables import OperatorPlace
from techex.regions import working_days

_SUBJECT = N_("%(exchange)s: a colleague has handed work to you")
_THINGS = N_(
    "A colleague has handed things of the desk to you: %(count)s. What they are and the note of your colleague stand "
    "on your desk and not in letters:\n%(desk)s\n\nUntil when, and how to give them back:\n%(page)s"
)
_EVERYTHING = N_(
    "A colleague has handed everything on their desk to you, with what comes to it later. It stands on your desk and "
    "not in letters:\n%(desk)s\n\nUntil when, and how to give it back:\n%(page)s"
)

LONGEST_NOTE = 600
MOST_ITEMS = 100  # handed over at once


@dataclass(frozen=True)
class Colleague:
    """Somebody who serves at least one place with whoever asks."""

    person: Person
    places: frozenset[str]


def colleagues(session: Session, context: Context) -> dict[int, Colleague]:
    """By number, in the order of their names; whoever asks among them."""
    rows = session.scalars(select(OperatorPlace).order_by(OperatorPlace.id)).unique().all()
    places: dict[int, set[str]] = {}
    people: dict[int, Person] = {}
    for row in rows:
        places.setdefault(row.person_id, set()).add(row.place_code)
        people[row.person_id] = row.person
    found = [
        Colleague(people[number], frozenset(codes))
        for number, codes in places.items()
        if codes & context.actor.places and people[number].is_active
    ]
    return {one.person.id: one for one in sorted(found, key=lambda one: (one.person.name.casefold(), one.person.id))}


def in_force(session: Session, day: date) -> Sequence[HandOver]:
    """All hand-overs that hold on a day, the last first."""
    query = select(HandOver).where(HandOver.ended_at.is_(None), or_(HandOver.until.is_(None), HandOver.until >= day))
    return session.scalars(query.order_by(HandOver.id.desc())).all()


@dataclass(frozen=True)
class Holders:
    """Who has what, by the hand-overs in force (the last first)."""

    rows: Sequence[HandOver]

    def of(self, subject: tuple[str, str], own: int | None) -> int | None:
        """Who has one thing; `own` is who took it up in its domain."""
        single = next((row.to_id for row in self.rows if (row.task, row.key) == subject), own)
        seen: set[int | None] = {None}
        while single not in seen and (row := self.everything(single)):
            seen.add(single)
            single = row.to_id
        return single

    def everything(self, person_id: int | None) -> HandOver | None:
        """The hand-over of all that a person has, if they have given it away."""
        return next((row for row in self.rows if not row.task and row.person_id == person_id), None)


def held(session: Session, items: Iterable[Item], day: date, known: Mapping[int, object]) -> list[Item]:
    """The items with who has them now. Who is no colleague (any more) has nothing here."""
    holders = Holders(in_force(session, day))
    found = []
    for item in items:
        holder = holders.of(item.subject, item.holder)
        found.append(replace(item, holder=holder if holder in known else None))
    return found


def give(
    session: Session,
    context: Context,
    house: House | None,
    items: Sequence[Item],
    to_id: int,
    until: date | None = None,
    note: str = "",
) -> list[HandOver]:
    """Hand single things to a colleague, who gets one letter, or take them oneself.

    Without `house` nobody is written to. Raises BadInput, NotAllowed.
    """
    if not items:
        raise BadInput(Sentence(N_("Tick what is to be handed over.")), "item")
    to = _colleague(session, context, to_id)
    for item in items:
        if not {code for place in item.places for code in (place.code, place.country)} & to.places:
            pattern = N_("%(name)s does not serve the place of “%(title)s”.")
            raise BadInput(Sentence(pattern, name=to.person.name, title=item.title), "to")
    _check(context, until)
    note = _note(note)
    rows = [
        HandOver(
            person_id=item.holder,
            to_id=to_id,
            task=item.subject[0],
            key=item.subject[1],
            note=note,
            since=context.now,
            until=until,
        )
        for item in items[:MOST_ITEMS]
    ]
    session.add_all(rows)
    session.flush()
    new = sum(item.holder != to_id for item in items[:MOST_ITEMS])
    _tell(session, context, house, to, rows[0], _THINGS, new)
    what = [f"{row.task} {row.key}" for row in rows]
    audit.record(session, context, "handed over", "person", to_id, {"items": what, "until": _day(until), "note": note})
    return rows


def give_everything(
    session: Session, context: Context, house: House | None, to_id: int, until: date | None = None, note: str = ""
) -> HandOver:
    """Hand all that one has, and all that one will be given, to a colleague, who gets one letter.

    Without `house` nobody is written to. Raises BadInput, NotAllowed.
    """
    me = context.actor.person_id
    assert me is not None  # noqa: S101 - operators are people
    to = _colleague(session, context, to_id)
    if to_id == me:
        raise BadInput(Sentence(N_("Choose somebody else.")), "to")
    _check(context, until)
    before = {row for row in in_force(session, working_days.here(context.now)) if not row.task and row.person_id == me}
    for row in before:
        row.ended_at = context.now
    known = to_id in {row.to_id for row in before}
    row = HandOver(person_id=me, to_id=to.person.id, note=_note(note), since=context.now, until=until)
    session.add(row)
    session.flush()
    _tell(session, context, house, to, row, _EVERYTHING, 0 if known else 1)
    detail = {"items": "everything", "until": _day(until), "note": row.note}
    audit.record(session, context, "handed over", "person", to_id, detail)
    return row


def take_back(session: Session, context: Context, hand_over_id: int) -> None:
    """End a hand-over: whoever gave it, whoever has it. Raises NotFound."""
    row = session.get(HandOver, hand_over_id)
    me = context.actor.person_id
    if row is None or me not in (row.person_id, row.to_id) or not row.holds_on(working_days.here(context.now)):
        raise NotFound(Sentence(N_("There is no such hand-over that you could end.")))
    row.ended_at = context.now
    audit.record(session, context, "hand-over ended", "person", row.to_id, {"items": row.task or "everything"})


def _colleague(session: Session, context: Context, to_id: int) -> Colleague:
    if not context.actor.is_operator:
        raise NotAllowed(Sentence(N_("Only operators hand things over.")))
    found = colleagues(session, context).get(to_id)
    if found is None:
        raise BadInput(Sentence(N_("Choose an operator who serves one of your places.")), "to")
    return found


def _tell(
    session: Session, context: Context, house: House | None, to: Colleague, first: HandOver, text: str, new: int
) -> None:
    """One letter for one press, where it brings somebody else anything new; no word of what it is about."""
    if house is None or not new or to.person.id == context.actor.person_id or to.person.confirmed_at is None:
        return
    mail.write(
        session,
        context,
        key=f"handed-{first.id}",
        to=to.person.email,
        language=to.person.language or "vi",
        subject=_SUBJECT,
        text=text,
        values={
            "exchange": house.name,
            "count": new,
            "desk": house.address_of("desk.index", holder=to.person.id),
            "page": house.address_of("work.load"),
        },
        reader=to.person.id,
        needs=[("operator", *sorted(to.places))],
    )


def _check(context: Context, until: date | None) -> None:
    if until is not None and until < working_days.here(context.now):
        raise BadInput(Sentence(N_("Choose a day that has not passed, or none: then it is for good.")), "until")


def _note(note: str) -> str:
    note = clean(note, "note")
    if len(note) > LONGEST_NOTE:
        pattern = N_("has %(count)s characters; expected at most %(longest)s.")
        raise BadInput(Sentence(pattern, count=len(note), longest=LONGEST_NOTE), "note")
    return note


def _day(until: date | None) -> str | None:
    return until.isoformat() if until else None
