"""Who acts for an organisation: invitations, roles, leaving, and who is shown on its page."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.core import audit, changes, limits, mail
from techex.core.context import Context, MemberRole
from techex.core.limits import Rate
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotAllowed, NotFound, Sentence, TooMany
from techex.organisations.rules import INVITATION_DAYS, LONGEST_POSITION, MOST_OPEN_INVITATIONS
from techex.organisations.service import hold, need_manager
from techex.organisations.tables import Invitation, OperatorPlace, Organisation, OrganisationMember, Verification

_TOKEN_BYTES = 32
# Letters of one organisation: a staff list in an afternoon, no more; an invitation is a letter to a stranger.
LETTERS = (Rate(30, 3_600), Rate(100, 86_400))
# And of one person for organisations that nobody has verified: enough for those who register it together.
LETTERS_UNVERIFIED = (Rate(5, 86_400),)

_SUBJECT = N_("Invitation to act for %(organisation)s on %(exchange)s")
_LETTER = N_(
    "Good day,\n\n"
    "%(inviter)s invites you to act for %(organisation)s on %(exchange)s, the technology exchange, as %(role)s.\n\n"
    "To accept, open this page and sign in, or register, with this e-mail address:\n%(link)s\n\n"
    "The invitation holds until %(until)s and works once. If you do not know what this is about, there is nothing to "
    "do: without you nothing happens.\n"
)
LAST_MANAGER = N_(
    "This is the last manager of the organisation. Make somebody else a manager first. Where nobody else is left, the "
    "organisation is dissolved by deleting the account of its manager."
)
HAND_OVER = N_(
    "You are the last manager of %(organisation)s, and others still act for it. Make one of them a manager first, on "
    "the page of its people."
)

ROLES = {
    MemberRole.VIEWER: N_("viewer"),
    MemberRole.EDITOR: N_("editor"),
    MemberRole.MANAGER: N_("manager"),
}


def members(session: Session, organisation: Organisation) -> Sequence[OrganisationMember]:
    """Those who act for it, managers first, then by name."""
    rows = session.scalars(select(OrganisationMember).where(OrganisationMember.organisation_id == organisation.id))
    ranks = list(MemberRole)
    return sorted(rows, key=lambda row: (-ranks.index(MemberRole(row.role)), row.person.name.casefold(), row.id))


def memberships(session: Session, person_id: int) -> Sequence[OrganisationMember]:
    """The organisations that a person acts for, with their role."""
    rows = session.scalars(select(OrganisationMember).where(OrganisationMember.person_id == person_id))
    return sorted(rows, key=lambda row: (row.organisation.name.casefold(), row.id))


def words_of(session: Session, person_id: int) -> tuple[str, ...]:
    """How the organisations are called that a person acts for."""
    found = [member.organisation for member in memberships(session, person_id)]
    return tuple(word for one in found for word in (one.name, *one.names.values(), one.website or "") if word)


def open_invitations(session: Session, context: Context, organisation: Organisation) -> Sequence[Invitation]:
    """Those that have been neither accepted nor taken back and still hold, the newest first."""
    query = select(Invitation).where(Invitation.organisation_id == organisation.id, *_open(context))
    return session.scalars(query.order_by(Invitation.id.desc())).all()


def invitations_to(session: Session, context: Context, person_id: int) -> Sequence[Invitation]:
    """The open invitations to a person's own, confirmed address."""
    person = session.get(Person, person_id)
    if person is None or person.confirmed_at is None:
        return []
    query = select(Invitation).where(Invitation.email_key == person.email_key, *_open(context))
    return session.scalars(query.order_by(Invitation.id.desc())).all()


def _open(context: Context) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.closed_at.is_(None), Invitation.expires_at > context.now)


def invite(
    session: Session,
    context: Context,
    organisation: Organisation,
    email: str,
    role: str,
    *,
    link: Callable[[str], str],
    language: str,
    exchange: str,
) -> Invitation:
    """Invite somebody by letter; whether the address has an account makes no difference that the manager could see.

    `link` makes the address of the page that accepts, from the token. An open invitation to the same address is
    replaced. Raises BadInput, Conflict (too many open), NotAllowed, TooMany.
    """
    need_manager(context, organisation)
    address, role = checked_address(email), _role(role)
    _count_letter(session, context, organisation)
    still_open = open_invitations(session, context, organisation)
    for invitation in still_open:
        if invitation.email_key == address.key:
            invitation.closed_at = context.now
    if sum(invitation.closed_at is None for invitation in still_open) >= MOST_OPEN_INVITATIONS:
        pattern = N_("%(most)s invitations are open. Take some back, or wait until they are answered.")
        raise Conflict(Sentence(pattern, most=MOST_OPEN_INVITATIONS))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    invitation = Invitation(
        organisation_id=organisation.id,
        email=address.written,
        email_key=address.key,
        role=role.value,
        token_hash=_digest(token),
        sent_at=context.now,
        expires_at=context.now + timedelta(days=INVITATION_DAYS),
        accepted=False,
    )
    session.add(invitation)
    session.flush()
    values = {
        "inviter": context.actor.name,
        "organisation": organisation.name_in(language),
        "exchange": exchange,
        "role": mail.said_in(language, ROLES[role]),
        "link": link(token),
        "until": f"{invitation.expires_at:%Y-%m-%d}",
    }
    mail.write(
        session,
        context,
        key=f"invitation-{invitation.id}",
        to=address.written,
        language=language,
        subject=_SUBJECT,
        text=_LETTER,
        values=values,
        secret=True,
    )
    # The address stays out of the log, which never forgets; the invitation has it.
    audit.record(session, context, "invited", "organisation", organisation.id, {"invitation": invitation.id})
    return invitation


def _count_letter(session: Session, context: Context, organisation: Organisation) -> None:
    tries = [("invitation", str(organisation.id), rate) for rate in LETTERS]
    if organisation.verified_at is None:
        tries += [("unverified invitation", str(context.actor.person_id), rate) for rate in LETTERS_UNVERIFIED]
    for what, who, rate in tries:
        if wait := limits.hit(session, context.now, what, who, rate):
            raise TooMany(wait)


def _role(code: str) -> MemberRole:
    try:
        return MemberRole(code)
    except ValueError:
        raise BadInput(Sentence(N_("Choose a role: viewer, editor or manager.")), about="role") from None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def find_invitation(session: Session, context: Context, token: str) -> Invitation:
    """The open invitation that a letter's link names; raises NotFound where it is none, was used or has ended."""
    found = session.scalar(select(Invitation).where(Invitation.token_hash == _digest(token), *_open(context)))
    if found is None:
        raise NotFound(
            Sentence(N_("This invitation does not hold: it was used, taken back or has ended. Ask for a new one."))
        )
    return found


def is_for(session: Session, context: Context, invitation: Invitation) -> bool:
    """True when the person who asks owns the address that was invited."""
    person = session.get(Person, context.actor.person_id) if context.actor.person_id is not None else None
    return person is not None and person.confirmed_at is not None and person.email_key == invitation.email_key


def accept(session: Session, context: Context, invitation: Invitation) -> OrganisationMember:
    """Become a member with the role of the invitation; who is one already keeps the higher role.

    Raises NotAllowed for anybody but the owner of the invited address, NotFound where somebody was quicker.
    """
    if not is_for(session, context, invitation):
        raise NotAllowed(Sentence(N_("This invitation was sent to another address. Sign in as its owner.")))
    hold(session, invitation.organisation)
    session.refresh(invitation)
    if invitation.closed_at is not None:
        raise NotFound(Sentence(N_("This invitation was used or taken back a moment ago.")))
    invitation.closed_at, invitation.accepted = context.now, True
    person_id = context.actor.person_id
    member = _of_person(session, invitation.organisation_id, person_id)
    if member is None:
        member = OrganisationMember(
            organisation_id=invitation.organisation_id,
            person_id=person_id,
            role=invitation.role,
            shown=False,
            position="",
            since=context.now,
        )
        session.add(member)
    elif MemberRole(invitation.role).includes(MemberRole(member.role)):
        member.role = invitation.role
    session.flush()
    detail = {"person": person_id, "role": member.role, "invitation": invitation.id}
    audit.record(session, context, "joined", "organisation", invitation.organisation_id, detail)
    return member


def take_back(session: Session, context: Context, organisation: Organisation, invitation_id: int) -> None:
    """Make an open invitation void; raises NotAllowed, NotFound."""
    need_manager(context, organisation)
    found = session.get(Invitation, invitation_id)
    if found is None or found.organisation_id != organisation.id or found.closed_at is not None:
        raise NotFound(
            Sentence(N_("There is no such open invitation. It may have been answered; load the page again."))
        )
    found.closed_at = context.now
    audit.record(session, context, "invitation taken back", "organisation", organisation.id, {"invitation": found.id})


def set_role(session: Session, context: Context, organisation: Organisation, member_id: int, role: str) -> None:
    """Give a member another role; raises BadInput, Conflict (the last manager stays one), NotAllowed, NotFound."""
    need_manager(context, organisation)
    new = _role(role)
    hold(session, organisation)
    member = _member(session, organisation, member_id)
    if member.role == new:
        return
    if member.role == MemberRole.MANAGER:
        _need_another_manager(session, organisation, member)
    detail = {"person": member.person_id, "from": member.role, "to": new.value}
    member.role = new.value
    audit.record(session, context, "role changed", "organisation", organisation.id, detail)


def remove(session: Session, context: Context, organisation: Organisation, member_id: int) -> bool:
    """Take a member out, or leave oneself (then True).

    Raises Conflict (the last manager stays), NotAllowed, NotFound.
    """
    member = _member(session, organisation, member_id)
    leaves = member.person_id == context.actor.person_id
    if not leaves:
        need_manager(context, organisation)
    hold(session, organisation)
    if member.role == MemberRole.MANAGER:
        _need_another_manager(session, organisation, member)
    detail = {"person": member.person_id, "role": member.role}
    session.delete(member)
    audit.record(session, context, "left" if leaves else "removed", "organisation", organisation.id, detail)
    return leaves


def show_oneself(
    session: Session, context: Context, organisation: Organisation, shown: bool, position: str
) -> OrganisationMember:
    """Whether one stands on the organisation's page, and as what: each member decides that alone.

    Raises BadInput; NotFound for who is no member.
    """
    member = _of_person(session, organisation.id, context.actor.person_id)
    if member is None:
        raise NotFound(Sentence(N_("You do not belong to this organisation.")))
    position = clean_line(position, "position")
    if len(position) > LONGEST_POSITION:
        pattern = N_("expected at most %(most)s characters.")
        raise BadInput(Sentence(pattern, most=LONGEST_POSITION), about="position")
    member.shown, member.position = shown, position
    return member


def _member(session: Session, organisation: Organisation, member_id: int) -> OrganisationMember:
    found = session.get(OrganisationMember, member_id)
    if found is None or found.organisation_id != organisation.id:
        raise NotFound(Sentence(N_("There is no such member. They may have left; load the page again.")))
    return found


def _of_person(session: Session, organisation_id: int, person_id: int | None) -> OrganisationMember | None:
    return session.scalar(
        select(OrganisationMember).where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.person_id == person_id
        )
    )


def _need_another_manager(session: Session, organisation: Organisation, member: OrganisationMember) -> None:
    others = (
        select(func.count())
        .select_from(OrganisationMember)
        .join(Person, Person.id == OrganisationMember.person_id)
        .where(
            OrganisationMember.organisation_id == organisation.id,
            OrganisationMember.role == MemberRole.MANAGER.value,
            OrganisationMember.id != member.id,
            Person.disabled_at.is_(None),
            Person.deleted_at.is_(None),
        )
    )
    if not session.scalar(others):
        raise Conflict(Sentence(LAST_MANAGER))


@dataclass(frozen=True)
class Left:
    """An organisation that nobody could manage once a person has gone; `colleagues` are those who could."""

    organisation: Organisation
    colleagues: int


def left_without(session: Session, person_id: int) -> Sequence[Left]:
    """The organisations of which this person is the last manager, by name."""
    found = []
    for own in memberships(session, person_id):
        others = [
            row for row in members(session, own.organisation) if row.person_id != person_id and row.person.is_active
        ]
        if own.role == MemberRole.MANAGER and not any(row.role == MemberRole.MANAGER for row in others):
            found.append(Left(own.organisation, len(others)))
    return found


def leave_all(session: Session, context: Context, person_id: int) -> None:
    """An account is deleted: its memberships go, its places too, and what was addressed to it.

    An organisation of which it was all that was left is dissolved. Raises Conflict where colleagues would be left
    without a manager.
    """
    for member in memberships(session, person_id):
        hold(session, member.organisation)
    for left in left_without(session, person_id):
        if left.colleagues:
            raise Conflict(Sentence(HAND_OVER, organisation=left.organisation.name))
        _dissolve(session, context, left.organisation)
    for member in memberships(session, person_id):
        detail = {"person": person_id, "role": member.role}
        session.delete(member)
        audit.record(session, context, "left", "organisation", member.organisation_id, detail)
    session.execute(delete(OperatorPlace).where(OperatorPlace.person_id == person_id))
    if person := session.get(Person, person_id):
        session.execute(delete(Invitation).where(Invitation.email_key == person.email_key))


def _dissolve(session: Session, context: Context, organisation: Organisation) -> None:
    """Nobody is left who acts for it: it leaves the directory, and nobody is invited to it any more."""
    organisation.listed, organisation.verified_at = False, None
    standing = Verification.withdrawn_at.is_(None)
    for row in session.scalars(select(Verification).where(Verification.organisation_id == organisation.id, standing)):
        row.withdrawn_at, row.withdrawn_by = context.now, context.actor.name
        row.reason = N_("Nobody acts for it any more.")
    for invitation in open_invitations(session, context, organisation):
        invitation.closed_at = context.now
    changes.record(session, context, "organisation", organisation.id, "dissolved")
    audit.record(session, context, "dissolved", "organisation", organisation.id)


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """What organisations keep about a person, for that person."""
    places = select(OperatorPlace.place_code).where(OperatorPlace.person_id == person_id)
    return {
        "organisations": [
            {
                "organisation": member.organisation.name,
                "role": member.role,
                "since": member.since.isoformat(),
                "shown": member.shown,
                "position": member.position,
            }
            for member in memberships(session, person_id)
        ],
        "places": sorted(session.scalars(places)),
    }
