"""Pages of the agreement on confidentiality of a deal: proposed by file or template, accepted with a second look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from techex.brokering import agreement_paper, agreements, deal_letters, deals, disclosing, paper_fonts, paper_text, talk
from techex.brokering.deal_tables import Deal
from techex.brokering.document_views import data_dir, errors_of, house, may_upload, sent_file, shown
from techex.core.context import Context
from techex.errors import BadInput
from techex.listings import attachments
from techex.listings.attachments import Cleaned
from techex.organisations import service as organisations
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY
from techex.web import identity, policy, replies
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("agreement", __name__)

TEMPLATE_NAME = {"vi": "thoa-thuan-bao-mat.pdf", "en": "agreement-on-confidentiality.pdf"}


@blueprint.get("/deals/<int:deal_id>/agreement")
@policy.open_to(policy.signed_in)
def index(deal_id: int) -> Response:
    """What lies before both sides, who has accepted it, and how to propose another text."""
    with identity.database().reading() as session:
        return _page(session, deals.get(session, identity.context(), deal_id))


def _page(session: Session, deal: Deal, error: BadInput | None = None, **values: Any) -> Response:
    context = identity.context()
    read = shown(session, context, deal)
    found = read.how_far.agreement
    sides = organisations.organisations(session, set(read.how_far.sides))
    known = deal.introduced_at is not None or read.mine is None
    return replies.page(
        "brokering/agreement.html",
        status_of(error) if error else 200,
        deal=deal,
        shown=read,
        sides=[(number, sides[number].name_in(page_language()) if known else "") for number in read.how_far.sides],
        has_looked=found is not None and disclosing.has_looked(deal.ledger, context.actor.person_id, found.digest),
        may_propose=read.may_hand_over and read.how_far.may_propose(),
        may_take_back=read.may_hand_over
        and found is not None
        and read.how_far.may_propose()
        and found.proposed_by == read.mine,
        languages=agreement_paper.LANGUAGES,
        years=(agreement_paper.LEAST_YEARS, agreement_paper.MOST_YEARS),
        countries=sorted(regions.countries(), key=lambda code: regions.country_name(code, page_language())),
        terms=request.form if request.form.get("languages") else _usual(session, deal),
        errors=errors_of(error),
        sent=request.form,
        missing=_missing(deal),
        largest_file=attachments.LARGEST_FILE // 1_000_000,
        **values,
    )


def _missing(deal: Deal) -> str:
    """Letters of the names and the title that a paper from the template cannot print."""
    return paper_fonts.shown(agreement_paper.unprintable(agreements.parties(deal, house().name)))


def _usual(session: Session, deal: Deal) -> Mapping[str, Any]:
    """What the form begins with: the terms of the last proposal that came from the template, or the usual ones."""
    paper = agreements.of_deal(session, deal)
    last = next((one.terms for one in reversed(paper.versions) if one.terms), None) if paper else None
    if last:
        return last
    people = {}
    for letter, side in (("a", deal.interest.sender_id), ("b", deal.interest.receiver_id)):
        member = next((one for one in deals.contacts(session, deal) if one.organisation_id == side), None)
        people[f"person_{letter}"] = member.person.name if member else ""
        people[f"capacity_{letter}"] = member.position if member else ""
    usual = {"languages": "both", "years": agreement_paper.USUAL_YEARS, "law": HOME_COUNTRY, "place": ""}
    return usual | people


@blueprint.post("/deals/<int:deal_id>/agreement/upload")
@policy.open_to(policy.signed_in)
def upload(deal_id: int) -> Response:
    """Propose a text of one's own."""
    may_upload(deal_id)
    try:
        name, content = sent_file()
        file = attachments.cleaned(content)
        _propose(deal_id, name, file)
    except BadInput as error:
        return _again(deal_id, error)
    return _back(deal_id)


@blueprint.post("/deals/<int:deal_id>/agreement/template")
@policy.open_to(policy.signed_in)
def from_template(deal_id: int) -> Response:
    """Propose a text made from the template."""
    may_upload(deal_id)
    context = identity.context()
    try:
        terms = agreement_paper.checked(request.form)
        with identity.database().reading() as session:
            parties = agreements.parties(deals.get(session, context, deal_id), house().name)
        made = agreement_paper.paper(parties, terms)
        _propose(deal_id, TEMPLATE_NAME["en" if terms.languages == "en" else "vi"], made, terms.as_dict())
    except BadInput as error:
        return _again(deal_id, error)
    return _back(deal_id)


def _propose(deal_id: int, name: str, file: Cleaned, terms: Mapping[str, Any] | None = None) -> None:
    context, said = identity.context(), paper_text.words_in(file)
    with identity.database().transaction() as session:
        agreements.propose(session, context, data_dir(), deal_id, name, file, page_language(), terms, said)
        deal_letters.proposed(session, context, house(), deals.get(session, context, deal_id))


def _back(deal_id: int) -> Response:
    return replies.see_other(url_for("agreement.index", deal_id=deal_id))


def _again(deal_id: int, error: BadInput) -> Response:
    with identity.database().reading() as session:
        return _page(session, deals.get(session, identity.context(), deal_id), error)


@blueprint.post("/deals/<int:deal_id>/agreement/take-back")
@policy.open_to(policy.signed_in)
def take_back(deal_id: int) -> Response:
    """Take one's own proposal off the table."""
    with identity.database().transaction() as session:
        agreements.take_back(session, identity.context(), deal_id)
    return _back(deal_id)


@blueprint.post("/deals/<int:deal_id>/agreement/accept")
@policy.open_to(policy.signed_in)
def accept(deal_id: int) -> Response:
    """Accept for one's side: first shown once more what is accepted by whom, then written down."""
    context, said = identity.context(), request.form
    digest = said.get("sha256", "")
    try:
        if said.get("sure") != "yes":
            return _second_look(context, deal_id, digest)
        with identity.database().transaction() as session:
            deal = agreements.accept(session, context, deal_id, digest, said.get("name", ""), said.get("capacity", ""))
            deal_letters.accepted(session, context, house(), deal)
    except BadInput as error:
        return _again(deal_id, error)
    return _back(deal_id)


def _second_look(context: Context, deal_id: int, digest: str) -> Response:
    with identity.database().reading() as session:
        deal = deals.get(session, context, deal_id)
        side = agreements.ready_to_accept(context, deal, digest)
        name, capacity = agreements.checked_signer(request.form.get("name", ""), request.form.get("capacity", ""))
        return replies.page(
            "brokering/agreement_accept.html",
            deal=deal,
            agreement=talk.disclosed(deal).agreement,
            paper=agreements.of_deal(session, deal),
            organisation=organisations.organisations(session, {side})[side].name_in(page_language()),
            name=name,
            capacity=capacity,
        )
