"""Batches of ranked offers: choose, look, send; what was sent, as a page and as a PDF."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import format_date, gettext
from sqlalchemy.orm import Session

from techex.accounts.service import House, names_of
from techex.brokering import batch_paper, batch_refusals, batch_words, batches, paper_fonts
from techex.brokering.batch_tables import Batch
from techex.brokering.batches import Plan
from techex.core.context import Context
from techex.core.mail import said_in
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict
from techex.listings import service as listings
from techex.listings.tables import Listing
from techex.matching.rules import Match, MatchPage
from techex.matching.views import matcher
from techex.regions.naming import place_called
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language
from techex.web.problems import status_of

MOST_TICKED = 40  # numbers read from an address

blueprint = Blueprint("batches", __name__)


def _teach_templates(state: Any) -> None:
    """What pages of matching may ask."""
    state.app.jinja_env.globals.update(
        may_send_batch=lambda listing: batches.may_send(identity.context(), listing),
    )


blueprint.record(_teach_templates)


def _house() -> House:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return House(found.exchange_name, identity.outside_url)


def _key() -> str:
    return str(current_app.config["SECRET_KEY"])


def _finds(session: Session, context: Context, listing: Listing, page: int) -> MatchPage:
    return matcher().matches_for(session, context, listing, page=page)


def _plan(session: Session) -> Plan:
    return batches.plan(session, identity.context(), whole(request.values.get("listing"), 0), _finds)


def _ticked(planned: Plan) -> list[int]:
    """What is ticked; before anybody has ticked anything, the best."""
    if "look" not in request.values:
        return planned.usual()
    return [whole(number, 0) for number in request.values.getlist("with")[:MOST_TICKED]]


@blueprint.get("/batches/new")
@policy.open_to(policy.operator)
def new() -> Response:
    """Choose what goes in; once something is chosen, the letter as each of its readers would get it."""
    with identity.database().reading() as session:
        return _form(session)


def _form(session: Session, error: BadInput | Conflict | None = None) -> Response:
    planned = _plan(session)
    ticked, note = _ticked(planned), request.values.get("note", "")[: 2 * batches.LONGEST_NOTE]
    chosen = planned.chosen(ticked)
    look = "look" in request.values and bool(chosen) and len(note) <= batches.LONGEST_NOTE
    languages = list(dict.fromkeys(person.language or "vi" for person in planned.people))
    parameters: dict[str, Any] = {"listing": planned.listing.id, "with": [one.listing.id for one in chosen]}
    letters = [(code, *_letter(code, planned, chosen, note)) for code in languages] if look else []
    return replies.page(
        "brokering/batch_new.html",
        status_of(error) if error else 200,
        plan=planned,
        ticked=[one.listing.id for one in chosen] if look else ticked,
        note=note,
        letters=letters,
        missing=_missing(
            planned.listing,
            note,
            [one.listing for one in chosen],
            [text for one in chosen for quote in one.reasons.quotes for text in (quote.own, quote.theirs)],
        ),
        paper_address=url_for("batches.new_paper", **parameters, note=note, look="1"),
        once=request.form.get("once") or secrets.token_urlsafe(24),
        error=(error.sentence if isinstance(error, BadInput) else error.args[0]) if error else "",
        caps=(batches.BATCHES_A_WEEK, batches.LISTINGS_A_WEEK, batches.MOST_LISTINGS),
        longest_note=batches.LONGEST_NOTE,
    )


def _missing(about: Listing, note: str, those: Iterable[Listing | None], quotes: Sequence[str]) -> str:
    """Letters of what stands on the paper that it may not print."""
    texts = [about.title, about.organisation.name, note]
    texts += [text for one in those if one is not None for text in (one.title, one.organisation.name)]
    return paper_fonts.shown(paper_fonts.unprintable(" ".join([*texts, *quotes])))


def _letter(language: str, planned: Plan, chosen: Sequence[Match], note: str) -> tuple[str, str]:
    """Subject and text, as they will be written; its own number is not known yet."""
    link = _house().address_of("batches.index")
    stop = said_in(language, batch_words.STOP_SHOWN)
    values = batch_words.values(_house(), language, planned.listing, chosen, note, link, stop)
    return said_in(language, batch_words.SUBJECT) % values, str(values["text"])


@blueprint.get("/batches/new.pdf")
@policy.open_to(policy.operator)
def new_paper() -> Response:
    """The paper of what is chosen, before anything is sent."""
    with identity.database().reading() as session:
        planned = _plan(session)
        reader = batches.receiver_context(identity.context(), planned.listing)
        lines = [
            _paper_line(reader, rank, one.strength, one.listing, [vars(quote) for quote in one.reasons.quotes], one)
            for rank, one in enumerate(planned.chosen(_ticked(planned)), 1)
        ]
        return _paper(planned.listing, lines, request.values.get("note", "")[: batches.LONGEST_NOTE], identity.now())


@blueprint.post("/batches/new")
@policy.open_to(policy.operator)
def send() -> Response:
    """Send it, once, however often the button is pressed."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            planned = _plan(session)
            ticked, note = _ticked(planned), request.form.get("note", "")
            once = request.form.get("once", "")[:64] or secrets.token_urlsafe(24)
            number = batches.send(session, context, _house(), planned, ticked, note, once, _key()).id
    except (BadInput, Conflict) as error:
        with identity.database().reading() as session:
            return _form(session, error)
    return replies.see_other(url_for("batches.show", batch_id=number))


@blueprint.get("/batches")
@policy.open_to(policy.signed_in)
def index() -> Response:
    """The batches one was sent, and for operators those that went out in their places."""
    with identity.database().reading() as session:
        context = identity.context()
        found = TABLE.ask(batches.of_person(session, context), request.args)
        return replies.page(
            "brokering/batches.html",
            found=found,
            choices=batch_refusals.choices(session, context),
            most_a_week=batches.BATCHES_A_WEEK,
        )


@blueprint.post("/batches/wanted")
@policy.open_to(policy.signed_in)
def choose() -> Response:
    """Batches or none, for oneself or for the whole organisation."""
    said = request.form
    wanted, everybody = said.get("wanted") == "yes", said.get("for") == "everybody"
    with identity.database().transaction() as session:
        number = whole(said.get("organisation"), 0)
        batch_refusals.choose(session, identity.context(), number, wanted=wanted, everybody=everybody)
    return replies.see_other(url_for("batches.index", _anchor="wanted"))


@blueprint.get("/batches/stop/<token>")
@policy.open_to(policy.everyone)
def ask_to_stop(token: str) -> Response:
    """Where the link in a letter leads; nothing happens before the button."""
    with identity.database().reading() as session:
        organisation, person_id = batch_refusals.of_token(session, token, _key())
        on = batch_refusals.wants(session, organisation.id, person_id)
    return replies.private(replies.page("brokering/batches_stop.html", on=on, token=token))


@blueprint.post("/batches/stop/<token>")
@policy.open_to(policy.everyone)
def stop_by_link(token: str) -> Response:
    """The button, and the one press of a mail program (RFC 8058); pressed twice it says the same."""
    with identity.database().transaction() as session:
        organisation, person_id = batch_refusals.of_token(session, token, _key())
        batch_refusals.stop(session, identity.context(), organisation.id, person_id)
    return replies.private(replies.page("brokering/batches_stop.html", on=False, token=token))


@blueprint.get(f"/batches.{tables.FILE}")
@policy.open_to(policy.signed_in)
def file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    with identity.database().reading() as session:
        return TABLE.file(batches.of_person(session, identity.context()), request.args, suffix)


@blueprint.get("/batches/<int:batch_id>")
@policy.open_to(policy.signed_in)
def show(batch_id: int) -> Response:
    """One batch, as far as its reader may see its listings today."""
    with identity.database().reading() as session:
        context = identity.context()
        batch = batches.get(session, context, batch_id)
        lines = batches.shown_lines(context, batch)
        seen = [listing for _, listing in lines]
        quotes = [quote[of] for line, one in lines if one for quote in line.quotes for of in ("own", "theirs")]
        return replies.page(
            "brokering/batch.html",
            batch=batch,
            lines=lines,
            missing=_missing(batch.listing, batch.note, seen, quotes),
            sender=names_of(session, [batch.person_id]).get(batch.person_id, "") if batch.person_id else "",
            belongs=context.actor.belongs_to(batch.receiver_id),
        )


@blueprint.get("/batches/<int:batch_id>.pdf")
@policy.open_to(policy.signed_in)
def paper(batch_id: int) -> Response:
    """The same as a PDF; an operator gets what the receiver may see."""
    with identity.database().reading() as session:
        batch = batches.get(session, identity.context(), batch_id)
        reader = batches.receiver_context(identity.context(), batch.listing)
        lines = [
            _paper_line(reader, line.rank, line.strength, listing, line.quotes)
            for line, listing in batches.shown_lines(reader, batch)
        ]
        return _paper(batch.listing, lines, batch.note, batch.sent_at)


def _paper_line(
    reader: Context,
    rank: int,
    strength: int,
    listing: Listing | None,
    quotes: Sequence[Any],
    match: Match | None = None,
) -> dict[str, Any]:
    language = page_language()
    if listing is None:
        return batch_words.paper_line(language, rank, strength, None, quotes)
    facts = batch_words.facts_said(language, match.reasons.facts) if match else []
    endpoint = "listings.show_need" if listing.is_need else "listings.show_result"
    return batch_words.paper_line(
        language,
        rank,
        strength,
        listing,
        quotes[: batch_words.MOST_QUOTES],
        owner=listing.organisation.name_in(language) if listings.knows_owner(reader, listing) else "",
        facts=[{"verdict": verdict, "words": words} for verdict, words in facts],
        link=_house().address_of(endpoint, listing_id=listing.id),
    )


def _paper(listing: Listing, lines: Sequence[dict[str, Any]], note: str, day: Any) -> Response:
    language = page_language()
    words = batch_words.paper_words(language)
    data = {
        "title": words["results" if listing.is_need else "needs"],
        "language": language,
        "exchange": _house().name,
        "day": format_date(day, "long"),
        "kind": listing.kind,
        "receiver": listing.organisation.name_in(language),
        "about": f"{listing.title} ({gettext('No. %(number)s', number=listing.id)})",
        "note": note,
        "lines": lines,
        "words": words,
    }
    reply = Response(batch_paper.paper(data), content_type="application/pdf")
    reply.headers["Content-Disposition"] = f"inline; filename=techex-listing-{listing.id}.pdf"
    reply.headers["Cache-Control"] = "no-store"
    return reply


def _organisation(batch: Batch) -> str:
    return batch.receiver.name_in(page_language())


TABLE = tables.Table(
    "batches.index",
    "batches.file",
    {
        "newest": (tables.NEWEST, lambda one: -one.id),
        "oldest": (N_("oldest first"), lambda one: one.id),
        "place": (tables.BY_PLACE, lambda one: (one.listing.place.code, -one.id)),
        "title": (tables.BY_TITLE, lambda one: (one.listing.title.casefold(), -one.id)),
    },
    (
        tables.Column(N_("Number"), lambda one: one.id),
        tables.Column(N_("Sent"), lambda one: one.sent_at),
        tables.Column(N_("To"), _organisation),
        tables.Column(N_("About"), lambda one: one.listing.title),
        tables.Column(N_("Listings"), lambda one: len(one.lines)),
        tables.Column(N_("Letters"), lambda one: one.letters),
    ),
    {
        "to": tables.Filter(N_("To"), lambda one: [_organisation(one)], lambda name: name),
        "place": tables.Filter(N_("Place"), lambda one: [one.listing.place.code], place_called),
    },
    words=lambda one: one.listing.title,
)
