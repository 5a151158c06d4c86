"""Tasks, participants, receipts and outcomes of a deal: what stands below its stages, and the pages of their own."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from techex.accounts.service import House, names_of
from techex.brokering import (
    course,
    credits,
    deals,
    guest_papers,
    marks,
    outcomes,
    participants,
    participation_list,
    pipeline,
    tasks,
)
from techex.brokering.course import ParticipantVerb, TaskVerb
from techex.brokering.deal_tables import Deal, DealStep
from techex.brokering.document_views import as_download
from techex.brokering.pipeline import Verb
from techex.core.audit import START
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_, TRANSFER_FORMS
from techex.errors import BadInput, FieldErrors, NotFound, Sentence
from techex.listings import service as listings
from techex.organisations import service as organisations
from techex.regions import service as regions
from techex.regions import working_days
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("course", __name__)

_TASK_VERBS = f"<any({', '.join(verb.value for verb in TaskVerb)}):verb>"
_GUEST_VERBS = f"<any({', '.join(verb.value for verb in ParticipantVerb)}):verb>"


def _house() -> House:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return House(found.exchange_name, identity.outside_url)


def _parts(session: Session, context: Context, deal: Deal, error: Exception | None = None) -> dict[str, Any]:
    """What the fragment and its own page show."""
    today = working_days.here(context.now)
    found = tasks.of_deal(session, deal)
    guests = participants.of_deal(session, deal)
    standing = deals.standing(deal)
    side = pipeline.side_of(context.actor, standing)
    shown = deal.introduced_at is not None or side is None
    people = [task.owner_id for task in found] + [guest.person_id for guest in guests]
    sides = organisations.organisations(session, standing.sides)
    return {
        "deal": deal,
        "today": today,
        "tasks": [(task, [row.verb for row in tasks.allowed(session, context, task)]) for task in found],
        "candidates": tasks.candidates(session, deal) if shown else [],
        "task_labels": course.TASK_LABELS,
        "task_states": course.TASK_STATES,
        "due_days": course.DUE_WORKING_DAYS,
        "guests": [(guest, [row.verb for row in participants.allowed(context, guest)]) for guest in guests],
        "guest_reading": {guest.id: guest_papers.state_of(deal, guest, side) for guest in guests},
        "may_open": pipeline.side_of(context.actor, standing, MemberRole.EDITOR) is not None,
        "living": course.LIVING,
        "guest_labels": course.PARTICIPANT_LABELS,
        "guest_states": course.PARTICIPANT_STATES,
        "roles": course.ROLES,
        "people": names_of(session, [number for number in people if number]),
        "sides": {number: one.name_in(page_language()) for number, one in sides.items()} if shown else {},
        "credits": [regions.place_of_code(code) for code in credits.of_deal(session, deal)],
        "asked": outcomes.asked_of(context, deal),
        "came_of_it": outcomes.of_deal(session, deal),
        "in_use": course.IN_USE,
        "is_silent": deals.is_due(deal, today) == "reminder",
        "acts": bool(deals.verbs(context, deal)) or side is not None or pipeline.is_operator(context.actor, standing),
        "receipts": [step for step in deal.ledger if step.verb == Verb.CONFIRM],
        "open": deal.introduced_at is not None and deal.stage != pipeline.Stage.LOST,
        "errors": error.fields if isinstance(error, FieldErrors) else {},
        "sent": request.form if error else {},
        "refused": request.endpoint if error else "",
        "longest_title": course.LONGEST_TITLE,
        "longest_note": course.LONGEST_NOTE,
    }


def _refused(deal_id: int, error: BadInput) -> Response:
    """The fragment as a page of its own, with what was typed and what is wrong with it."""
    with identity.database().reading() as session:
        context = identity.context()
        deal = deals.get(session, context, deal_id)
        return replies.page("brokering/course.html", status_of(error), **_parts(session, context, deal, error))


def _back(deal_id: int, anchor: str) -> Response:
    return replies.see_other(url_for("deals.show", deal_id=deal_id, _anchor=anchor))


@blueprint.post("/deals/<int:deal_id>/tasks")
@policy.open_to(policy.signed_in)
def add_task(deal_id: int) -> Response:
    """Set a task."""
    form = request.form
    try:
        due = date.fromisoformat(form["due"]) if form.get("due") else None
    except ValueError:
        due = date.min  # refused with the sentence about days
    working = whole(form.get("working"), course.DUE_WORKING_DAYS[1])
    working = working if working in course.DUE_WORKING_DAYS else course.DUE_WORKING_DAYS[1]
    try:
        with identity.database().transaction() as session:
            tasks.add(
                session,
                identity.context(),
                _house(),
                deal_id,
                form.get("title", ""),
                whole(form.get("owner"), 0),
                due,
                working,
                page_language(),
            )
    except FieldErrors as error:
        return _refused(deal_id, error)
    return _back(deal_id, "tasks")


@blueprint.post(f"/deals/<int:deal_id>/tasks/<int:task_id>/{_TASK_VERBS}")
@policy.open_to(policy.signed_in)
def step_task(deal_id: int, task_id: int, verb: str) -> Response:
    """Do, drop or open it again."""
    with identity.database().transaction() as session:
        context = identity.context()
        task = tasks.take(session, context, deal_id, task_id, TaskVerb(verb), whole(request.form.get("revision"), 0))
        guest = participants.seat(session, context, task.deal)
        inside = pipeline.may_see(context.actor, deals.standing(task.deal))
        number = guest.id if guest is not None and not inside else 0
    if number:
        return replies.see_other(url_for("course.participation", participant_id=number))
    return _back(deal_id, "tasks")


@blueprint.post("/deals/<int:deal_id>/participants")
@policy.open_to(policy.signed_in)
def name_participant(deal_id: int) -> Response:
    """Name a further participant."""
    form = request.form
    try:
        with identity.database().transaction() as session:
            participants.name_one(
                session,
                identity.context(),
                deal_id,
                form.get("role", ""),
                form.get("whom", ""),
                form.get("note", ""),
                page_language(),
            )
    except FieldErrors as error:
        return _refused(deal_id, error)
    return _back(deal_id, "participants")


@blueprint.post(f"/participations/<int:participant_id>/{_GUEST_VERBS}")
@policy.open_to(policy.signed_in)
def step_participant(participant_id: int, verb: str) -> Response:
    """Agree, join, leave."""
    with identity.database().transaction() as session:
        context = identity.context()
        revision = whole(request.form.get("revision"), 0)
        one = participants.take(session, context, _house(), participant_id, ParticipantVerb(verb), revision)
        deal_id, inside = one.deal_id, pipeline.may_see(context.actor, deals.standing(one.deal))
    return _back(deal_id, "participants") if inside else replies.see_other(url_for("course.participations"))


@blueprint.post("/participations/<int:participant_id>/papers")
@policy.open_to(policy.signed_in)
def open_papers(participant_id: int) -> Response:
    """Let a participant read what is not confidential, or no longer."""
    with identity.database().transaction() as session:
        opened = request.form.get("open") == "yes"
        deal_id = guest_papers.choose(session, identity.context(), participant_id, opened=opened).deal_id
    return _back(deal_id, "participants")


@blueprint.get("/participations/<int:participant_id>/papers/<int:paper>/<int:version>")
@policy.open_to(policy.signed_in)
def download(participant_id: int, paper: int, version: int) -> Response:
    """A paper for a participant. That it was handed out is written down before it is."""
    with identity.database().transaction() as session:
        handed_out = request.method == "GET"  # HEAD gets no content
        found, name = guest_papers.look(session, identity.context(), participant_id, paper, version, handed_out)
        return as_download(found, name)


@blueprint.get("/participations")
@policy.open_to(policy.signed_in)
def participations() -> Response:
    """Deals of others in which this person or their organisation takes part, or is asked to."""
    with identity.database().reading() as session:
        found = participation_list.TABLE.ask(participants.of_actor(session, identity.context()), request.args)
        return replies.page(
            "brokering/participations.html", found=found, roles=course.ROLES, states=course.PARTICIPANT_STATES
        )


@blueprint.get(f"/participations.{tables.FILE}")
@policy.open_to(policy.signed_in)
def participations_file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        return participation_list.TABLE.file(participants.of_actor(session, identity.context()), request.args, suffix)


@blueprint.get("/participations/<int:participant_id>")
@policy.open_to(policy.signed_in)
def participation(participant_id: int) -> Response:
    """One of them: who is in it and how far it has come once one takes part; before, what the part would be."""
    with identity.database().reading() as session:
        context = identity.context()
        one = participants.get(session, context, participant_id)
        joined = one.state == course.ParticipantState.JOINED
        interest = one.deal.interest
        mine = [task for task in tasks.of_deal(session, one.deal) if task.owner_id == context.actor.person_id]
        return replies.page(
            "brokering/participation.html",
            one=one,
            joined=joined,
            listing=interest.listing if listings.sees(context, interest.listing) else None,
            kind=interest.listing.kind,
            sides=(interest.sender, interest.receiver),
            contacts=deals.contacts(session, one.deal) if joined else [],
            papers=guest_papers.of_participant(session, one),
            may_read=guest_papers.may_read(one),
            stages=pipeline.STAGES,
            roles=course.ROLES,
            states=course.PARTICIPANT_STATES,
            labels=course.PARTICIPANT_LABELS,
            verbs=[row.verb for row in participants.allowed(context, one)],
            tasks=[(task, [row.verb for row in tasks.allowed(session, context, task)]) for task in mine],
            task_labels=course.TASK_LABELS,
            task_states=course.TASK_STATES,
            today=working_days.here(context.now),
        )


@blueprint.get("/deals/<int:deal_id>/receipts/<int:number>")
@policy.open_to(policy.signed_in)
def receipt(deal_id: int, number: int) -> Response:
    """The receipt of a confirmation: what was confirmed, its hash, and how anybody can count it again."""
    with identity.database().reading() as session:
        context = identity.context()
        deal = deals.get(session, context, deal_id)
        step = next((one for one in deal.ledger if one.number == number and one.verb == Verb.CONFIRM), None)
        if step is None:
            raise NotFound(
                Sentence(
                    N_("There is no receipt number %(number)s of deal number %(deal)s here."),
                    number=number,
                    deal=deal_id,
                )
            )
        side = pipeline.side_of(context.actor, deals.standing(deal))
        shown = deal.introduced_at is not None or side is None
        organisation = organisations.organisations(session, [step.organisation_id or 0]).get(step.organisation_id or 0)
        return replies.page(
            "brokering/receipt.html",
            deal=deal,
            step=step,
            organisation=organisation if shown else None,
            person=names_of(session, [step.person_id or 0]).get(step.person_id or 0, "") if shown else "",
            contract=pipeline.Contract(**step.detail),
            before=_before(deal, step),
            content=deals.content_of(step),
            whole=deals.broken_at(deal) is None,
            others=[one for one in deal.ledger if one.verb == Verb.CONFIRM and one.number != number],
            bands=pipeline.VALUE_BANDS,
            forms=TRANSFER_FORMS,
            place_of=regions.place_of_code,
        )


def _before(deal: Deal, step: DealStep) -> str:
    return next((one.hash for one in reversed(deal.ledger) if one.number == step.number - 1), START)


@blueprint.get("/deals/<int:deal_id>/outcomes/<int:months>")
@policy.open_to(policy.signed_in)
def ask_outcome(deal_id: int, months: int) -> Response:
    """The questions after 6, 12 or 24 months."""
    return _outcome(deal_id, months)


def _outcome(deal_id: int, months: int, error: Exception | None = None) -> Response:
    with identity.database().reading() as session:
        context = identity.context()
        deal = deals.get(session, context, deal_id)
        if months not in pipeline.REVIEW_MONTHS:
            raise NotFound(Sentence(N_("Nothing is asked %(months)s months after a contract."), months=months))
        return replies.page(
            "brokering/outcome.html",
            status_of(error) if isinstance(error, BadInput) else 200,
            deal=deal,
            months=months,
            may_answer=outcomes.asked_of(context, deal) >= months > 0
            and pipeline.side_of(context.actor, deals.standing(deal)) not in marks.answered(deal, months),
            answers=[one for one in outcomes.of_deal(session, deal) if one.months == months],
            sides=organisations.organisations(session, deals.standing(deal).sides),
            in_use=course.IN_USE,
            longest=course.LONGEST_OUTCOME,
            errors=error.fields if isinstance(error, FieldErrors) else {},
            sent=request.form,
        )


@blueprint.post("/deals/<int:deal_id>/outcomes/<int:months>")
@policy.open_to(policy.signed_in)
def answer_outcome(deal_id: int, months: int) -> Response:
    """Say what came of it."""
    try:
        with identity.database().transaction() as session:
            outcomes.answer(session, identity.context(), deal_id, months, request.form, page_language())
    except FieldErrors as error:
        return _outcome(deal_id, months, error)
    return replies.see_other(url_for("course.ask_outcome", deal_id=deal_id, months=months))


@blueprint.post("/deals/<int:deal_id>/goes-on")
@policy.open_to(policy.signed_in)
def goes_on(deal_id: int) -> Response:
    """The answer to a reminder in one press."""
    with identity.database().transaction() as session:
        outcomes.goes_on(session, identity.context(), deal_id)
    return _back(deal_id, "ledger")


def init_app(app: Flask) -> None:
    """Teach the page of a deal what stands below its stages."""

    def course_of(deal_id: int) -> Markup:
        """Tasks, participants, credits, receipts and outcomes of a deal that this reader sees."""
        with identity.database().reading() as session:
            context = identity.context()
            found = _parts(session, context, deals.get(session, context, deal_id))
            return Markup(render_template("brokering/_course.html", **found))  # noqa: S704 - a template of ours, escaped

    def credited(places: list[Any]) -> dict[str, Any]:
        """For exact figures: contracts by the exchanges of these places and what came of them."""
        actor = identity.context().actor
        if not (actor.is_operator or actor.is_administrator):
            return {"total": 0}
        codes = None if actor.is_administrator else [place.code for place in places]
        with identity.database().reading() as session:
            shares, total = credits.shares(session, codes)
            came_of_it = outcomes.counted(session, codes)
        named = [(regions.place_of_code(code) if code else None, float(share)) for code, share in shares.items()]
        return {"shares": named, "total": total, "outcomes": came_of_it, "in_use": course.IN_USE}

    def taking_part() -> int:
        """In how many deals of others this reader has a part, or is asked to."""
        with identity.database().reading() as session:
            return len(participants.of_actor(session, identity.context()))

    app.jinja_env.globals.update(course_of=course_of, credited=credited, taking_part=taking_part)
