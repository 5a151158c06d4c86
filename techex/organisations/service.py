"""The verbs of organisations, and the domain's public face."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from techex.core import audit, changes, mail
from techex.core.context import Actor, Context, MemberRole, Membership
from techex.core.text import clean, folded, has_words
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotAllowed, NotFound, Sentence
from techex.organisations.rules import (
    IDENTITY,
    LONGEST_NOTE,
    MOST_UNVERIFIED,
    AlreadyListed,
    OrganisationDraft,
    checked,
    checked_checks,
)
from techex.organisations.tables import (
    OperatorPlace,
    Organisation,
    OrganisationField,
    OrganisationMember,
    Verification,
)

_SLUG_BYTES = 3  # of chance at the end of a short name that a person registers


def get_organisation(session: Session, slug: str) -> Organisation:
    """The organisation with this short name; raises NotFound."""
    found = session.scalar(select(Organisation).where(Organisation.slug == slug))
    if found is None:
        raise _absent(slug)
    return found


def may_see(actor: Actor, organisation: Organisation) -> bool:
    """True for everybody once it is in the directory; before, for its members and those who look after it."""
    return (
        organisation.listed
        or actor.belongs_to(organisation.id)
        or actor.operates_in(organisation.place.code)
        or actor.is_administrator
    )


def get_visible(session: Session, context: Context, slug: str) -> Organisation:
    """The organisation with this short name; raises NotFound with one sentence whether it is absent or hidden."""
    organisation = get_organisation(session, slug)
    if not may_see(context.actor, organisation):
        raise _absent(slug)
    return organisation


def _absent(slug: str) -> NotFound:
    return NotFound(
        Sentence(N_("There is no organisation called “%(slug)s” here. Look for it in the directory."), slug=slug)
    )


def find_by_name(session: Session, name: str) -> Organisation | None:
    """The organisation of this short name, or of this name in the directory; or None.

    Anybody can register a name: one that nobody has looked at must not receive what is imported for its real bearer.
    """
    named = and_(Organisation.name == name, Organisation.listed.is_(True))
    return session.scalar(select(Organisation).where(or_(named, Organisation.slug == name)).order_by(Organisation.id))


def organisations(session: Session, ids: Iterable[int]) -> Mapping[int, Organisation]:
    """Organisations by id."""
    rows = session.scalars(select(Organisation).where(Organisation.id.in_(list(ids))))
    return {row.id: row for row in rows}


def belonging(session: Session, person_id: int) -> tuple[tuple[Membership, ...], frozenset[str]]:
    """What a person is to organisations, and the codes of the places they serve; read anew for every request."""
    rows = session.execute(
        select(OrganisationMember.organisation_id, OrganisationMember.role, Organisation.verified_at)
        .join(Organisation, Organisation.id == OrganisationMember.organisation_id)
        .where(OrganisationMember.person_id == person_id)
        .order_by(OrganisationMember.organisation_id)
    )
    memberships = tuple(Membership(number, MemberRole(role), verified is not None) for number, role, verified in rows)
    places = session.scalars(select(OperatorPlace.place_code).where(OperatorPlace.person_id == person_id))
    return memberships, frozenset(places)


def upsert(session: Session, context: Context, draft: OrganisationDraft) -> tuple[Organisation, bool]:
    """Store an organisation under its short name; returns it and whether anything changed.

    Raises FieldErrors.
    """
    draft = checked(draft)
    found = session.scalar(select(Organisation).where(Organisation.slug == draft.slug))
    values = _values(draft) | {"illustrative": draft.illustrative}
    if found is None:
        found = Organisation(slug=draft.slug, created_at=context.now, **values)
        found.fields = [OrganisationField(code=code) for code in draft.fields]
        session.add(found)
        session.flush()  # its id is needed by the change and by its listings
        what = "created"
    elif found.field_codes == sorted(draft.fields) and all(getattr(found, k) == v for k, v in values.items()):
        return found, False
    else:
        _write(found, draft)
        found.illustrative = draft.illustrative
        what = "edited"
    changes.record(session, context, "organisation", found.id, what)
    audit.record(session, context, what, "organisation", found.id)
    return found, True


def _values(draft: OrganisationDraft) -> dict[str, Any]:
    return {
        "kind": draft.kind,
        "name": draft.name,
        "names": dict(draft.names),
        "keywords": folded(" ".join([draft.name, *draft.names.values()])),
        "country": draft.country,
        "province": draft.province or None,
        "website": draft.website,
        "identifiers": dict(draft.identifiers),
    }


def _write(organisation: Organisation, draft: OrganisationDraft) -> None:
    for key, value in _values(draft).items():
        setattr(organisation, key, value)
    have = {field.code: field for field in organisation.fields}
    organisation.fields = [have.get(code) or OrganisationField(code=code) for code in draft.fields]


def with_identifiers(session: Session, identifiers: Mapping[str, Any], but: int | None = None) -> list[Organisation]:
    """Organisations that bear one of these identifiers, without the one numbered `but`."""
    same = [Organisation.identifiers[scheme].as_string() == value for scheme, value in identifiers.items() if value]
    if not same:
        return []
    query = select(Organisation).where(or_(*same)).order_by(Organisation.id)
    return [found for found in session.scalars(query) if found.id != but]


def _taken(session: Session, draft: OrganisationDraft, but: int | None = None) -> Organisation | None:
    """Another organisation in the directory that bears one of the draft's identifiers."""
    return next((found for found in with_identifiers(session, draft.identifiers, but) if found.listed), None)


def register(session: Session, context: Context, draft: OrganisationDraft) -> Organisation:
    """Take in an organisation that a person registers; they become its manager.

    It is not in the directory before an operator has verified it or published something of it. Raises FieldErrors;
    AlreadyListed where the directory has one with the same identifier. One that nobody has looked at yet is not told
    of: both stand, and whoever verifies them sees it.
    """
    person_id = context.actor.person_id
    if person_id is None:
        raise NotAllowed(Sentence(N_("Sign in to register an organisation.")))
    draft = checked(replace(draft, slug="", illustrative=False))
    if taken := _taken(session, draft):
        raise AlreadyListed(taken.slug, taken.name)
    if _waiting_of(session, person_id) >= MOST_UNVERIFIED:
        raise Conflict(
            Sentence(
                N_("You have registered %(most)s organisations that nobody has verified yet. Wait for that first."),
                most=MOST_UNVERIFIED,
            )
        )
    # The end is drawn by lot: a counted one would tell that a hidden organisation has the same name.
    slug = f"{draft.slug}-{secrets.token_hex(_SLUG_BYTES)}"
    organisation = Organisation(slug=slug, created_at=context.now, listed=False, **_values(draft))
    organisation.fields = [OrganisationField(code=code) for code in draft.fields]
    session.add(organisation)
    session.flush()
    session.add(
        OrganisationMember(
            organisation_id=organisation.id,
            person_id=person_id,
            role=MemberRole.MANAGER.value,
            shown=False,
            position="",
            since=context.now,
        )
    )
    changes.record(session, context, "organisation", organisation.id, "created")
    audit.record(session, context, "registered", "organisation", organisation.id)
    return organisation


def _waiting_of(session: Session, person_id: int) -> int:
    """How many organisations a person manages that nobody of the exchange has looked at."""
    query = (
        select(func.count())
        .select_from(OrganisationMember)
        .join(Organisation, Organisation.id == OrganisationMember.organisation_id)
        .where(
            OrganisationMember.person_id == person_id,
            OrganisationMember.role == MemberRole.MANAGER.value,
            Organisation.listed.is_(False),
        )
    )
    return session.scalar(query) or 0


def amend(session: Session, context: Context, organisation: Organisation, draft: OrganisationDraft) -> bool:
    """Bring an organisation to what its manager says of it; returns whether anything changed.

    What was verified was who it is: where its name, kind, place or identifiers change, it has to be verified anew.
    Raises FieldErrors, AlreadyListed, NotAllowed.
    """
    need_manager(context, organisation)
    draft = checked(replace(draft, slug=organisation.slug, illustrative=organisation.illustrative))
    if taken := _taken(session, draft, organisation.id):
        raise AlreadyListed(taken.slug, taken.name)
    values = _values(draft)
    changed = sorted(name for name, value in values.items() if getattr(organisation, name) != value)
    if organisation.field_codes != sorted(draft.fields):
        changed.append("fields")
    if not changed:
        return False
    _write(organisation, draft)
    changes.record(session, context, "organisation", organisation.id, "edited")
    audit.record(session, context, "edited", "organisation", organisation.id, {"fields": changed})
    if organisation.verified_at and set(changed) & set(IDENTITY):
        _close_verification(session, context, organisation, N_("Its name, kind, place or identifiers were changed."))
    return True


def hold(session: Session, organisation: Organisation) -> None:
    """Wait for whoever else changes this organisation or its members: two last managers do not leave at once."""
    session.execute(select(Organisation.id).where(Organisation.id == organisation.id).with_for_update())


def need_manager(context: Context, organisation: Organisation) -> None:
    """Raise NotAllowed unless whoever asks manages this organisation."""
    actor = context.actor
    if not (actor.is_system or actor.belongs_to(organisation.id, MemberRole.MANAGER)):
        raise NotAllowed(Sentence(N_("Only its managers may do this. Ask one of them.")))


def verify(
    session: Session, context: Context, organisation: Organisation, checks: Sequence[str] = (), note: str = ""
) -> None:
    """Mark that somebody has checked who this is, and how; from now on it is in the directory.

    Raises NotAllowed unless the actor serves its place and does not belong to it; BadInput where nothing was checked;
    Conflict where another verified organisation bears the same identifier.
    """
    need_operator(context, organisation)
    what = list(checks) if context.actor.is_system else checked_checks(checks)
    note = clean(note, "note")
    if len(note) > LONGEST_NOTE:
        raise BadInput(Sentence(N_("expected at most %(most)s characters."), most=LONGEST_NOTE), about="note")
    hold(session, organisation)  # the row first, then the change: every writer in the same order
    changes.record(session, context, "organisation", organisation.id, "verified")
    # Looked up after the change was recorded: two operators who verify two of the same number wait for each other.
    others = with_identifiers(session, organisation.identifiers, organisation.id)
    if other := next((found for found in others if found.verified_at), None):
        raise Conflict(
            Sentence(
                N_("%(name)s is verified and has the same identifier. One of the two is wrong: settle that first."),
                name=other.name,
            )
        )
    organisation.verified_at = context.now
    organisation.verified_by = context.actor.name
    organisation.listed = True
    verification = Verification(
        organisation_id=organisation.id, at=context.now, by=context.actor.name, checked=what, note=note, reason=""
    )
    session.add(verification)
    audit.record(session, context, "verified", "organisation", organisation.id, {"checked": what})
    session.flush()
    _tell_managers(session, context, organisation, f"verified-{verification.id}", _VERIFIED, "")


def withdraw_verification(session: Session, context: Context, organisation: Organisation, reason: str) -> None:
    """Take the mark back, with a reason that its members read.

    Raises NotAllowed unless the actor serves its place; BadInput without a reason; Conflict where there is no mark.
    """
    need_operator(context, organisation)
    if organisation.verified_at is None:
        raise Conflict(Sentence(N_("It is not verified, so there is nothing to take back.")))
    reason = clean(reason, "reason")
    if not has_words(reason) or len(reason) > LONGEST_NOTE:
        sentence = Sentence(N_("Say why, in at most %(most)s characters: its members will read it."), most=LONGEST_NOTE)
        raise BadInput(sentence, about="reason")
    _close_verification(session, context, organisation, reason)


def _close_verification(session: Session, context: Context, organisation: Organisation, reason: str) -> None:
    standing = session.scalars(
        select(Verification).where(Verification.organisation_id == organisation.id, Verification.withdrawn_at.is_(None))
    )
    number = 0
    for verification in standing:
        number = verification.id
        verification.withdrawn_at = context.now
        verification.withdrawn_by = context.actor.name
        verification.reason = reason
    organisation.verified_at, organisation.verified_by = None, ""
    changes.record(session, context, "organisation", organisation.id, "verification withdrawn")
    audit.record(session, context, "verification withdrawn", "organisation", organisation.id, {"reason": reason})
    _tell_managers(session, context, organisation, f"unverified-{number}", _WITHDRAWN, reason)


_VERIFIED = (
    N_("%(organisation)s is verified"),
    N_(
        "Good day,\n\nan operator of the exchange has checked who %(organisation)s is. It stands in the directory, and "
        "its members may read what is listed for members.\n"
    ),
)
_WITHDRAWN = (
    N_("%(organisation)s is no longer verified"),
    N_(
        "Good day,\n\nthe verification of %(organisation)s was taken back, for this reason:\n\n%(reason)s\n\n"
        "Its members no longer read what is listed for members. An operator of its province or country can verify it "
        "again.\n"
    ),
)


def _tell_managers(
    session: Session, context: Context, organisation: Organisation, key: str, words: tuple[str, str], reason: str
) -> None:
    """A letter to each manager who can sign in, but not to who did it."""
    managers = session.scalars(
        select(OrganisationMember).where(
            OrganisationMember.organisation_id == organisation.id,
            OrganisationMember.role == MemberRole.MANAGER.value,
        )
    )
    for manager in managers:
        person = manager.person
        if not person.is_active or person.id == context.actor.person_id:
            continue
        language = person.language or "vi"
        # A reason of our own is a message, one of an operator is as they wrote it.
        values = {
            "organisation": organisation.name_in(language),
            "reason": mail.said_in(language, reason) if reason else "",
        }
        mail.write(
            session,
            context,
            key=f"{key}-{person.id}",
            to=person.email,
            language=language,
            subject=words[0],
            text=words[1],
            values=values,
            reader=person.id,
            needs=[("member", organisation.id, MemberRole.MANAGER.value)],
        )


def need_operator(context: Context, organisation: Organisation) -> None:
    """Raise NotAllowed unless whoever asks serves the place of this organisation and is none of its members."""
    actor = context.actor
    if not actor.operates_in(organisation.place.code):
        raise NotAllowed(Sentence(N_("Only an operator of its province or country may do this.")))
    if actor.belongs_to(organisation.id):
        raise NotAllowed(Sentence(N_("You belong to it yourself. Another operator has to do this.")))
