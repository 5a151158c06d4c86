"""Reports of a period and plan documents, for operators and administrators."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from sqlalchemy.orm import Session

from techex.brokering import funnel, paper_fonts, plan_documents, report_list, report_paper, report_words, reporting
from techex.brokering.deal_tables import Deal
from techex.brokering.figure_views import day_of
from techex.brokering.plan_documents import BY_HAND, SUBJECTS, Subject
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence, TechexError
from techex.listings import service as listings
from techex.listings.tables import Listing
from techex.regions import working_days
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("reports", __name__)
plan_blueprint = Blueprint("plans", __name__)
_WHO = (policy.operator, policy.administrator)
TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NUMBER = re.compile(r"[0-9]{1,9}")
_WHICH_PLAN = Sentence(N_("Choose a plan document."))
_NOT_SEEN = Sentence(N_("One of these numbers is not there, or is not for you to see."))
_WHICH = Sentence(N_("Choose what the numbers are of."))


def _exchange() -> str:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found.exchange_name


def _errors(error: TechexError | None) -> dict[str, str]:
    if isinstance(error, FieldErrors):
        return error.fields
    if isinstance(error, BadInput):
        return {error.about: error.sentence}
    return {"": error.args[0]} if error else {}


@blueprint.get("/reports")
@policy.open_to(*_WHO)
def index() -> Response:
    """The reports made so far, and a form for another."""
    with identity.database().reading() as session:
        return _index(session)


def _index(session: Session, error: TechexError | None = None) -> Response:
    context = identity.context()
    this = funnel.quarter(working_days.here(context.now))
    year, number = (this[0], this[1] - 1) if this[1] > 1 else (this[0] - 1, 4)
    return replies.page(
        "brokering/reports.html",
        status_of(error) if error else 200,
        found=report_list.REPORTS.ask(report_list.report_rows(session, context), request.args),
        plans=plan_documents.known(session),
        since=funnel.begin_of(year, number),
        until=date.fromordinal(funnel.begin_of(year, number + 1).toordinal() - 1),
        errors=_errors(error),
        sent=request.form,
    )


@blueprint.get(f"/reports.{tables.FILE}")
@policy.open_to(*_WHO)
def list_file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        return report_list.REPORTS.file(report_list.report_rows(session, identity.context()), request.args, suffix)


@blueprint.post("/reports")
@policy.open_to(*_WHO)
def make() -> Response:
    """Make one."""
    plans = [number for one in request.form.getlist("plan") if (number := whole(one, 0))]
    since, until = (day_of(request.form.get(name, "")) for name in ("since", "until"))
    try:
        with identity.database().transaction() as session:
            made = reporting.make(session, identity.context(), since, until, plans)
    except BadInput as error:
        with identity.database().reading() as session:
            return _index(session, error)
    return replies.see_other(url_for("reports.show", report_id=made.id))


@blueprint.get("/reports/<int:report_id>")
@policy.open_to(*_WHO)
def show(report_id: int) -> Response:
    """One report: its sections as tables, and its files."""
    with identity.database().reading() as session:
        found = reporting.get(session, identity.context(), report_id)
        plans = plan_documents.numbers_of(session, Subject.REPORT, found.id)
        sections = report_words.sections(found, page_language(), plans)
        return replies.page(
            "brokering/report.html",
            report=found,
            missing=paper_fonts.missing([section.rows for section in sections]),
            heading=report_words.heading(found, page_language(), _exchange()),
            sections=sections,
            languages=report_words.LANGUAGES,
            most=report_words.MOST_ROWS,
        )


@blueprint.get("/reports/<int:report_id>/file.<any(pdf, xlsx):kind>")
@policy.open_to(*_WHO)
def file(report_id: int, kind: str) -> Response:
    """The report as a file, in the language asked for."""
    language = request.args.get("lang", "")
    language = language if language in report_words.LANGUAGES else page_language()
    with identity.database().reading() as session:
        found = reporting.get(session, identity.context(), report_id)
        plans = plan_documents.numbers_of(session, Subject.REPORT, found.id)
    make_file = report_paper.as_pdf if kind == "pdf" else report_paper.as_xlsx
    reply = Response(make_file(found, language, _exchange(), plans), content_type=TYPES[kind])
    reply.headers["Content-Disposition"] = f"attachment; filename=techex-report-{report_id}-{language}.{kind}"
    return reply


@plan_blueprint.get("/plans", endpoint="index")
@policy.open_to(*_WHO)
def plans_index() -> Response:
    """All plan documents, and a form for another."""
    with identity.database().reading() as session:
        return _plans(session)


def _plans(session: Session, error: TechexError | None = None) -> Response:
    return replies.page(
        "brokering/plans.html",
        status_of(error) if error else 200,
        found=report_list.PLANS.ask(report_list.plan_rows(session), request.args),
        errors=_errors(error),
        sent=request.form,
    )


@plan_blueprint.get(f"/plans.{tables.FILE}", endpoint="file")
@policy.open_to(*_WHO)
def plans_file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        return report_list.PLANS.file(report_list.plan_rows(session), request.args, suffix)


@plan_blueprint.post("/plans")
@policy.open_to(*_WHO)
def add() -> Response:
    """Enter one."""
    try:
        with identity.database().transaction() as session:
            made = plan_documents.add(session, identity.context(), request.form)
    except (BadInput, Conflict) as error:
        with identity.database().reading() as session:
            return _plans(session, error)
    return replies.see_other(url_for("plans.show", plan_id=made.id))


@plan_blueprint.get("/plans/<int:plan_id>", endpoint="show")
@policy.open_to(*_WHO)
def show_plan(plan_id: int) -> Response:
    """One document: what stands under it."""
    with identity.database().reading() as session:
        return _plan(session, plan_id)


def _plan(session: Session, plan_id: int, error: TechexError | None = None) -> Response:
    context = identity.context()
    under = plan_documents.tagged(session, context, plan_id)
    return replies.page(
        "brokering/plan.html",
        status_of(error) if error else 200,
        plan=plan_documents.get(session, plan_id),
        under=under,
        hidden=plan_documents.total_tags(session, plan_id) - len(under),
        subjects=SUBJECTS,
        by_hand=BY_HAND,
        errors=_errors(error),
        sent=request.form,
    )


@plan_blueprint.post("/plans/<int:plan_id>")
@policy.open_to(*_WHO)
def change(plan_id: int) -> Response:
    """Put it right."""
    try:
        with identity.database().transaction() as session:
            plan_documents.change(session, identity.context(), plan_id, request.form)
    except (BadInput, Conflict) as error:
        with identity.database().reading() as session:
            return _plan(session, plan_id, error)
    return replies.see_other(url_for("plans.show", plan_id=plan_id))


@plan_blueprint.post("/plans/<int:plan_id>/<any(tag, untag):verb>")
@policy.open_to(*_WHO)
def tag(plan_id: int, verb: str) -> Response:
    """Put things under it by their numbers, or take one off."""
    context, text = identity.context(), request.form.get("numbers", "")[:1_000]
    numbers = [number for found in _NUMBER.findall(text) if (number := int(found))]
    name = request.form.get("subject", "")
    try:
        with identity.database().transaction() as session:
            plan_documents.get(session, plan_id)
            if name not in BY_HAND:
                raise BadInput(_WHICH, "subject")
            if verb == "tag":
                plan_documents.tag(session, context, plan_id, Subject(name), numbers)
            else:
                for number in numbers:
                    plan_documents.untag(session, context, plan_id, Subject(name), number)
    except (BadInput, NotAllowed) as error:
        with identity.database().reading() as session:
            return _plan(session, plan_id, error)
    except NotFound as error:
        with identity.database().reading() as session:
            plan_documents.get(session, plan_id)  # it may be the document itself that is not there
            return _plan(session, plan_id, BadInput(_NOT_SEEN) if numbers else error)
    return replies.see_other(url_for("plans.show", plan_id=plan_id))


@plan_blueprint.post("/plans/of/<any(listing, deal):subject>/<int:number>")
@policy.open_to(policy.operator)
def tag_beside(subject: str, number: int) -> Response:
    """From the page of a listing or a deal: put it under a document, or take it off one."""
    context, form = identity.context(), request.form
    plan_id, kind = whole(form.get("plan"), 0), Subject(subject)
    with identity.database().transaction() as session:
        if not plan_id:
            raise BadInput(_WHICH_PLAN, "plan")
        if form.get("verb") == "untag":
            plan_documents.untag(session, context, plan_id, kind, number)
        else:
            plan_documents.tag(session, context, plan_id, kind, [number])
        if kind is Subject.DEAL:
            address = url_for("deals.show", deal_id=number, _anchor="plans")
        else:
            is_need = listings.get_visible(session, context, number).is_need
            endpoint = "listings.show_need" if is_need else "listings.show_result"
            address = url_for(endpoint, listing_id=number, _anchor="plans")
    return replies.see_other(address)


def _plans_beside(thing: Listing | Deal) -> dict[str, Any] | None:
    """What the page of a listing or a deal shows its operators of plan documents; None for everybody else."""
    context = identity.context()
    subject = Subject.LISTING if isinstance(thing, Listing) else Subject.DEAL
    if not context.actor.is_operator or not plan_documents.may_tag(context, subject, thing):
        return None
    with identity.database().reading() as session:
        under, others = plan_documents.beside(session, subject, thing.id)
    return {"subject": subject.value, "number": thing.id, "under": under, "others": others}


plan_blueprint.record(lambda state: state.app.jinja_env.globals.update(plans_beside=_plans_beside))
