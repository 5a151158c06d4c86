"""What the demo's operator has drafted and reported: proposals for commissioned tasks, plan documents, a report.

Made by the real verbs, from the demo's own listings and history, and marked as illustrative wherever it is shown.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from techex.accounts.demo import is_demo
from techex.accounts.service import House
from techex.brokering import commissioning, consents, deals, plan_documents, proposals, reporting, tasks
from techex.brokering.commission_tables import Commission, CommissionNeed
from techex.brokering.deal_tables import Deal
from techex.brokering.funnel import begin_of, quarter
from techex.brokering.pipeline import Stage
from techex.brokering.plan_documents import Subject
from techex.brokering.report_tables import PlanDocument, PlanTag, Report
from techex.core.context import Actor, Context, Role
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import Conflict, FieldErrors, NotAllowed
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.organisations.tables import OperatorPlace, OrganisationMember
from techex.regions import working_days

NAME = "demo exchange"
_HOUSE = House(NAME, lambda *_, **__: "")
# Needs of the demo that nothing suits, or nothing comes close to, and that ask for something alike.
TOGETHER = (("en-n-04", "en-n-06"), ("ag-n-02", "he-n-10"))
# Number, title, and how many days ago it was signed. The numbers are invented.
PLANS = (
    ("MH-01/KH", "Kế hoạch minh họa: phát triển thị trường khoa học và công nghệ liên vùng", 420),
    ("MH-02/CTr", "Chương trình minh họa: đặt hàng nhiệm vụ theo nhu cầu doanh nghiệp", 300),
)
NOTE = (
    "(Ví dụ minh họa.) Hai bên cùng quan tâm đến bảo quản và chế biến sau thu hoạch; đề nghị gặp nhau một buổi để "
    "xem điều kiện thử nghiệm."
)
TASKS = (
    "(Ví dụ minh họa.) Gọi cho hai bên để chốt lịch thử nghiệm",
    "(Ví dụ minh họa.) Kiểm tra hồ sơ sở hữu trí tuệ của kết quả",
)
TALKING = (Stage.INTRODUCED, Stage.UNDER_NDA, Stage.EVALUATION, Stage.NEGOTIATION)
TAGGED = 12  # listings and deals under the first plan


def load(database: Database, context: Context) -> int:
    """Bring it in; returns how many proposals. Nothing where this is no demo, or has some already."""
    with database.transaction() as session:
        if not is_demo(session) or session.scalar(select(Commission.id).limit(1)) is not None:
            return 0
        operator = _operator(session, context)
        if operator is None:
            return 0
        letters = session.scalar(select(func.max(Letter.id))) or 0
        drafted = [made for keys in TOGETHER if (made := _commission(session, operator, keys))]
        plans = [_plan(session, operator, *row) for row in PLANS]
        _tag(session, operator, plans, drafted)
        first = begin_of(context.now.year, quarter(working_days.here(context.now))[1])
        since = first if (working_days.here(context.now) - first).days > 30 else begin_of(*_before(first))
        _propose(session, operator)
        _set_tasks(session, operator)
        reporting.make(session, operator, since, working_days.here(context.now), [plan.id for plan in plans])
        session.execute(delete(Letter).where(Letter.id > letters))
        return len(drafted)


def _before(first: date) -> tuple[int, int]:
    return quarter(first - timedelta(days=1))


def _operator(session: Session, context: Context) -> Context | None:
    """The demo's operator, at work on this moment."""
    rows = session.scalars(select(OperatorPlace).order_by(OperatorPlace.id)).unique().all()
    if not rows:
        return None
    person = rows[0].person
    places = frozenset(row.place_code for row in rows if row.person_id == person.id)
    return replace(context, actor=Actor(person.name, Role.PERSON, person.id, places=places, second_factor=True))


def _commission(session: Session, operator: Context, keys: tuple[str, ...]) -> Commission | None:
    """A proposal from these needs; whoever can be asked is asked whether they may be named."""
    needs = list(session.scalars(select(Listing.id).where(Listing.illustrative, Listing.external_id.in_(keys))))
    if len(needs) < len(keys):
        return None
    made = commissioning.begin(session, operator, needs, "vi")
    for row in list(made.consents):
        try:
            consents.ask(session, operator, _HOUSE, made.id, row.organisation_id)
        except Conflict:  # nobody of the demo manages it
            continue
    return made


def _plan(session: Session, operator: Context, number: str, title: str, days: int) -> PlanDocument:
    day = working_days.here(operator.now) - timedelta(days=days)
    return plan_documents.add(session, operator, {"number": number, "title": title, "date": f"{day}"})


def _tag(session: Session, operator: Context, plans: list[PlanDocument], drafted: list[Commission]) -> None:
    for deal in session.scalars(
        select(Deal).where(Deal.signed_at.is_not(None)).order_by(Deal.id).limit(TAGGED)
    ).unique():
        listing = deal.interest.listing
        if any(operator.actor.operates_in(code) for code in listing.place_codes):
            plan_documents.tag(session, operator, plans[0].id, Subject.DEAL, [deal.id])
            plan_documents.tag(session, operator, plans[0].id, Subject.LISTING, [listing.id])
    for made in drafted:
        plan_documents.tag(session, operator, plans[1].id, Subject.COMMISSION, [made.id])


def _propose(session: Session, operator: Context) -> None:
    """One pair is proposed to both sides: the first whose owners have people here who can answer."""
    rows = session.scalars(select(OrganisationMember).order_by(OrganisationMember.id)).unique().all()
    houses = sorted({row.organisation_id for row in rows if row.organisation.illustrative})
    listed = select(Listing.id, Listing.kind, Listing.organisation_id).where(Listing.organisation_id.in_(houses))
    found = session.execute(listed.order_by(Listing.id)).all()
    for need in (row for row in found if row.kind == Kind.NEED):
        for offer in (row for row in found if row.kind == Kind.OFFER and row.organisation_id != need.organisation_id):
            with suppress(Conflict, NotAllowed):
                proposals.propose(session, operator, None, need.id, offer.id, NOTE, "vi")
                return


def _set_tasks(session: Session, operator: Context) -> None:
    """The operator has something to do in the deals that are talked about."""
    assert operator.actor.person_id is not None  # noqa: S101 - a person of the demo
    left = list(TASKS)
    for deal in deals.visible(session, operator, TALKING):
        if left:
            with suppress(Conflict, NotAllowed, FieldErrors):
                tasks.add(session, operator, None, deal.id, left[-1], operator.actor.person_id, None)
                left.pop()


def remove(session: Session) -> None:
    """Take away what stands on illustrative listings, and the invented plans with the reports made under them."""
    invented = select(CommissionNeed.commission_id).join(Listing, Listing.id == CommissionNeed.listing_id)
    for made in session.scalars(
        select(Commission).where(Commission.id.in_(invented.where(Listing.illustrative)))
    ).unique():
        session.delete(made)
    plans = select(PlanDocument.id).where(PlanDocument.number.in_([number for number, _, _ in PLANS]))
    under = select(PlanTag.subject_id).where(PlanTag.plan_id.in_(plans), PlanTag.subject == Subject.REPORT.value)
    session.execute(delete(Report).where(Report.id.in_(under)))
    session.execute(delete(PlanTag).where(PlanTag.plan_id.in_(plans)))
    session.execute(delete(PlanDocument).where(PlanDocument.number.in_([number for number, _, _ in PLANS])))
    session.flush()
