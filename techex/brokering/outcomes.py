"""What came of a contract after 6, 12 and 24 months, as each side says it on a page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from techex.brokering import course, deals, marks, pipeline
from techex.brokering.course_tables import DealCredit, DealOutcome
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import REVIEW_MONTHS, Stage
from techex.core.context import Context, MemberRole
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.regions import working_days

MOST_JOBS = 100_000


def of_deal(session: Session, deal: Deal) -> Sequence[DealOutcome]:
    """What was said, mark by mark."""
    query = select(DealOutcome).where(DealOutcome.deal_id == deal.id)
    return session.scalars(query.order_by(DealOutcome.months, DealOutcome.id)).all()


def asked_of(context: Context, deal: Deal) -> int:
    """The mark at which this person's side is still asked; 0 where it is not."""
    months = marks.mark_of(deal, working_days.here(context.now))
    side = pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR)
    return months if months and side is not None and side not in marks.answered(deal, months) else 0


def answer(
    session: Session, context: Context, deal_id: int, months: int, given: Mapping[str, str], language: str
) -> DealOutcome:
    """Say what came of it, once for each side and mark. Raises NotFound, NotAllowed, FieldErrors, Conflict."""
    deal = deals.get(session, context, deal_id)
    if months not in REVIEW_MONTHS:
        raise NotFound(Sentence(N_("Nothing is asked %(months)s months after a contract."), months=months))
    side = pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR)
    if side is None:
        raise NotAllowed(Sentence(N_("Editors of both sides say what came of a contract.")))
    if months > marks.mark_of(deal, working_days.here(context.now)):
        raise Conflict(Sentence(N_("It is too early for this question.")))
    in_use, jobs, text = _checked(given)
    said = Conflict(Sentence(N_("Your side has answered this question already.")))
    if side in marks.answered(deal, months):
        raise said
    made = DealOutcome(
        deal_id=deal.id,
        months=months,
        organisation_id=side,
        person_id=context.actor.person_id,
        at=context.now,
        in_use=in_use,
        jobs=jobs,
        text=text,
        language=language,
    )
    session.add(made)
    try:
        session.flush()
    except IntegrityError as error:  # somebody of the same side pressed at the same moment
        raise said from error
    deals.note(session, context, deal, "outcome", side, {"months": months, "in_use": in_use, "jobs": jobs})
    return made


def _checked(given: Mapping[str, str]) -> tuple[str, int | None, str]:
    errors: dict[str, str] = {}
    in_use, written, text = given.get("in_use", ""), given.get("jobs", "").strip(), given.get("text", "")
    if in_use not in course.IN_USE:
        errors["in_use"] = Sentence(N_("Choose one of the answers."))
    jobs = int(written) if written.isascii() and written.isdigit() and len(written) <= len(str(MOST_JOBS)) else None
    if written and (jobs is None or jobs > MOST_JOBS):
        errors["jobs"] = Sentence(N_("Expected a whole number up to %(most)s, or nothing."), most=MOST_JOBS)
    try:
        text = clean(text, "text")
    except BadInput as error:
        errors["text"] = error.sentence
    if len(text) > course.LONGEST_OUTCOME:
        pattern = N_("has %(count)s characters; at most %(longest)s.")
        errors["text"] = Sentence(pattern, count=len(text), longest=course.LONGEST_OUTCOME)
    if errors:
        raise FieldErrors(errors)
    return in_use, jobs, text


def goes_on(session: Session, context: Context, deal_id: int) -> None:
    """A silent deal is still talked about: one press answers a reminder. Raises NotFound, NotAllowed, Conflict."""
    deal = deals.get(session, context, deal_id)
    side = pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR)
    if side is None and not pipeline.is_operator(context.actor, deals.standing(deal)):
        raise NotAllowed(Sentence(N_("This step is for somebody else to take.")))
    if Stage(deal.stage) not in pipeline.OPEN or deal.introduced_at is None:
        raise Conflict(Sentence(N_("Nobody asks about this deal at the moment.")))
    deals.note(session, context, deal, "goes_on", side)


def counted(session: Session, places: Collection[str] | None = None) -> dict[int, dict[str, int]]:
    """How many sides gave which answer at which mark: of contracts with which the exchanges of these places are
    credited, or of all.
    """
    answers = select(DealOutcome.months, DealOutcome.in_use, func.count())
    query = answers.group_by(DealOutcome.months, DealOutcome.in_use)
    if places is not None:
        theirs = select(DealCredit.deal_id).where(DealCredit.place_code.in_(sorted(places)))
        query = query.where(DealOutcome.deal_id.in_(theirs))
    found: dict[int, dict[str, int]] = {}
    for months, in_use, count in session.execute(query.order_by(DealOutcome.months)):
        found.setdefault(months, {})[in_use] = count
    return found
