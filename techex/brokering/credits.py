"""Which exchanges brought a deal about: the places whose operators took part. Of two each counts for half.

The total counts each deal once; an exchange counts its share, so that shares add up to the total.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering.course_tables import DealCredit
from techex.brokering.deal_tables import Deal
from techex.brokering.rules import Party
from techex.core.context import Context
from techex.organisations.tables import OperatorPlace


def credit(session: Session, context: Context, deal: Deal, places: Iterable[str]) -> None:
    """Note that the exchanges of these places took part; once each."""
    known = set(session.scalars(select(DealCredit.place_code).where(DealCredit.deal_id == deal.id)))
    for code in sorted(set(places) - known):
        session.add(DealCredit(deal_id=deal.id, place_code=code, at=context.now))
    session.flush()


def of_operator(session: Session, context: Context, deal: Deal, places: Iterable[str]) -> None:
    """Credit an operator who took a step: with those of their places that the two sides are in."""
    interest = deal.interest.standing
    concerned = {*interest.sender_places, *interest.receiver_places}
    credit(session, context, deal, _narrowest(set(places) & concerned))


def _narrowest(codes: set[str]) -> set[str]:
    """Without a country beside a province of it: who serves both is one exchange there."""
    return {code for code in codes if not any(other.startswith(f"{code}-") for other in codes)}


def of_interest(session: Session, context: Context, deal: Deal) -> None:
    """Credit those who passed the expression of interest on, or proposed it, when the deal opens."""
    people = {step.person_id for step in deal.interest.steps if step.party == Party.OPERATOR and step.person_id}
    rows = session.scalars(select(OperatorPlace).where(OperatorPlace.person_id.in_(sorted(people)))).unique()
    served: dict[int, set[str]] = {}
    for row in rows:
        served.setdefault(row.person_id, set()).add(row.place_code)
    for codes in served.values():
        of_operator(session, context, deal, codes)


def of_deal(session: Session, deal: Deal) -> Sequence[str]:
    """The codes of the exchanges credited with a deal."""
    query = select(DealCredit.place_code).where(DealCredit.deal_id == deal.id)
    return session.scalars(query.order_by(DealCredit.at, DealCredit.place_code)).all()


def shares(session: Session, places: Collection[str] | None = None) -> tuple[Mapping[str, Fraction], int]:
    """By exchange its share of the contracts, the greatest first, and how many that are, each counted once.

    With `places` only contracts that one of these has a share of, and of the others' shares nothing but their sum,
    under an empty code.
    """
    query = select(DealCredit.deal_id, DealCredit.place_code).join(Deal, Deal.id == DealCredit.deal_id)
    by_deal: dict[int, list[str]] = {}
    for deal_id, code in session.execute(query.where(Deal.signed_at.is_not(None))):
        by_deal.setdefault(deal_id, []).append(code)
    counted = [codes for codes in by_deal.values() if places is None or set(places) & set(codes)]
    found: dict[str, Fraction] = {}
    for codes in counted:
        for code in codes:
            name = code if places is None or code in places else ""
            found[name] = found.get(name, Fraction()) + Fraction(1, len(codes))
    return dict(sorted(found.items(), key=lambda row: (not row[0], -row[1], row[0]))), len(counted)
