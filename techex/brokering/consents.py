"""A firm's consent to be named in a proposal for a commissioned task: asked by an operator, given by its manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering.commission_tables import Commission, CommissionConsent
from techex.brokering.commissioning import Consent, get, without_needs
from techex.core import audit, mail
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.errors import Conflict, NotFound, Sentence
from techex.listings.tables import Listing
from techex.organisations.tables import OrganisationMember

_LETTER = (
    N_("%(exchange)s: may we name you in a proposal?"),
    N_(
        "Nothing on the exchange suits a need of yours, so an operator proposes to have the solution developed. May "
        "the proposal name your organisation? Without your yes it is counted and not named. What it says of you, and "
        "your two buttons, are here:\n%(link)s"
    ),
)


def ask(session: Session, context: Context, house: House, commission_id: int, organisation_id: int) -> int:
    """Ask a firm's managers whether it may be named; returns how many letters. Once: a second press asks nobody.

    Raises NotFound, Conflict where nobody manages the firm here.
    """
    found = get(session, context, commission_id)
    row = next((one for one in found.consents if one.organisation_id == organisation_id), None)
    if row is None:
        raise NotFound(Sentence(N_("This organisation has no need in the proposal.")))
    if row.state != Consent.COUNTED:
        return 0
    managers = _managers(session, organisation_id)
    if not managers:
        pattern = N_(
            "Nobody manages this organisation here, so nobody can be asked. Its need stays counted, not named."
        )
        raise Conflict(Sentence(pattern))
    row.state, row.asked_at = Consent.ASKED.value, context.now
    link = house.address_of("consents.show", commission_id=found.id, organisation_id=organisation_id)
    audit.record(session, context, "consent asked", "commission", found.id, {"organisation": organisation_id})
    return sum(
        mail.write(
            session,
            context,
            key=f"commission-{found.id}-{organisation_id}-{person.id}",
            to=person.email,
            language=person.language or "vi",
            subject=_LETTER[0],
            text=_LETTER[1],
            values={"exchange": house.name, "link": link},
        )
        for person in managers
    )


def _managers(session: Session, organisation_id: int) -> list[Person]:
    rows = session.scalars(
        select(OrganisationMember).where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.role == MemberRole.MANAGER.value
        )
    ).unique()
    return [row.person for row in rows if row.person.is_active and row.person.confirmed_at is not None]


@dataclass(frozen=True)
class Asked:
    """What a firm is asked: what the proposal is about, and what it says of the firm."""

    commission: Commission
    consent: CommissionConsent
    own: Sequence[Listing]
    others: int  # needs of others

    @property
    def state(self) -> Consent:
        """What it said so far."""
        return Consent(self.consent.state)


def asked_of(session: Session, context: Context) -> list[Asked]:
    """What the organisations that this person manages were asked, the newest first."""
    own = [one.organisation_id for one in context.actor.memberships if one.role is MemberRole.MANAGER]
    rows = session.scalars(
        select(CommissionConsent)
        .where(CommissionConsent.organisation_id.in_(own), CommissionConsent.state != Consent.COUNTED.value)
        .order_by(CommissionConsent.commission_id.desc())
    ).unique()
    return [_asked(session, row) for row in rows]


def asked(session: Session, context: Context, commission_id: int, organisation_id: int) -> Asked:
    """One of them; NotFound for whoever does not manage the firm, and where it was not asked."""
    row = session.get(CommissionConsent, (commission_id, organisation_id))
    manages = context.actor.belongs_to(organisation_id, MemberRole.MANAGER)
    if row is None or not manages or row.state == Consent.COUNTED:
        raise NotFound(Sentence(N_("You are not asked about this proposal.")))
    return _asked(session, row)


def _asked(session: Session, row: CommissionConsent) -> Asked:
    commission = session.get_one(Commission, row.commission_id)
    needs = [one.listing for one in commission.need_rows]
    own = [need for need in needs if need.organisation_id == row.organisation_id]
    return Asked(commission, row, own, len(needs) - len(own))


def answer(session: Session, context: Context, commission_id: int, organisation_id: int, *, agrees: bool) -> Asked:
    """A firm's yes or no, which it may change. After a no what was quoted of it is taken out of the texts."""
    found = asked(session, context, commission_id, organisation_id)
    found.consent.state = (Consent.AGREED if agrees else Consent.DECLINED).value
    found.consent.answered_at, found.consent.person_id = context.now, context.actor.person_id
    if not agrees:
        without_needs(found.commission, found.own)
        found.commission.updated_at = context.now
    session.flush()
    audit.record(session, context, "consent given" if agrees else "consent declined", "commission", commission_id, {})
    return found
