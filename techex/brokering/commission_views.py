"""Proposals for commissioned tasks: drafted, edited, exported by operators; firms say whether they may be named."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request, url_for
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.brokering import commission_list, commission_paper, commissioning, consents, paper_fonts
from techex.brokering.commissioning import CONSENTS, Consent
from techex.core.vocabulary import FIELDS
from techex.errors import BadInput, Conflict, FieldErrors, TechexError
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("commissions", __name__)
consent_blueprint = Blueprint("consents", __name__)

TYPES = {
    "pdf": "application/pdf",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_MAKE = {"pdf": commission_paper.as_pdf, "json": commission_paper.as_json, "xlsx": commission_paper.as_xlsx}


def _settings() -> Settings:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found


@blueprint.get("/commissions")
@policy.open_to(policy.operator)
def index() -> Response:
    """The proposals of this operator's places."""
    with identity.database().reading() as session:
        found = commission_list.TABLE.ask(commission_list.rows(session, identity.context()), request.args)
        return replies.page("brokering/commissions.html", found=found, fields=FIELDS)


@blueprint.get(f"/commissions.{tables.FILE}")
@policy.open_to(policy.operator)
def list_file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        return commission_list.TABLE.file(commission_list.rows(session, identity.context()), request.args, suffix)


@blueprint.post("/commissions")
@policy.open_to(policy.operator)
def begin() -> Response:
    """Draft one from the needs that were ticked."""
    numbers = [whole(number, 0) for number in request.form.getlist("need")]
    with identity.database().transaction() as session:
        made = commissioning.begin(session, identity.context(), [one for one in numbers if one], page_language())
    return replies.see_other(url_for("commissions.show", commission_id=made.id))


@blueprint.get("/commissions/<int:commission_id>")
@policy.open_to(policy.operator)
def show(commission_id: int) -> Response:
    """One proposal, to edit."""
    with identity.database().reading() as session:
        return _page(session, commission_id)


def _page(session: Session, commission_id: int, error: TechexError | None = None) -> Response:
    context = identity.context()
    found = commissioning.get(session, context, commission_id)
    facts = commission_paper.facts(session, context, found, _settings().exchange_name)
    return replies.page(
        "brokering/commission.html",
        status_of(error) if error else 200,
        commission=found,
        facts=facts,
        missing=paper_fonts.missing(facts),
        states=CONSENTS,
        Consent=Consent,
        limits=commissioning.LIMITS,
        fields=FIELDS,
        errors=error.fields if isinstance(error, FieldErrors) else {},
        wrong=error.args[0] if error and not isinstance(error, FieldErrors) else "",
        sent=request.form,
    )


@blueprint.post("/commissions/<int:commission_id>")
@policy.open_to(policy.operator)
def change(commission_id: int) -> Response:
    """Keep what was edited."""
    given = request.form.to_dict()
    lists = {name: [whole(one, 0) for one in request.form.getlist(name)] for name in ("offers", "institutes")}
    try:
        with identity.database().transaction() as session:
            revision = whole(request.form.get("revision"), 0)
            commissioning.change(session, identity.context(), commission_id, revision, {**given, **lists})
    except BadInput as error:
        with identity.database().reading() as session:
            return _page(session, commission_id, error)
    return replies.see_other(url_for("commissions.show", commission_id=commission_id))


@blueprint.post("/commissions/<int:commission_id>/<any(redraft, remove):verb>")
@policy.open_to(policy.operator)
def step(commission_id: int, verb: str) -> Response:
    """Write the texts anew, or throw the proposal away."""
    revision = whole(request.form.get("revision"), 0)
    with identity.database().transaction() as session:
        if verb == "remove":
            commissioning.remove(session, identity.context(), commission_id, revision)
            return replies.see_other(url_for("commissions.index"))
        commissioning.redraft(session, identity.context(), commission_id, revision)
    return replies.see_other(url_for("commissions.show", commission_id=commission_id))


@blueprint.post("/commissions/<int:commission_id>/ask/<int:organisation_id>")
@policy.open_to(policy.operator)
def ask(commission_id: int, organisation_id: int) -> Response:
    """Ask a firm whether it may be named."""
    house = House(_settings().exchange_name, identity.outside_url)
    try:
        with identity.database().transaction() as session:
            consents.ask(session, identity.context(), house, commission_id, organisation_id)
    except Conflict as error:
        with identity.database().reading() as session:
            return _page(session, commission_id, error)
    return replies.see_other(url_for("commissions.show", commission_id=commission_id, _anchor="behind"))


@blueprint.get("/commissions/<int:commission_id>/file.<any(pdf, json, xlsx):kind>")
@policy.open_to(policy.operator)
def file(commission_id: int, kind: str) -> Response:
    """The proposal as a file."""
    context = identity.context()
    with identity.database().reading() as session:
        found = commissioning.get(session, context, commission_id)
        facts = commission_paper.facts(session, context, found, _settings().exchange_name)
    reply = Response(_MAKE[kind](facts), content_type=TYPES[kind])
    reply.headers["Content-Disposition"] = f"attachment; filename=techex-commission-{commission_id}.{kind}"
    return reply


@consent_blueprint.get("/consents", endpoint="index")
@policy.open_to(policy.signed_in)
def index_of_consents() -> Response:
    """What the organisations that this person manages were asked."""
    with identity.database().reading() as session:
        found = commission_list.ASKED.ask(consents.asked_of(session, identity.context()), request.args)
        return replies.page("brokering/consents.html", found=found, states=CONSENTS)


@consent_blueprint.get(f"/consents.{tables.FILE}", endpoint="file")
@policy.open_to(policy.signed_in)
def file_of_consents(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        return commission_list.ASKED.file(consents.asked_of(session, identity.context()), request.args, suffix)


@consent_blueprint.get("/consents/<int:commission_id>/<int:organisation_id>", endpoint="show")
@policy.open_to(policy.signed_in)
def show_consent(commission_id: int, organisation_id: int) -> Response:
    """What a proposal says of a firm, and its two buttons."""
    with identity.database().reading() as session:
        asked = consents.asked(session, identity.context(), commission_id, organisation_id)
        return replies.page("brokering/consent.html", asked=asked, states=CONSENTS, Consent=Consent, fields=FIELDS)


@consent_blueprint.post("/consents/<int:commission_id>/<int:organisation_id>/<any(agree, decline):verb>")
@policy.open_to(policy.signed_in)
def answer(commission_id: int, organisation_id: int, verb: str) -> Response:
    """A firm's yes or no."""
    with identity.database().transaction() as session:
        consents.answer(session, identity.context(), commission_id, organisation_id, agrees=verb == "agree")
    return replies.see_other(url_for("consents.show", commission_id=commission_id, organisation_id=organisation_id))
