"""Plan documents, kept by operators, and what is tagged with them: listings, deals, proposals, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from techex.brokering import commissioning, deals, pipeline
from techex.brokering.deal_tables import Deal
from techex.brokering.report_tables import PlanDocument, PlanTag
from techex.core import audit
from techex.core.context import Context
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.listings import service as listings
from techex.listings.tables import Listing

LONGEST_NUMBER, LONGEST_TITLE = 100, 300
FIRST_YEAR = 1945
MOST_AT_ONCE = 50  # numbers in one form


class Subject(StrEnum):
    """What can be tagged."""

    LISTING = "listing"
    DEAL = "deal"
    COMMISSION = "commission"
    REPORT = "report"


SUBJECTS: Mapping[Subject, str] = {
    Subject.LISTING: N_("Needs and results"),
    Subject.DEAL: N_("Deals"),
    Subject.COMMISSION: N_("Proposals for commissioned tasks"),
    Subject.REPORT: N_("Reports"),
}
BY_HAND = (Subject.LISTING, Subject.DEAL, Subject.COMMISSION)  # a report is tagged when it is made


def known(session: Session) -> Sequence[PlanDocument]:
    """All, the newest first."""
    return session.scalars(select(PlanDocument).order_by(PlanDocument.date.desc(), PlanDocument.id.desc())).all()


def get(session: Session, plan_id: int) -> PlanDocument:
    """One by its number; raises NotFound."""
    found = session.get(PlanDocument, plan_id)
    if found is None:
        raise NotFound(Sentence(N_("There is no plan document number %(number)s here."), number=plan_id))
    return found


def add(session: Session, context: Context, given: Mapping[str, str]) -> PlanDocument:
    """Enter a document. Raises FieldErrors, Conflict for one that is there."""
    made = PlanDocument(
        **_checked(session, context, given, None), person_id=context.actor.person_id, added_at=context.now
    )
    session.add(made)
    session.flush()
    audit.record(session, context, "plan entered", "plan", made.id, {"number": made.number})
    return made


def change(session: Session, context: Context, plan_id: int, given: Mapping[str, str]) -> PlanDocument:
    """Put number, title or date right. Raises NotFound, FieldErrors, Conflict."""
    found = get(session, plan_id)
    for name, value in _checked(session, context, given, found.id).items():
        setattr(found, name, value)
    session.flush()
    audit.record(session, context, "plan changed", "plan", found.id, {"number": found.number})
    return found


def _checked(session: Session, context: Context, given: Mapping[str, str], own: int | None) -> dict[str, Any]:
    _require(context)
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, longest in (("number", LONGEST_NUMBER), ("title", LONGEST_TITLE)):
        try:
            values[name] = text = clean_line(given.get(name, ""), name)
        except BadInput as error:
            errors[name] = error.sentence
            continue
        if not 0 < len(text) <= longest:
            pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
            errors[name] = Sentence(pattern, count=len(text), longest=longest)
    try:
        values["date"] = date.fromisoformat(given.get("date", "").strip())
    except ValueError:
        errors["date"] = Sentence(N_("Expected the day on which it was signed."))
    else:
        if not FIRST_YEAR <= values["date"].year <= context.now.year + 1:
            errors["date"] = Sentence(N_("Expected the day on which it was signed."))
    if errors:
        raise FieldErrors(errors)
    same = select(PlanDocument.id).where(PlanDocument.number == values["number"], PlanDocument.date == values["date"])
    if session.scalar(same) not in (None, own):
        raise Conflict(Sentence(N_("A document with this number and date is there already.")))
    return values


def _require(context: Context) -> None:
    actor = context.actor
    if not (actor.is_operator or actor.is_administrator):
        raise NotAllowed(Sentence(N_("Plan documents are kept by operators.")))


def tag(session: Session, context: Context, plan_id: int, subject: Subject, numbers: Sequence[int]) -> int:
    """Tag some things by their numbers; returns how many were not tagged before.

    Raises NotFound for one that the person does not see, BadInput for none or too many.
    """
    get(session, plan_id)
    if subject not in BY_HAND or not 0 < len(numbers) <= MOST_AT_ONCE:
        raise BadInput(Sentence(N_("Expected 1 to %(most)s numbers."), most=MOST_AT_ONCE), "numbers")
    for number in numbers:
        _require_seen(session, context, subject, number)
    return sum(put(session, context, plan_id, subject, number) for number in dict.fromkeys(numbers))


def _require_seen(session: Session, context: Context, subject: Subject, number: int) -> None:
    if subject is Subject.LISTING:
        listing = listings.get_visible(session, context, number)
        if not any(context.actor.operates_in(code) for code in listing.place_codes):
            raise NotAllowed(Sentence(N_("Operators of its place tag a listing.")))
    elif subject is Subject.DEAL:
        deals.get(session, context, number)
    else:
        commissioning.get(session, context, number)


def put(session: Session, context: Context, plan_id: int, subject: Subject, number: int) -> bool:
    """Tag one thing; False where it was tagged already. Whoever calls has seen to it that it may be."""
    get(session, plan_id)
    if session.get(PlanTag, (plan_id, subject.value, number)) is not None:
        return False
    session.add(PlanTag(plan_id=plan_id, subject=subject.value, subject_id=number, tagged_at=context.now))
    session.flush()
    audit.record(session, context, "plan tag", subject.value, number, {"plan": plan_id})
    return True


def untag(session: Session, context: Context, plan_id: int, subject: Subject, number: int) -> None:
    """Take a tag off again."""
    if subject not in BY_HAND:
        raise BadInput(Sentence(N_("Expected 1 to %(most)s numbers."), most=MOST_AT_ONCE), "numbers")
    _require_seen(session, context, subject, number)
    session.execute(
        delete(PlanTag).where(
            PlanTag.plan_id == plan_id, PlanTag.subject == subject.value, PlanTag.subject_id == number
        )
    )
    audit.record(session, context, "plan tag removed", subject.value, number, {"plan": plan_id})


def numbers_of(session: Session, subject: Subject, number: int) -> list[str]:
    """The numbers of the documents that something is tagged with."""
    query = select(PlanDocument.number).join(PlanTag, PlanTag.plan_id == PlanDocument.id)
    query = query.where(PlanTag.subject == subject.value, PlanTag.subject_id == number)
    return list(session.scalars(query.order_by(PlanDocument.date, PlanDocument.id)))


def numbers_by_thing(session: Session, subject: Subject) -> dict[int, list[str]]:
    """The same for all that is tagged of a kind, by its number."""
    query = select(PlanTag.subject_id, PlanDocument.number).join(PlanDocument, PlanTag.plan_id == PlanDocument.id)
    query = query.where(PlanTag.subject == subject.value).order_by(PlanDocument.date, PlanDocument.id)
    found: dict[int, list[str]] = {}
    for thing, number in session.execute(query):
        found.setdefault(thing, []).append(number)
    return found


def may_tag(context: Context, subject: Subject, thing: Listing | Deal) -> bool:
    """True for an operator of the place of a listing, or of a deal."""
    if isinstance(thing, Listing):
        return subject is Subject.LISTING and any(context.actor.operates_in(code) for code in thing.place_codes)
    return subject is Subject.DEAL and pipeline.is_operator(context.actor, deals.standing(thing))


def beside(session: Session, subject: Subject, number: int) -> tuple[list[PlanDocument], list[PlanDocument]]:
    """The documents that something stands under, and the others, the newest first."""
    mine = select(PlanTag.plan_id).where(PlanTag.subject == subject.value, PlanTag.subject_id == number)
    tags, every = set(session.scalars(mine)), known(session)
    return [one for one in every if one.id in tags], [one for one in every if one.id not in tags]


@dataclass(frozen=True)
class Tagged:
    """Something under a plan, as far as its reader sees it."""

    subject: Subject
    number: int
    title: str
    language: str
    is_need: bool = False


def tagged(session: Session, context: Context, plan_id: int) -> list[Tagged]:
    """What stands under a plan and its reader may see, by kind and number."""
    rows = session.execute(
        select(PlanTag.subject, PlanTag.subject_id).where(PlanTag.plan_id == plan_id).order_by(PlanTag.subject_id)
    ).all()
    by_subject = {subject: [number for kind, number in rows if kind == subject] for subject in Subject}
    rows_of = listings.visible_by_id(session, context, by_subject[Subject.LISTING]).values()
    found = [Tagged(Subject.LISTING, row.id, row.title, row.language, row.is_need) for row in rows_of]
    found += [
        Tagged(Subject.DEAL, deal.id, deal.interest.listing.title, deal.interest.listing.language)
        for deal in deals.visible(session, context)
        if deal.id in by_subject[Subject.DEAL]
    ]
    found += [
        Tagged(Subject.COMMISSION, one.id, one.title, one.language)
        for one in commissioning.kept(session, context)
        if one.id in by_subject[Subject.COMMISSION]
    ]
    order = list(Subject)
    return sorted(found, key=lambda one: (order.index(one.subject), one.number))


def counted(session: Session, context: Context) -> list[dict[str, Any]]:
    """Every document with how much of each kind its reader sees under it; those without anything left out."""
    found = []
    for plan in known(session):
        under = tagged(session, context, plan.id)
        counts = {subject.value: sum(one.subject is subject for one in under) for subject in BY_HAND}
        if any(counts.values()):
            row: dict[str, Any] = {"number": plan.number, "title": plan.title, "date": f"{plan.date}"}
            found.append(row | counts)
    return found


def total_tags(session: Session, plan_id: int) -> int:
    """How many things are tagged with a plan, seen or not."""
    return session.scalar(select(func.count()).select_from(PlanTag).where(PlanTag.plan_id == plan_id)) or 0


def counts_of_tags(session: Session) -> dict[int, int]:
    """The same for every plan that has any."""
    return dict(session.execute(select(PlanTag.plan_id, func.count()).group_by(PlanTag.plan_id)).all())
