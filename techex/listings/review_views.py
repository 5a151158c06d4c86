"""The operators' queue and the page on which a listing is read, marked, published or returned."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request, url_for
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.listings import content, disclosure, lifecycle, queue_list, reviews, service
from techex.listings.lifecycle import Verb
from techex.listings.reviews import CRITERIA, HIGHEST, Scores
from techex.listings.rules import BODY_FIELDS, FIELD_BY_NAME, Kind, fields_of
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.regions import working_days
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole

blueprint = Blueprint("review", __name__)


@blueprint.get("/review")
@policy.open_to(policy.operator)
def queue() -> Response:
    """What waits for this operator, the most urgent first."""
    with identity.database().reading() as session:
        lines = reviews.queue(session, identity.context(), _readers())
        found = queue_list.TABLE.ask(enumerate(lines), request.args)
        return replies.page("listings/queue.html", found=found, readers=_readers(), passes=reviews.passes)


@blueprint.get(f"/review.{tables.FILE}")
@policy.open_to(policy.operator)
def file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        lines = reviews.queue(session, identity.context(), _readers())
        return queue_list.TABLE.file(enumerate(lines), request.args, suffix)


def _settings() -> Settings:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found


def _readers() -> int:
    return _settings().review_readers


@blueprint.get("/review/<int:listing_id>")
@policy.open_to(policy.operator)
def show(listing_id: int) -> Response:
    """One listing as its reader works on it: every field with room for a comment, what has changed, the marks."""
    with identity.database().reading() as session:
        listing = service.get_visible(session, identity.context(), listing_id)
        return _page(session, identity.context(), listing)


def _page(
    session: Session, context: Context, listing: Listing, error: str = "", about: str = "", status: int = 200
) -> Response:
    review = reviews.open_review(session, listing)
    proposal = service.proposal_of(session, listing)
    mine = next((one for one in review.readings if one.reader_id == context.actor.person_id), None) if review else None
    before = [one for one in service.revisions(session, listing) if one.state == "past"]
    changes = []
    if proposal is not None:
        changes = content.changes_between(content.content_of(listing), proposal.content)
    elif before:
        changes = content.changes_between(before[-1].content, content.content_of(listing))
    values = proposal.content["values"] if proposal is not None else content.values_of(listing)
    rows = [(rule, values.get(rule.name)) for rule in fields_of(Kind(listing.kind))]
    return replies.page(
        "listings/review.html",
        status,
        listing=listing,
        review=review,
        proposal=proposal,
        mine=mine,
        passes=reviews.passes(review) if review else 0,
        readers=_readers(),
        may_read=reviews.may_read(context, listing, review),
        verbs={row.verb for row in service.allowed(session, context, listing)},
        days_left=(review.due - working_days.here(context.now)).days if review else None,
        rows=rows,
        texts=(*BODY_FIELDS, "title", "summary"),
        changes=changes,
        reports=reviews.reports_of(session, listing),
        grounds=disclosure.GROUNDS,
        criteria=CRITERIA,
        marks=range(HIGHEST + 1),
        fields=FIELD_BY_NAME,
        error=error,
        about=about,
        sent=request.form,
        lifecycle=lifecycle,
    )


_VERBS = ("take_up", "read", "publish", "return", "accept", "refuse", "hold", "release", "introduce")


@blueprint.post(f"/review/<int:listing_id>/<any({', '.join(_VERBS)}):verb>")
@policy.open_to(policy.operator)
def decide(listing_id: int, verb: str) -> Response:
    """Carry out what an operator decided; what is missing is said beside the form, with everything still in it."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            listing = service.get_visible(session, context, listing_id, to_change=True)
            _decide(session, context, listing, verb)
    except BadInput as error:
        with identity.database().reading() as session:
            listing = service.get_visible(session, context, listing_id)
            return _page(session, context, listing, error.sentence, error.about, 422)
    if verb in ("publish", "return", "accept", "refuse", "hold", "release"):
        return replies.see_other(url_for("review.queue"))
    return replies.see_other(url_for("review.show", listing_id=listing_id))


def _decide(session: Session, context: Context, listing: Listing, verb: str) -> None:
    form = request.form
    comments = {name.removeprefix("comment."): text for name, text in form.items() if name.startswith("comment.")}
    match verb:
        case "take_up":
            reviews.take_up(session, context, listing)
        case "read":
            reviews.read(session, context, listing, _scores(), comments)
        case "publish":
            _publish(session, context, listing, comments)
        case "return":
            reviews.give_back(session, context, listing, comments, _link, _settings().exchange_name)
        case "accept" | "refuse":
            reviews.decide(session, context, listing, whole(form.get("revision"), 0), Verb(verb), comments)
        case "hold" | "release":
            service.do(session, context, listing, Verb(verb), form.get("reason", ""))
        case "introduce":
            slug = form.get("organisation", "").strip()[:80]
            disclosure.introduce(session, context, listing, organisations.get_organisation(session, slug))


def _publish(session: Session, context: Context, listing: Listing, comments: dict[str, str]) -> None:
    """Publish with the marks on the page, if there are any; where another reader is wanted, it waits for them."""
    review = reviews.open_review(session, listing)
    if "benefit" in request.form:
        scores = _scores()
        if not scores.passed:
            raise BadInput(
                Sentence(
                    N_("With a mark of 0, or fewer than 10 in all, it cannot be published. Return it with comments.")
                ),
                about="marks",
            )
        review, _ = reviews.read(session, context, listing, scores, comments)
    if review is None or reviews.passes(review) >= _readers() or "benefit" not in request.form:
        reviews.publish(session, context, listing, _readers())


def _scores() -> Scores:
    return Scores(**{name: whole(request.form.get(name), -1) for name in CRITERIA})


def _link(listing: Listing) -> str:
    endpoint = "listings.show_need" if listing.kind == Kind.NEED else "listings.show_result"
    return identity.outside_url(endpoint, listing_id=str(listing.id))
