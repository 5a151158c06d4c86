"""Letters about what happens inside a deal. They hold its number and a link, and no word of what was said or shown."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering import pipeline
from techex.brokering.deal_tables import Deal
from techex.brokering.deals import standing
from techex.core import mail
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.organisations.tables import OrganisationMember

_NEWS = (
    N_("%(exchange)s: something new in deal %(number)s"),
    N_("There is something new for you to read in deal %(number)s. It is shown there and not in letters:\n%(link)s"),
)
_AGREEMENT = (
    N_("%(exchange)s: an agreement on confidentiality in deal %(number)s"),
    N_("An agreement on confidentiality in deal %(number)s waits for somebody of your side to read it:\n%(link)s"),
)
_IN_FORCE = (
    N_("%(exchange)s: the agreement on confidentiality of deal %(number)s is in force"),
    N_("Both sides of deal %(number)s have accepted the agreement on confidentiality. What opens with it:\n%(link)s"),
)


def news(session: Session, context: Context, house: House, deal: Deal) -> int:
    """Tell those on the other side that something was said or shown; at most once a day and person."""
    return _tell(session, context, house, deal, f"news-{context.now:%Y%m%d}", _NEWS)


def proposed(session: Session, context: Context, house: House, deal: Deal) -> int:
    """Tell the other side that there is a text to be read, once for each text."""
    return _tell(session, context, house, deal, f"nda-{_last(deal)}", _AGREEMENT)


def accepted(session: Session, context: Context, house: House, deal: Deal) -> int:
    """Tell the other side, or both once it is in force."""
    if standing(deal).agreement:
        return _tell(session, context, house, deal, "nda-in-force", _IN_FORCE, to_all=True)
    return _tell(session, context, house, deal, f"nda-{_last(deal)}", _AGREEMENT)


def _last(deal: Deal) -> int:
    return deal.ledger[-1].number


def _tell(
    session: Session,
    context: Context,
    house: House,
    deal: Deal,
    key: str,
    words: tuple[str, str],
    to_all: bool = False,
) -> int:
    mine = pipeline.side_of(context.actor, standing(deal))
    link = house.address_of("deals.show", deal_id=deal.id)
    return sum(
        mail.write(
            session,
            context,
            key=f"deal-{deal.id}-{key}-{person.id}",
            to=person.email,
            language=person.language or "vi",
            subject=words[0],
            text=words[1],
            values={"exchange": house.name, "number": deal.id, "link": link},
            reader=person.id,
            needs=[("interest", deal.interest_id)],
        )
        for side in standing(deal).sides
        if to_all or side != mine
        for person in _members(session, side)
    )


def _members(session: Session, organisation_id: int) -> list[Person]:
    """Those who may act for a side and have an address that was confirmed."""
    roles = [MemberRole.EDITOR.value, MemberRole.MANAGER.value]
    query = select(OrganisationMember).where(
        OrganisationMember.organisation_id == organisation_id, OrganisationMember.role.in_(roles)
    )
    people = [member.person for member in session.scalars(query).unique()]
    return [person for person in people if person.is_active and person.confirmed_at is not None]
