"""Pages of deals: the board by stage and the list, one deal with its ledger, contract and messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.accounts.service import names_of
from techex.brokering import board as board_moves
from techex.brokering import deal_list, deals, disclosing, document_views, pipeline, rules, talk
from techex.brokering.deal_list import Asked, Line
from techex.brokering.deal_tables import Deal, DealStep
from techex.brokering.pipeline import Stage, Verb
from techex.core.context import Context
from techex.core.vocabulary import N_, TRANSFER_FORMS
from techex.errors import BadInput, FieldErrors
from techex.organisations import service as organisations
from techex.organisations.tables import Organisation
from techex.regions import service as regions
from techex.regions import working_days
from techex.web import identity, policy, replies, tables
from techex.web.addresses import page_number, whole
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("deals", __name__)

PAGE_SIZE = 25
COLUMNS = (
    tables.Column(N_("Number"), lambda line: line.number),
    tables.Column(N_("Stage"), lambda line: gettext(pipeline.STAGES[line.stage])),
    tables.Column(N_("About"), lambda line: line.title),
    tables.Column(N_("From"), lambda line: line.sender),
    tables.Column(N_("To"), lambda line: line.receiver),
    tables.Column(N_("Place of the sender"), lambda line: regions.place_name(line.places[0], page_language())),
    tables.Column(N_("Place of the listing"), lambda line: regions.place_name(line.places[1], page_language())),
    tables.Column(N_("Opened"), lambda line: line.opened),
    tables.Column(N_("Last step"), lambda line: line.moved),
)
FILLED_IN = (Verb.DRAW_UP, Verb.REGISTER, Verb.REVIEW, Verb.LOSE)


@blueprint.get("/deals")
@policy.open_to(policy.signed_in)
def board() -> Response:
    """A person's deals: a column for each stage that has any, or with `view=list` a list with filters."""
    context = identity.context()
    with identity.database().reading() as session:
        if request.args.get("view") == "list":
            return _list([_line(context, deal) for deal in deals.visible(session, context)])
        return board_page(session, context, moved=whole(request.args.get("moved"), 0))


def board_page(session: Session, context: Context, moved: int = 0, refused: str = "", status: int = 200) -> Response:
    """The board as it stands now; it says which card was `moved` last, or why that one was not."""
    found = deals.visible(session, context)
    may = {deal.id: board_moves.moves(context.actor, deals.standing(deal)) for deal in found}
    reached = {move.stage for several in may.values() for move in several if move.stage is not Stage.LOST}
    columns = [(stage, [deal for deal in found if deal.stage == stage]) for stage in Stage]
    return replies.page(
        "brokering/deals.html",
        status,
        columns=[(stage, rows) for stage, rows in columns if rows or (found and stage in reached)],
        stages=pipeline.STAGES,
        moved={deal.id: deal.ledger[-1].at for deal in found},
        moved_card=next((deal for deal in found if deal.id == moved), None),
        refused=refused,
        moves=may,
        waits={deal.id: bool(_needed(context, deal)) for deal in found},
        due={deal.id: deals.is_due(deal, working_days.here(context.now)) for deal in found},
    )


def _list(lines: Sequence[Line]) -> Response:
    asked = _asked(request.args)
    found = deal_list.chosen(lines, asked)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(page_number(request.args), pages)
    parameters = _parameters(asked)
    places = {place for line in lines for place in line.places}
    return replies.page(
        "brokering/deal_list.html",
        lines=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        total=len(found),
        any=bool(lines),
        asked=asked,
        stages=pipeline.STAGES,
        groups=deal_list.GROUPS,
        sorts=deal_list.SORTS,
        places=sorted((regions.place_name(place, page_language()), place.code) for place in places),
        page=page,
        pages=pages,
        at_page=lambda number: url_for("deals.board", view="list", **parameters, page=number),
        file_address=lambda suffix: url_for("deals.file", **parameters, suffix=suffix),
    )


@blueprint.get(f"/deals.{tables.FILE}")
@policy.open_to(policy.signed_in)
def file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    context = identity.context()
    with identity.database().reading() as session:
        lines = [_line(context, deal) for deal in deals.visible(session, context)]
    return tables.download("deals", suffix, COLUMNS, deal_list.chosen(lines, _asked(request.args)))


def _line(context: Context, deal: Deal) -> Line:
    interest, language = deal.interest, page_language()
    side = _side(context, deal)

    def name(organisation: Organisation) -> str:
        known = side["names_shown"] or organisation.id == side["mine"]
        return organisation.name_in(language) if known else ""

    return Line(
        *(deal.id, interest.listing.title, interest.listing.language, interest.listing.kind, Stage(deal.stage)),
        (interest.sender.place, interest.listing.place),
        *(name(interest.sender), name(interest.receiver), deal.opened_at, deal.ledger[-1].at),
        bool(_needed(context, deal)),
        deals.is_due(deal, working_days.here(context.now)),
    )


def _asked(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for; a word that nobody knows asks for nothing."""
    stage, place, sort = (arguments.get(name, "") for name in ("stage", "place", "sort"))
    return Asked(
        stage if stage in set(Stage) or stage in deal_list.GROUPS else "",
        place if regions.place_of_code(place) else "",
        arguments.get("waiting") == "1",
        sort if sort in deal_list.SORTS else "newest",
    )


def _parameters(asked: Asked) -> dict[str, Any]:
    """The parameters that say this again; defaults are left out."""
    found = {"stage": asked.stage, "place": asked.place, "waiting": "1" if asked.waiting else ""}
    found |= {"sort": asked.sort if asked.sort != "newest" else ""}
    return {name: value for name, value in found.items() if value}


def _needed(context: Context, deal: Deal) -> list[Verb]:
    """Steps that wait for this person alone: nobody else can take them."""
    waiting = (Verb.INTRODUCE, Verb.CONFIRM)
    return [row.verb for row in deals.verbs(context, deal) if row.verb in waiting]


@blueprint.get("/deals/<int:deal_id>")
@policy.open_to(policy.signed_in)
def show(deal_id: int) -> Response:
    """One deal."""
    document_views.note_reading(deal_id)
    with identity.database().reading() as session:
        return _page(session, deals.get(session, identity.context(), deal_id))


def _page(session: Session, deal: Deal, error: Exception | None = None) -> Response:
    context = identity.context()
    words = request.args.get("q", "")[:200]
    return replies.page(
        "brokering/deal.html",
        status_of(error) if isinstance(error, BadInput) else 200,
        deal=deal,
        interest=deal.interest,
        standing=deals.standing(deal),
        steps=[(stage, pipeline.STAGES[stage]) for stage in Stage if stage is not Stage.LOST],
        stages=pipeline.STAGES,
        verbs=[row.verb for row in deals.verbs(context, deal)],
        filled_in=FILLED_IN,
        labels=pipeline.LABELS,
        ledger=_ledger(session, deal),
        done={**pipeline.DONE, **disclosing.DONE},
        whole=deals.broken_at(deal) is None,
        contacts=deals.contacts(session, deal),
        messages=_messages(session, deal, words),
        shown=document_views.shown(session, context, deal, words),
        message_rungs=[(rung.value, disclosing.LABELS[rung]) for rung in disclosing.SAYABLE],
        words=words,
        may_write=deal.stage != Stage.LEAD,
        bands=pipeline.VALUE_BANDS,
        forms=TRANSFER_FORMS,
        provinces=regions.provinces(),
        countries=sorted(regions.countries(), key=lambda code: regions.country_name(code, page_language())),
        rule=pipeline.rule_on(working_days.here(deal.signed_at or context.now)),
        reasons=rules.REASONS,
        errors=_errors(error),
        sent=request.form,
        place_of=regions.place_of_code,
        **_side(context, deal),
    )


def _errors(error: Exception | None) -> dict[str, str]:
    if isinstance(error, FieldErrors):
        return error.fields
    return {error.about or "text": error.sentence} if isinstance(error, BadInput) else {}


def _side(context: Context, deal: Deal) -> dict[str, Any]:
    mine = pipeline.side_of(context.actor, deals.standing(deal))
    shown = deal.introduced_at is not None or mine is None
    return {"mine": mine, "names_shown": shown}


def _ledger(session: Session, deal: Deal) -> Sequence[tuple[DealStep, str, str]]:
    """Its lines with who took them: name and organisation, as far as both are introduced."""
    people = names_of(session, [step.person_id for step in deal.ledger if step.person_id])
    sides = organisations.organisations(session, {step.organisation_id or 0 for step in deal.ledger})
    shown = _side(identity.context(), deal)["names_shown"]
    rows = []
    for step in deal.ledger:
        side = sides.get(step.organisation_id or 0)
        organisation = side.name_in(page_language()) if side and shown else ""
        rows.append((step, people.get(step.person_id or 0, "") if shown else "", organisation))
    return rows


def _messages(session: Session, deal: Deal, words: str) -> list[tuple[Any, str, str]]:
    found = talk.messages(session, identity.context(), deal, words)
    people = names_of(session, [one.person_id for one in found if one.person_id])
    sides = organisations.organisations(session, {one.organisation_id or 0 for one in found})
    return [
        (
            one,
            people.get(one.person_id or 0, ""),
            sides[one.organisation_id].name_in(page_language()) if one.organisation_id else "",
        )
        for one in found
    ]


@blueprint.post(f"/deals/<int:deal_id>/<any({', '.join(verb.value for verb in Verb)}):verb>")
@policy.open_to(policy.signed_in)
def step(deal_id: int, verb: str) -> Response:
    """Take a step."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            deals.take(session, context, deal_id, Verb(verb), whole(request.form.get("revision"), 0), request.form)
    except BadInput as error:
        with identity.database().reading() as session:
            return _page(session, deals.get(session, context, deal_id), error)
    return replies.see_other(url_for("deals.show", deal_id=deal_id))


@blueprint.post("/deals/<int:deal_id>/messages")
@policy.open_to(policy.signed_in)
def write(deal_id: int) -> Response:
    """Write to the others."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            said = request.form
            rung = said.get("rung", disclosing.Rung.NON_CONFIDENTIAL)
            deals.write_message(session, context, deal_id, said.get("text", ""), page_language(), rung)
            document_views.tell_of_message(session, deals.get(session, context, deal_id), rung)
    except BadInput as error:
        with identity.database().reading() as session:
            return _page(session, deals.get(session, context, deal_id), error)
    return replies.see_other(url_for("deals.show", deal_id=deal_id, _anchor="messages"))
