"""Pages of alerts: begin one from a search or a listing, see one's own, stop, also by the link in a letter."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, request, url_for

from techex.alerts import alert_list, service
from techex.alerts.finding import finder, place_of, search_of
from techex.alerts.rules import CADENCES, Cadence
from techex.alerts.service import Place
from techex.core.text import has_words
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.matching.forms import Search, read_search
from techex.matching.views import matcher
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole

blueprint = Blueprint("alerts", __name__)


def surroundings() -> Place:
    """What letters and calendars need to know of this installation."""
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return replace(place_of(found), key=_key())


def _key() -> str:
    return str(current_app.config["SECRET_KEY"])


def _cadence() -> Cadence:
    code = request.form.get("cadence", "")
    if code not in set(Cadence):
        raise BadInput(Sentence(N_("Choose how often: at once, daily or weekly.")), "cadence")
    return Cadence(code)


@blueprint.get("/alerts")
@policy.open_to(policy.signed_in)
def index() -> Response:
    """A person's own alerts."""
    with identity.database().reading() as session:
        found = alert_list.TABLE.ask(service.of_person(session, identity.context()), request.args)
        return replies.page(
            "alerts/index.html",
            found=found,
            about=service.about,
            search_of=search_of,
            sought=alert_list.sought,
            cadences=CADENCES,
        )


@blueprint.get(f"/alerts.{tables.FILE}")
@policy.open_to(policy.signed_in)
def file(suffix: str) -> Response:
    """All of one's alerts that pass the filters."""
    with identity.database().reading() as session:
        return alert_list.TABLE.file(service.of_person(session, identity.context()), request.args, suffix)


@blueprint.post("/alerts")
@policy.open_to(policy.signed_in)
def begin() -> Response:
    """Keep a search, or the matches of a listing."""
    listing_id = whole(request.form.get("listing"), 0) or None
    asked = replace(read_search(request.form), page=1, heed=True)
    if listing_id is None and not has_words(asked.text):
        raise BadInput(Sentence(N_("An alert needs a text to look for, or a listing.")), "text")
    query = urlencode(asked.parameters() if listing_id is None else replace(asked, text="").parameters(), doseq=True)
    with identity.database().transaction() as session:
        service.begin(session, identity.context(), surroundings(), query, listing_id, _cadence(), finder(matcher()))
    return replies.see_other(url_for("alerts.index"))


@blueprint.post("/alerts/<int:alert_id>/cadence")
@policy.open_to(policy.signed_in)
def cadence(alert_id: int) -> Response:
    """Let it write more or less often."""
    context = identity.context()
    with identity.database().transaction() as session:
        alert = service.get(session, context, alert_id)
        service.set_cadence(session, context, surroundings(), alert, _cadence())
    return replies.see_other(url_for("alerts.index"))


@blueprint.post("/alerts/<int:alert_id>/stop")
@policy.open_to(policy.signed_in)
def stop(alert_id: int) -> Response:
    """End it."""
    context = identity.context()
    with identity.database().transaction() as session:
        service.stop(session, context, service.get(session, context, alert_id))
    return replies.see_other(url_for("alerts.index"))


@blueprint.get("/alerts/stop/<token>")
@policy.open_to(policy.everyone)
def ask_to_stop(token: str) -> Response:
    """Where the link in a letter leads; nothing happens before the button, whoever follows the link."""
    with identity.database().reading() as session:
        alerts = service.of_token(session, token, _key())
        return replies.private(replies.page("alerts/stop.html", alerts=alerts, token=token))


@blueprint.post("/alerts/stop/<token>")
@policy.open_to(policy.everyone)
def stop_by_link(token: str) -> Response:
    """The button, and the one press of a mail program (RFC 8058); pressed twice it says the same."""
    with identity.database().transaction() as session:
        for alert in service.of_token(session, token, _key()):
            service.stop(session, identity.context(), alert)
    return replies.private(replies.page("alerts/stop.html", alerts=(), token=token))


def init_app(app: Flask) -> None:
    """Teach the pages of matches to offer an alert."""

    def may_be_told() -> bool:
        return identity.context().actor.is_signed_in

    def parameters(search: Search) -> list[tuple[str, str]]:
        pairs = []
        for name, value in replace(search, page=1, heed=True).parameters().items():
            pairs += [(name, str(one)) for one in (value if isinstance(value, (list, tuple)) else [value])]
        return pairs

    app.jinja_env.globals.update(may_be_told=may_be_told, alert_parameters=parameters, alert_cadences=CADENCES)
