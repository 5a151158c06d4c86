"""Beside the desk: the best untouched pairs, the workload of colleagues, hand-overs, saved views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from techex.accounts.service import House
from techex.admin import desk_items, desk_pair_list, handing, saved_views, workload, workload_list
from techex.admin.desk import Item
from techex.admin.desk_views import settings
from techex.admin.handing import Colleague
from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.listings import service as listings
from techex.matching.best_pairs_views import MOST_NEEDS, remembered
from techex.matching.views import matcher
from techex.regions import working_days
from techex.regions.naming import place_called
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language

if TYPE_CHECKING:
    from techex.admin.desk_pairs import Line

TOP = 6  # results a need: of the best three somebody has often been asked about one already

blueprint = Blueprint("work", __name__)


@blueprint.get("/desk/pairs")
@policy.open_to(policy.operator)
def pairs() -> Response:
    """The best pairs between two regions with a side in one's places that nobody has touched, with evidence."""
    from techex.admin import desk_pairs

    with identity.database().reading() as session:
        context = identity.context()
        found = desk_pair_list.TABLE.ask(_untouched(session, context), request.args)
        shown = [line.pair for line in found.rows[: desk_pairs.PROVED]]
        known = listings.visible_by_id(
            session, context, {head.id for pair in shown for head in (pair.need, pair.offer)}
        )
        proofs = {}
        for pair in shown:
            need, offer = known.get(pair.need.id), known.get(pair.offer.id)
            if need is not None and offer is not None:
                table = matcher().pairs.evidence(context.actor, need, offer).table
                proofs[pair.need.id, pair.offer.id] = desk_pairs.proof(table)
        return replies.page(
            "admin/desk_pairs.html",
            found=found,
            proofs=proofs,
            may_propose="proposals.preview" in current_app.view_functions,
        )


@blueprint.get(f"/desk/pairs.{tables.FILE}")
@policy.open_to(policy.operator)
def pairs_file(suffix: str) -> Response:
    """All of them that pass the filters, in their order."""
    with identity.database().reading() as session:
        return desk_pair_list.TABLE.file(_untouched(session, identity.context()), request.args, suffix)


def _untouched(session: Session, context: Context) -> list[Line]:
    from techex.admin import desk_pairs
    from techex.matching.best_pairs import Asked
    from techex.matching.strength import REVIEW

    asked = Asked(across=True, top=TOP, least=REVIEW, most_needs=MOST_NEEDS)
    found, _count = remembered().pairs(session, context, asked)
    return desk_pairs.lines(session, context, desk_pairs.untouched(context.actor, found, desk_pairs.touched(session)))


@blueprint.get("/desk/workload")
@policy.open_to(policy.operator)
def load() -> Response:
    """What each colleague has before them and how long their answers took; hand everything over."""
    return _load()


def _load(error: BadInput | None = None) -> Response:
    with identity.database().reading() as session:
        context = identity.context()
        items, people = _items(session, context), handing.colleagues(session, context)
        return replies.page(
            "admin/workload.html",
            422 if error else 200,
            found=workload_list.TABLE.ask(_lines(session, context, items, people), request.args),
            people=people,
            least=workload.LEAST_ANSWERS,
            days=workload.PERIOD.days,
            # The first of them as usual: what the address asks for is asked of the colleagues.
            given=workload_list.GIVEN.ask(_given(session, context, items, people), MultiDict()),
            my_number=context.actor.person_id,
            longest_note=handing.LONGEST_NOTE,
            error=error,
            sent=request.form,
        )


@blueprint.get(f"/desk/workload.{tables.FILE}")
@policy.open_to(policy.operator)
def load_file(suffix: str) -> Response:
    """The same of all colleagues who pass the filters."""
    with identity.database().reading() as session:
        context = identity.context()
        items, people = _items(session, context), handing.colleagues(session, context)
        return workload_list.TABLE.file(_lines(session, context, items, people), request.args, suffix)


@blueprint.get("/desk/hand-overs")
@policy.open_to(policy.operator)
def hand_overs() -> Response:
    """The hand-overs in force that one gave or got."""
    with identity.database().reading() as session:
        context = identity.context()
        items, people = _items(session, context), handing.colleagues(session, context)
        found = workload_list.GIVEN.ask(_given(session, context, items, people), request.args)
        return replies.page("admin/hand_overs.html", found=found, my_number=context.actor.person_id)


@blueprint.get(f"/desk/hand-overs.{tables.FILE}")
@policy.open_to(policy.operator)
def hand_overs_file(suffix: str) -> Response:
    """All of them that pass the filters."""
    with identity.database().reading() as session:
        context = identity.context()
        items, people = _items(session, context), handing.colleagues(session, context)
        return workload_list.GIVEN.file(_given(session, context, items, people), request.args, suffix)


def _lines(
    session: Session, context: Context, items: Sequence[Item], people: Mapping[int, Colleague]
) -> list[workload_list.Line]:
    loads = workload.loads(items, workload.answers(session, context.now), people)
    in_force = handing.in_force(session, working_days.here(context.now))
    return workload_list.lines(context, loads, people, in_force)


def _given(
    session: Session, context: Context, items: Sequence[Item], people: Mapping[int, Colleague]
) -> list[workload_list.Given]:
    in_force = handing.in_force(session, working_days.here(context.now))
    return workload_list.given_lines(context, in_force, items, people)


def _house() -> House:
    return House(settings().exchange_name, identity.outside_url)


def _items(session: Session, context: Context) -> list[Item]:
    return desk_items.items(session, context, settings().review_readers, page_language())[0]


@blueprint.post("/desk/hand-over")
@policy.open_to(policy.operator)
def hand_over() -> Response:
    """Hand ticked things to a colleague, or take them oneself."""
    context = identity.context()
    ticked = set(request.form.getlist("item")[: handing.MOST_ITEMS])
    to = context.actor.person_id if request.form.get("take") else whole(request.form.get("to"), 0)
    assert to is not None  # noqa: S101 - operators are people
    with identity.database().transaction() as session:
        items = [item for item in _items(session, context) if ":".join(item.subject) in ticked]
        given = handing.give(session, context, _house(), items, to, _until(request.form), request.form.get("note", ""))
    done = {"taken" if request.form.get("take") else "handed": str(len(given))}
    return replies.see_other(url_for("desk.index", **done))  # type: ignore[arg-type]


@blueprint.post("/desk/hand-over-everything")
@policy.open_to(policy.operator)
def hand_over_everything() -> Response:
    """Hand all that one has to a colleague."""
    try:
        with identity.database().transaction() as session:
            to = whole(request.form.get("to"), 0)
            note = request.form.get("note", "")
            handing.give_everything(session, identity.context(), _house(), to, _until(request.form), note)
    except BadInput as error:
        return _load(error)
    return replies.see_other(url_for("work.load"))


@blueprint.post("/desk/hand-overs/<int:hand_over_id>/end")
@policy.open_to(policy.operator)
def take_back(hand_over_id: int) -> Response:
    """End a hand-over: what was handed over goes back."""
    with identity.database().transaction() as session:
        handing.take_back(session, identity.context(), hand_over_id)
    return replies.see_other(url_for("work.load"))


def _until(form: Mapping[str, str]) -> date | None:
    text = form.get("until", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(Sentence(N_("Write the day as year-month-day, such as 2026-12-31.")), "until") from None


@blueprint.post("/views")
@policy.open_to(policy.signed_in)
def save_view() -> Response:
    """Keep the filters and the order of a list under a name."""
    form = request.form
    with identity.database().transaction() as session:
        context = identity.context()
        query, place = form.get("query", ""), form.get("place", "")
        view = saved_views.save(session, context, form.get("page", ""), form.get("name", ""), query, place)
        address = _address(view.page, saved_views.parameters(view), view.id)
    return replies.see_other(address)


@blueprint.post("/views/<int:view_id>/delete")
@policy.open_to(policy.signed_in)
def forget_view(view_id: int) -> Response:
    """Delete one's own view."""
    with identity.database().transaction() as session:
        page = saved_views.forget(session, identity.context(), view_id)
    return replies.see_other(_address(page, {}, None))


def _address(page: str, parameters: Mapping[str, Any], saved: int | None) -> str:
    more: dict[str, Any] = {"saved": saved} if saved else {}
    return url_for(page, **parameters, **more) if page in current_app.view_functions else url_for("matching.home")


def _views_bar(page: str) -> Any:
    """The views of a list and the form that keeps one, for templates; nothing for whoever has not signed in."""
    context = identity.context()
    if not context.actor.is_signed_in:
        return ""
    with identity.database().reading() as session:
        found = saved_views.views_of(session, context, page)
        rows = [
            (view.id, view.name, _address(view.page, saved_views.parameters(view), view.id), view.place_code)
            for view in found
        ]
        own = {view.id for view in found if view.person_id == context.actor.person_id}
    template = current_app.jinja_env.get_template("admin/_views.html")
    query = saved_views.kept_query(request.query_string.decode("utf-8", "replace"))
    bar: Any = template.module.bar  # type: ignore[attr-defined]
    return bar(
        {
            "page": page,
            "rows": rows,
            "own": own,
            "chosen": whole(request.args.get("saved"), 0),
            "query": query,
            "places": sorted(context.actor.places) if context.actor.is_operator else [],
        }
    )


def _teach_templates(state: Any) -> None:
    state.app.jinja_env.globals.update(saved_views=_views_bar, place_called=place_called)


blueprint.record(_teach_templates)
