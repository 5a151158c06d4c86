"""Deadlines as pages and calendars: one's own list, the secret address, single files, letters or none."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app, make_response, request, url_for

from techex.accounts.tables import Person
from techex.alerts import calendars, deadline_letters, ics
from techex.alerts.ics import Reader
from techex.alerts.views import surroundings
from techex.core import limits
from techex.core.deadlines import Sources
from techex.core.vocabulary import N_
from techex.errors import NotFound, Sentence
from techex.web import identity, policy, replies
from techex.web.language import page_language

blueprint = Blueprint("calendar", __name__)

_SOURCES = "techex.deadlines"
# A calendar program comes a few times an hour at most; who tries addresses comes more often.
RATES = (limits.Rate(60, 3600),)
WRONG_RATES = (limits.Rate(30, 3600),)


def _sources() -> Sources:
    found = current_app.extensions[_SOURCES]
    assert isinstance(found, Sources)  # noqa: S101 - init_app sets it
    return found


def _reader(language: str = "", timezone: str = "") -> Reader:
    place = surroundings()
    base = identity.outside_url("matching.home").rstrip("/")
    return Reader(place.exchange, base, language or page_language(), calendars.zone_named(timezone, place.zone))


@blueprint.get("/alerts/calendar")
@policy.open_to(policy.signed_in)
def index() -> Response:
    """A person's deadlines, and how a calendar program reads them."""
    return _page()


def _page(**values: Any) -> Response:
    context = identity.context()
    person_id = context.actor.person_id
    assert person_id is not None  # noqa: S101 - signed in
    with identity.database().reading() as session:
        return replies.page(
            "alerts/calendar.html",
            deadlines=_sources().of(session, context),
            feed=calendars.of_person(session, context),
            letters=deadline_letters.are_on(session, person_id),
            **values,
        )


@blueprint.post("/alerts/calendar")
@policy.open_to(policy.signed_in)
def begin() -> Response:
    """A new secret address; the one before, if any, is void. It is shown once, in this reply."""
    context = identity.context()
    identity.limited("calendar address", str(context.actor.person_id), RATES)
    with identity.database().transaction() as session:
        token = calendars.begin(session, context)
    address = identity.outside_url("calendar.feed", token=token)
    return replies.private(_page(address=address, webcal="webcal:" + address.partition(":")[2]))


@blueprint.post("/alerts/calendar/end")
@policy.open_to(policy.signed_in)
def end() -> Response:
    """The address is void from now on."""
    with identity.database().transaction() as session:
        calendars.end(session, identity.context())
    return replies.see_other(url_for("calendar.index"))


@blueprint.get("/calendar/<token>.ics")
@policy.open_to(policy.everyone)
def feed(token: str) -> Response:
    """What a calendar program reads: the secret in the address is the key."""
    context = identity.context()
    try:
        with identity.database().reading() as session:
            asked = calendars.read(session, context, token, _sources())
    except NotFound:
        identity.limited("wrong calendar", identity.remote(), WRONG_RATES)
        raise
    identity.limited("calendar", str(asked.person_id), RATES)
    if asked.to_note:
        with identity.database().transaction() as session:
            calendars.note(session, context, asked.person_id)
    reader = _reader(asked.language or current_app.config["BABEL_DEFAULT_LOCALE"], asked.timezone)
    return _file(ics.written(reader, asked.deadlines), "deadlines.ics")


@blueprint.get("/alerts/deadlines/<key>.ics")
@policy.open_to(policy.signed_in)
def one(key: str) -> Response:
    """A single deadline as a file, for whoever keeps their calendar by hand."""
    context = identity.context()
    with identity.database().reading() as session:
        found = [deadline for deadline in _sources().of(session, context) if deadline.key == key]
        timezone = session.get_one(Person, context.actor.person_id).timezone
    if not found:
        raise NotFound(Sentence(N_("You have no such deadline, or it is done. See your deadlines on this exchange.")))
    return _file(ics.written(_reader(timezone=timezone), found), f"{key}.ics")


def _file(content: bytes, name: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    replies.private(response)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.add_etag()
    packed = f"{response.get_etag()[0]}-gzip"  # what this file is called when it is sent compressed
    if request.if_none_match.contains(packed):
        response.set_etag(packed)
    response.make_conditional(request)
    return response


@blueprint.post("/alerts/deadlines/letters")
@policy.open_to(policy.signed_in)
def letters() -> Response:
    """Letters about deadlines, or none."""
    context = identity.context()
    person_id = context.actor.person_id
    assert person_id is not None  # noqa: S101 - signed in
    with identity.database().transaction() as session:
        on = request.form.get("on") == "yes"
        deadline_letters.switch(session, context, surroundings(), person_id, on=on)
    return replies.see_other(url_for("calendar.index"))


@blueprint.get("/alerts/deadlines/stop/<token>")
@policy.open_to(policy.everyone)
def ask_to_stop(token: str) -> Response:
    """Where the link in a letter leads; nothing happens before the button."""
    with identity.database().reading() as session:
        person_id = deadline_letters.of_token(session, token, surroundings().key)
        on = deadline_letters.are_on(session, person_id)
    return replies.private(replies.page("alerts/stop_deadlines.html", on=on, token=token))


@blueprint.post("/alerts/deadlines/stop/<token>")
@policy.open_to(policy.everyone)
def stop_by_link(token: str) -> Response:
    """The button, and the one press of a mail program (RFC 8058); pressed twice it says the same."""
    place = surroundings()
    with identity.database().transaction() as session:
        person_id = deadline_letters.of_token(session, token, place.key)
        deadline_letters.switch(session, identity.context(), place, person_id, on=False)
    return replies.private(replies.page("alerts/stop_deadlines.html", on=False, token=token))


def init_app(app: Flask, sources: Sources) -> None:
    """`sources` are what all domains know of a person's deadlines."""
    app.extensions[_SOURCES] = sources
