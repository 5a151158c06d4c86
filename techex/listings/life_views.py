"""What owners do with their listings, what anybody signed in may do with one, and the link that lets one go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for
from sqlalchemy.orm import Session, object_session

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, FieldErrors, NotFound, Sentence
from techex.listings import ageing, content, correction, disclosure, lifecycle, queries, queue_list, reviews, service
from techex.listings.disclosure import Disclosure
from techex.listings.lifecycle import Transition, Verb
from techex.listings.rules import FIELD_BY_NAME, Kind, State, Suited, Teaser, Visibility
from techex.listings.tables import Listing
from techex.web import identity, policy, replies, tables

# Verbs that are a button: they take nothing, or a reason.
BUTTONS = (
    *(Verb.SUBMIT, Verb.RECALL, Verb.EXTEND, Verb.OPEN, Verb.CLOSE, Verb.RELEASE, Verb.HOLD),
    *(Verb.REOPEN, Verb.ARCHIVE, Verb.WITHDRAW),
)
WITH_REASON = tuple({row.verb for row in lifecycle.TRANSITIONS if lifecycle.Need.REASON in row.needs})

# How the listings of the asker's organisations stand among the others, by id.
Suiting = Callable[[Session, Context], Mapping[int, Suited]]
_SUITING = "techex.suiting"

blueprint = Blueprint("life", __name__)


def init_app(app: Flask, suiting: Suiting) -> None:
    """Register the pages; `suiting` knows how listings stand among the others."""
    app.extensions[_SUITING] = suiting
    app.register_blueprint(blueprint)


def address_of(listing: Listing, **more: Any) -> str:
    """The page of a listing."""
    endpoint = "listings.show_need" if listing.kind == Kind.NEED else "listings.show_result"
    return url_for(endpoint, listing_id=listing.id, **more)


def form_of(verb: Verb, listing: Listing) -> str:
    """The page on which a verb that takes more than a press is carried out; empty where there is none."""
    endpoints = {
        Verb.EDIT: "posting.edit",
        Verb.PROPOSE: "posting.edit",
        Verb.DISCLOSE: "life.visibility",
        Verb.REPORT: "life.report",
        Verb.INTRODUCE: "review.show",
        Verb.ACCEPT: "review.show",
        Verb.REFUSE: "review.show",
        Verb.TAKE_UP: "review.show",
        Verb.RETURN: "review.show",
        Verb.PUBLISH: "review.show",
    }
    endpoint = endpoints.get(verb, "")
    return url_for(endpoint, listing_id=listing.id) if endpoint in current_app.view_functions else ""


def allowed_here(listing: Listing) -> list[Transition]:
    """What the reader of this page may do to a listing; for templates."""
    session = object_session(listing)
    if session is None or not identity.context().actor.is_signed_in:
        return []
    return service.allowed(session, identity.context(), listing)


def knows_owner(listing: Listing) -> bool:
    """Whether the reader of this page may know whose a listing is; for templates."""
    return service.knows_owner(identity.context(), listing)


def may_correct_language(listing: Listing) -> bool:
    """Whether the reader of this page may say which language a listing is in; for templates."""
    session = object_session(listing)
    context = identity.context()
    return session is not None and context.actor.is_signed_in and correction.may_correct(session, context, listing)


def teach_templates(state: Any) -> None:
    """What templates of every domain may ask about a listing."""
    state.app.jinja_env.globals.update(
        knows_owner=knows_owner,
        hidden_fields=lambda listing: service.guarded(identity.context(), listing),
        allowed_here=allowed_here,
        may_correct_language=may_correct_language,
        form_of=form_of,
        lifecycle=lifecycle,
        BUTTONS=BUTTONS,
    )


blueprint.record(teach_templates)


@blueprint.get("/my/listings")
@policy.open_to(policy.signed_in)
def mine() -> Response:
    """The listings of one's organisations with what can be done to each, and those that are shared with them."""
    context = identity.context()
    with identity.database().reading() as session:
        found = queue_list.MINE.ask(_own(session, context), request.args)
        returned = [one.listing for one in found.rows if one.listing.state == State.RETURNED]
        return replies.page(
            "listings/mine.html",
            found=found,
            returned={listing.id: reviews.last_returned(session, listing) for listing in returned},
            shared=disclosure.shared_listings(session, context),
            fields=FIELD_BY_NAME,
        )


@blueprint.get(f"/my/listings.{tables.FILE}")
@policy.open_to(policy.signed_in)
def file(suffix: str) -> Response:
    """All of that list, with the same filters."""
    with identity.database().reading() as session:
        return queue_list.MINE.file(_own(session, identity.context()), request.args, suffix)


def _own(session: Session, context: Context) -> list[queue_list.Own]:
    suiting: Suiting = current_app.extensions[_SUITING]
    suited = suiting(session, context)
    return [queue_list.Own(listing, suited.get(listing.id)) for listing in queries.of_organisations(session, context)]


@blueprint.get("/on-request")
@policy.open_to(policy.everyone)
def teasers() -> Response:
    """Restricted listings of which their owners tell a little."""
    with identity.database().reading() as session:
        return replies.page("listings/teasers.html", found=disclosure.teasers(session, identity.context()))


@blueprint.post(f"/listings/<int:listing_id>/<any({', '.join(BUTTONS)}):verb>")
@policy.open_to(policy.signed_in)
def carry_out(listing_id: int, verb: str) -> Response:
    """A button of the table."""
    context = identity.context()
    with identity.database().transaction() as session:
        listing = service.get_visible(session, context, listing_id, to_change=True)
        service.do(session, context, listing, Verb(verb), request.form.get("reason", ""))
        stays = service.sees(context, listing)
    to = request.form.get("next", "")
    return replies.see_other(url_for("life.mine") if to == "mine" or not stays else address_of(listing))


@blueprint.post("/listings/<int:listing_id>/language")
@policy.open_to(policy.signed_in)
def correct_language(listing_id: int) -> Response:
    """Which language a listing is written in, where that was detected or chosen wrongly."""
    context = identity.context()
    with identity.database().transaction() as session:
        listing = service.get_visible(session, context, listing_id, to_change=True)
        correction.correct_language(session, context, listing, request.form.get("language", ""))
        return replies.see_other(address_of(listing))


@blueprint.get("/listings/<int:listing_id>/history")
@policy.open_to(policy.signed_in)
def history(listing_id: int) -> Response:
    """What a listing said before, for its organisation and operators: words that went and words that came."""
    context = identity.context()
    with identity.database().reading() as session:
        listing = _own_or_operators(session, context, listing_id)
        return replies.page(
            "listings/history.html", listing=listing, steps=_steps(session, listing), fields=FIELD_BY_NAME
        )


def _own_or_operators(session: Session, context: Context, listing_id: int) -> Listing:
    listing = service.get_visible(session, context, listing_id)
    if not (context.actor.belongs_to(listing.organisation_id) or context.actor.is_operator):
        raise NotFound(
            Sentence(
                N_("There is no listing number %(number)s here. It may have ended; search for what you need."),
                number=listing_id,
            )
        )
    return listing


def _steps(session: Session, listing: Listing) -> list[dict[str, Any]]:
    """Each kept revision with what differs from the content that followed it, or stood when it was proposed."""
    kept = service.revisions(session, listing)
    standing = [revision for revision in kept if revision.state == "past"]
    steps = []
    for revision in kept:
        if revision.state == "past":
            later = next((one.content for one in standing if one.number > revision.number), content.content_of(listing))
            changes = content.changes_between(revision.content, later)
        else:
            # What stood then: the first content that was replaced after it was proposed, or what stands now.
            stood = next((one.content for one in standing if one.number > revision.number), content.content_of(listing))
            changes = content.changes_between(stood, revision.content)
            if revision.state == "accepted":
                continue  # the step from the content it replaced says the same
        steps.append({"revision": revision, "changes": changes})
    return steps[::-1]


@blueprint.get("/listings/<int:listing_id>/visibility")
@policy.open_to(policy.signed_in)
def visibility(listing_id: int) -> Response:
    """The form in which an owner says who may see a listing."""
    context = identity.context()
    with identity.database().reading() as session:
        listing = service.get_visible(session, context, listing_id)
        service.permit(session, context, listing, Verb.DISCLOSE)
        return _visibility_form(listing, disclosure.disclosure_of(session, listing), {})


def _visibility_form(listing: Listing, asked: Disclosure, errors: Mapping[str, str], status: int = 200) -> Response:
    return replies.page(
        "listings/visibility.html",
        status,
        listing=listing,
        asked=asked,
        errors=errors,
        longest=disclosure.LONGEST_TEASER,
    )


@blueprint.post("/listings/<int:listing_id>/visibility")
@policy.open_to(policy.signed_in)
def disclose(listing_id: int) -> Response:
    """Let others see a listing, or no longer."""
    context = identity.context()
    asked = Disclosure()
    try:
        with identity.database().transaction() as session:
            listing = service.get_visible(session, context, listing_id, to_change=True)
            service.permit(session, context, listing, Verb.DISCLOSE)
            asked = _read_disclosure()
            disclosure.disclose(session, context, listing, asked)
    except FieldErrors as error:
        with identity.database().reading() as session:
            listing = service.get_visible(session, context, listing_id)
            return _visibility_form(listing, asked, error.fields, 422)
    return replies.see_other(address_of(listing))


def _read_disclosure() -> Disclosure:
    form = request.form
    try:
        return Disclosure(
            Visibility(form.get("visibility", "")),
            form.get("anonymous") == "yes",
            Teaser(form.get("teaser", Teaser.NONE.value)),
            form.get("teaser_text", "")[: disclosure.LONGEST_TEASER * 2],
            tuple(form.get("shared_with", "")[:5_000].replace(",", " ").split()),
        )
    except ValueError:
        raise BadInput(Sentence(N_("Choose who may see it."))) from None


@blueprint.get("/listings/<int:listing_id>/report")
@policy.open_to(policy.signed_in)
def report(listing_id: int) -> Response:
    """The form of a complaint."""
    context = identity.context()
    with identity.database().reading() as session:
        listing = service.get_visible(session, context, listing_id)
        service.permit(session, context, listing, Verb.REPORT)
        return replies.page("listings/report.html", listing=listing, grounds=disclosure.GROUNDS, error="")


@blueprint.post("/listings/<int:listing_id>/report")
@policy.open_to(policy.signed_in)
def complain(listing_id: int) -> Response:
    """Report a listing: it is hidden until an operator has looked."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            listing = service.get_visible(session, context, listing_id, to_change=True)
            disclosure.report(session, context, listing, request.form.get("ground", ""), request.form.get("reason", ""))
    except BadInput as error:
        with identity.database().reading() as session:
            listing = service.get_visible(session, context, listing_id)
            values = {"listing": listing, "grounds": disclosure.GROUNDS, "error": error.sentence}
            return replies.page("listings/report.html", 422, **values)
    return replies.page("listings/reported.html")


@blueprint.get("/goes-on/<token>")
@policy.open_to(policy.everyone)
def goes_on(token: str) -> Response:
    """Where the link of a notice leads; nothing happens before the button, whoever follows the link."""
    with identity.database().reading() as session:
        listing = ageing.listing_of_token(session, token, _key())
        service.permit(session, identity.context(), listing, Verb.EXTEND, by_link=True)
        return _private(replies.page("listings/goes_on.html", listing=listing, token=token, done=False))


@blueprint.post("/goes-on/<token>")
@policy.open_to(policy.everyone)
def go_on(token: str) -> Response:
    """Let the listing go on for a year."""
    with identity.database().transaction() as session:
        listing = ageing.extend_by_link(session, identity.context(), token, _key())
    return _private(replies.page("listings/goes_on.html", listing=listing, token=token, done=True))


def _private(response: Response) -> Response:
    # The address is a key: it goes neither into caches nor, as a referrer, to other sites.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _key() -> str:
    return str(current_app.config["SECRET_KEY"])
