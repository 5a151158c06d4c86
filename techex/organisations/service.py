"""The verbs of organisations, and the domain's public face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core import audit, changes
from techex.core.context import Context, MemberRole, Membership
from techex.core.text import folded
from techex.errors import NotFound
from techex.organisations.rules import OrganisationDraft, checked
from techex.organisations.tables import OperatorPlace, Organisation, OrganisationField, OrganisationMember


def get_organisation(session: Session, slug: str) -> Organisation:
    """The organisation with this short name; raises NotFound."""
    found = session.scalar(select(Organisation).where(Organisation.slug == slug))
    if found is None:
        raise NotFound(f"There is no organisation called {slug!r} here. Look for it in the directory.")
    return found


def find_by_name(session: Session, name: str) -> Organisation | None:
    """The organisation of this name or short name, or None."""
    return session.scalar(
        select(Organisation).where((Organisation.name == name) | (Organisation.slug == name)).order_by(Organisation.id)
    )


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
    values = {
        "kind": draft.kind,
        "name": draft.name,
        "names": dict(draft.names),
        "keywords": folded(" ".join([draft.name, *draft.names.values()])),
        "country": draft.country,
        "province": draft.province or None,
        "website": draft.website,
        "identifiers": dict(draft.identifiers),
        "illustrative": draft.illustrative,
    }
    if found is None:
        found = Organisation(slug=draft.slug, created_at=context.now, **values)
        found.fields = [OrganisationField(code=code) for code in draft.fields]
        session.add(found)
        session.flush()  # its id is needed by the change and by its listings
        what = "created"
    elif found.field_codes == sorted(draft.fields) and all(getattr(found, k) == v for k, v in values.items()):
        return found, False
    else:
        for key, value in values.items():
            setattr(found, key, value)
        have = {field.code: field for field in found.fields}
        found.fields = [have.get(code) or OrganisationField(code=code) for code in draft.fields]
        what = "edited"
    changes.record(session, context, "organisation", found.id, what)
    audit.record(session, context, what, "organisation", found.id)
    return found, True


def verify(session: Session, context: Context, organisation: Organisation) -> None:
    """Mark that somebody has checked who this is."""
    organisation.verified_at = context.now
    organisation.verified_by = context.actor.name
    changes.record(session, context, "organisation", organisation.id, "verified")
    audit.record(session, context, "verified", "organisation", organisation.id)
