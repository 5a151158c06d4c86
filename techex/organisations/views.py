"""Pages for those who act for an organisation: registration, its facts, its people, invitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from sqlalchemy.orm import Session

from techex.core.context import Context, MemberRole
from techex.core.vocabulary import FIELDS, N_, ORGANISATION_KINDS
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.organisations import members, service
from techex.organisations.forms import draft_of, read_organisation
from techex.organisations.rules import AlreadyListed, OrganisationDraft
from techex.organisations.tables import Organisation
from techex.regions import service as regions
from techex.web import identity, policy, replies
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("membership", __name__)


def _form(draft: OrganisationDraft, organisation: Organisation | None, error: Exception | None = None) -> Response:
    """The form of an organisation, new or known; with an error, what was sent stays in it."""
    errors: Mapping[str, str] = {}
    if isinstance(error, FieldErrors):
        errors = {"place" if name in ("country", "province") else name: text for name, text in error.fields.items()}
    return replies.page(
        "organisations/form.html",
        status_of(error) if isinstance(error, (BadInput, Conflict)) else 200,
        draft=draft,
        organisation=organisation,
        errors=errors,
        taken=error if isinstance(error, AlreadyListed) else None,
        conflict=error.args[0] if isinstance(error, Conflict) and not isinstance(error, AlreadyListed) else None,
        kinds=ORGANISATION_KINDS,
        fields=FIELDS,
        provinces=regions.provinces(),
        countries=sorted(regions.countries(), key=lambda code: regions.country_name(code, page_language())),
    )


@blueprint.get("/register-organisation")
@policy.open_to(policy.signed_in)
def registration() -> Response:
    """The form that registers an organisation."""
    return _form(OrganisationDraft(name="", country=""), None)


@blueprint.post("/register-organisation")
@policy.open_to(policy.signed_in)
def register() -> Response:
    """Take an organisation in; whoever registers it becomes its manager."""
    draft = read_organisation(request.form)
    try:
        with identity.database().transaction() as session:
            slug = service.register(session, identity.context(), draft).slug
    except (BadInput, Conflict) as error:
        return _form(draft, None, error)
    return replies.see_other(url_for("organisations.show", slug=slug))


@blueprint.get("/organisations/<slug>/edit")
@policy.open_to(policy.signed_in)
def edit(slug: str) -> Response:
    """What an organisation says of itself, for its managers."""
    with identity.database().reading() as session:
        organisation = service.get_visible(session, identity.context(), slug)
        service.need_manager(identity.context(), organisation)
        return _form(draft_of(organisation), organisation)


@blueprint.post("/organisations/<slug>/edit")
@policy.open_to(policy.signed_in)
def amend(slug: str) -> Response:
    """Change what an organisation says of itself."""
    draft = read_organisation(request.form)
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            service.amend(session, context, service.get_visible(session, context, slug), draft)
    except (BadInput, Conflict) as error:
        with identity.database().reading() as session:
            return _form(draft, service.get_visible(session, context, slug), error)
    return replies.see_other(url_for("organisations.show", slug=slug))


@blueprint.get("/your-organisations")
@policy.open_to(policy.signed_in)
def mine() -> Response:
    """The organisations that a person acts for, and the invitations that wait for them."""
    context = identity.context()
    person_id = context.actor.person_id or 0
    with identity.database().reading() as session:
        return replies.page(
            "organisations/mine.html",
            memberships=members.memberships(session, person_id),
            invitations=members.invitations_to(session, context, person_id),
            roles=members.ROLES,
        )


@blueprint.post("/your-organisations/invitations/<int:invitation_id>")
@policy.open_to(policy.signed_in)
def accept_listed(invitation_id: int) -> Response:
    """Accept an invitation from the list of one's own."""
    context = identity.context()
    with identity.database().transaction() as session:
        listed = members.invitations_to(session, context, context.actor.person_id or 0)
        found = next((invitation for invitation in listed if invitation.id == invitation_id), None)
        if found is None:
            raise NotFound(Sentence(N_("This invitation does not hold: it was used, taken back or has ended.")))
        members.accept(session, context, found)
        slug = found.organisation.slug
    return replies.see_other(url_for("organisations.show", slug=slug))


@blueprint.get("/invitations/<token>")
@policy.open_to(policy.everyone)
def invitation(token: str) -> Response:
    """Where the link of an invitation leads: it says what is offered; nothing happens before the button."""
    context = identity.context()
    with identity.database().reading() as session:
        found = members.find_invitation(session, context, token)
        response = replies.page(
            "organisations/invitation.html",
            invitation=found,
            is_for=members.is_for(session, context, found),
            signed_in=context.actor.is_signed_in,
            roles=members.ROLES,
            address=url_for("membership.invitation", token=token),
        )
    response.headers["Cache-Control"] = "no-store"  # the address is a key
    return response


@blueprint.post("/invitations/<token>")
@policy.open_to(policy.signed_in)
def accept(token: str) -> Response:
    """Become a member."""
    context = identity.context()
    with identity.database().transaction() as session:
        found = members.find_invitation(session, context, token)
        members.accept(session, context, found)
        slug = found.organisation.slug
    return replies.see_other(url_for("organisations.show", slug=slug))


def _of_members(session: Session, context: Context, slug: str) -> Organisation:
    """An organisation, for those who belong to it."""
    organisation = service.get_visible(session, context, slug)
    if not context.actor.belongs_to(organisation.id):
        raise NotAllowed(Sentence(N_("This page is for the members of the organisation.")))
    return organisation


def _people_page(slug: str, error: BadInput | Conflict | None = None, **typed: Any) -> Response:
    context = identity.context()
    with identity.database().reading() as session:
        organisation = _of_members(session, context, slug)
        rows = members.members(session, organisation)
        manages = context.actor.belongs_to(organisation.id, MemberRole.MANAGER)
        return replies.page(
            "organisations/people.html",
            status_of(error) if error else 200,
            organisation=organisation,
            members=rows,
            own=next(row for row in rows if row.person_id == context.actor.person_id),
            manages=manages,
            invitations=members.open_invitations(session, context, organisation) if manages else [],
            roles=members.ROLES,
            error=error.sentence if isinstance(error, BadInput) else error.args[0] if error else None,
            about=error.about if isinstance(error, BadInput) else "",
            typed=typed,
        )


@blueprint.get("/organisations/<slug>/people")
@policy.open_to(policy.signed_in)
def people(slug: str) -> Response:
    """Who acts for an organisation; its managers invite, change roles and take out."""
    return _people_page(slug)


def _then_people(slug: str) -> Response:
    return replies.see_other(url_for("membership.people", slug=slug))


@blueprint.post("/organisations/<slug>/invitations")
@policy.open_to(policy.signed_in)
def invite(slug: str) -> Response:
    """Send an invitation."""
    email, role = request.form.get("email", ""), request.form.get("role", "")
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            members.invite(
                session,
                context,
                _of_members(session, context, slug),
                email,
                role,
                link=lambda token: identity.outside_url("membership.invitation", token=token),
                language=page_language(),
                exchange=str(current_app.jinja_env.globals["exchange_name"]),
            )
    except (BadInput, Conflict) as error:
        return _people_page(slug, error, email=email, role=role)
    return _then_people(slug)


@blueprint.post("/organisations/<slug>/invitations/<int:invitation_id>/take-back")
@policy.open_to(policy.signed_in)
def take_back(slug: str, invitation_id: int) -> Response:
    """Make an invitation void."""
    context = identity.context()
    with identity.database().transaction() as session:
        members.take_back(session, context, _of_members(session, context, slug), invitation_id)
    return _then_people(slug)


@blueprint.post("/organisations/<slug>/people/<int:member_id>/role")
@policy.open_to(policy.signed_in)
def set_role(slug: str, member_id: int) -> Response:
    """Give a member another role."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            role = request.form.get("role", "")
            members.set_role(session, context, _of_members(session, context, slug), member_id, role)
    except (BadInput, Conflict) as error:
        return _people_page(slug, error)
    return _then_people(slug)


@blueprint.post("/organisations/<slug>/people/<int:member_id>/remove")
@policy.open_to(policy.signed_in)
def remove(slug: str, member_id: int) -> Response:
    """Take a member out, or leave."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            left = members.remove(session, context, _of_members(session, context, slug), member_id)
    except Conflict as error:
        return _people_page(slug, error)
    return replies.see_other(url_for("membership.mine")) if left else _then_people(slug)


@blueprint.post("/organisations/<slug>/people/me")
@policy.open_to(policy.signed_in)
def show_oneself(slug: str) -> Response:
    """Whether one is shown on the organisation's page, and as what."""
    position, shown = request.form.get("position", ""), request.form.get("shown") == "yes"
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            members.show_oneself(session, context, _of_members(session, context, slug), shown, position)
    except BadInput as error:
        return _people_page(slug, error, position=position)
    return _then_people(slug)
