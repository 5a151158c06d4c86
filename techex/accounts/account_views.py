"""What people do with their own account. Whatever could lock its owner out asks for the password again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import segno
from flask import Flask, Response, current_app, request, session
from flask import url_for as page_at
from flask_babel import gettext as _
from markupsafe import Markup

from techex.accounts import factors, letters, passwords, rules, service, sessions, signing
from techex.accounts.tables import Person, PersonSession
from techex.accounts.views import (
    blueprint,
    chosen_password,
    errors_of,
    form,
    house,
    key,
    organisation_words,
    settings,
    typed,
)
from techex.core import audit
from techex.core.vocabulary import N_
from techex.errors import BadInput, NotAllowed, Sentence
from techex.web import identity, policy, replies

_DATA_OF = "techex.data_of"
NOT_YOUR_PASSWORD = N_("This is not your password.")


def me() -> signing.SignedIn:
    """Who is signed in; the policy has let nobody else in."""
    found = signing.signed_in()
    if found is None:
        raise NotAllowed(Sentence(N_("Sign in first.")))
    return found


def mine(db: Any) -> Person:
    """The row of who is signed in."""
    return service.get(db, me().actor.person_id or 0)


def confirm_password() -> None:
    """The password once more, counted; raises BadInput."""
    person_id = str(me().actor.person_id)
    identity.limited("password again", person_id, rules.PASSWORD_AGAIN)
    with identity.database().reading() as db:
        stored = mine(db).password_hash
    given = request.form.get("current_password", "")
    if len(given) > rules.LONGEST_PASSWORD or not passwords.fits(stored, given):
        raise BadInput(Sentence(NOT_YOUR_PASSWORD))


def not_in_the_demo(person: Person) -> None:
    if person.illustrative:
        raise NotAllowed(Sentence(N_("The people of the demo stay as they are, so that others can sign in as them.")))


def _checked_timezone(text: str) -> str:
    if text and text not in available_timezones():
        raise BadInput(Sentence(N_("This is not a time zone. Expected a name such as Asia/Ho_Chi_Minh.")))
    return text


@cache
def _zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "US/")))


def _checked_language(text: str) -> str:
    if text and text not in settings().language_list:
        raise BadInput(Sentence(N_("There are no pages in this language here.")))
    return text


def _done(what: str, endpoint: str = "accounts.account") -> Response:
    session["told"] = what
    return replies.see_other(page_at(endpoint))


def _account_page(errors: dict[str, str] | None = None) -> Response:
    with identity.database().reading() as db:
        person = mine(db)
        return form(
            "accounts/account.html",
            errors,
            person=person,
            sessions=sessions.of_person(db, person.id, identity.now()),
            this_session=me().session_id,
            codes_left=factors.recovery_codes_left(db, person.id),
            factor_on=factors.is_on(person),
            timezones=_zones(),
            browser_name=rules.browser_name,
        )


@blueprint.get("/account")
@policy.open_to(policy.signed_in)
def account() -> Response:
    """My account."""
    return _account_page()


@blueprint.post("/account")
@policy.open_to(policy.signed_in)
def change_account() -> Response:
    """Take name, language and time zone."""
    good, wrong = errors_of(
        {
            "name": lambda: rules.checked_name(typed("name")),
            "language": lambda: _checked_language(typed("language")),
            "timezone": lambda: _checked_timezone(typed("timezone").strip()),
        }
    )
    if wrong:
        return _account_page(wrong)
    with identity.database().transaction() as db:
        person = mine(db)
        not_in_the_demo(person)
        person.name, person.language, person.timezone = good["name"], good["language"], good["timezone"]
        audit.record(db, identity.context(), "account changed", "person", person.id)
    return _done("account")


@blueprint.get("/account/password")
@policy.open_to(policy.signed_in)
def change_password() -> Response:
    """The form of another password."""
    return form("accounts/change_password.html")


@blueprint.post("/account/password")
@policy.open_to(policy.signed_in)
def change_password_now() -> Response:
    """Take another password; every other browser is signed out."""
    found = me()
    with identity.database().reading() as db:
        own = (found.actor.name, found.email, *organisation_words(db, found.actor.person_id))
    _good, wrong = errors_of({"current_password": confirm_password, "password": lambda: chosen_password(*own)})
    if wrong:
        return form("accounts/change_password.html", wrong)
    stored = passwords.hashed(_good["password"])
    with identity.database().transaction() as db:
        person = mine(db)
        not_in_the_demo(person)
        service.change_password(db, identity.context(), house(), person, stored, keep=found.session_id)
        token = _renewed(db, found.session_id)
    signing.enter(token)
    return _done("password")


def _renewed(db: Any, session_id: int, second_factor: bool | None = None) -> str:
    row = db.get(PersonSession, session_id)
    proved = row.second_factor if second_factor is None else second_factor
    return sessions.renew(db, identity.context(), row, second_factor=proved)


@blueprint.get("/account/email")
@policy.open_to(policy.signed_in)
def change_address() -> Response:
    """The form of another address."""
    return form("accounts/change_address.html", email=me().email)


@blueprint.post("/account/email")
@policy.open_to(policy.signed_in)
def change_address_now() -> Response:
    """Write to the new address; the account moves when that letter is answered."""
    good, wrong = errors_of(
        {"email": lambda: rules.checked_address(typed("email")), "current_password": confirm_password}
    )
    if wrong:
        return form("accounts/change_address.html", wrong, email=me().email)
    identity.limited("letter to", good["email"].key, rules.LETTERS_TO)
    identity.limited("letter from", identity.remote(), rules.LETTERS_FROM)
    with identity.database().transaction() as db:
        person = mine(db)
        not_in_the_demo(person)
        service.move(db, identity.context(), house(), person, good["email"])
    return replies.see_other(page_at("accounts.letter_sent"))


@blueprint.post("/account/sessions/end")
@policy.open_to(policy.signed_in)
def end_sessions() -> Response:
    """Sign out everywhere, in this browser too."""
    with identity.database().transaction() as db:
        not_in_the_demo(mine(db))
        sessions.end_all(db, me().actor.person_id or 0)
        audit.record(db, identity.context(), "signed out everywhere", "person", me().actor.person_id or 0)
    signing.leave()
    session["told"] = "everywhere"
    return replies.see_other(page_at("accounts.sign_in"))


@blueprint.post("/account/sessions/<int:session_id>/end")
@policy.open_to(policy.signed_in)
def end_session(session_id: int) -> Response:
    """Sign out in another browser."""
    with identity.database().transaction() as db:
        not_in_the_demo(mine(db))
        row = db.get(PersonSession, session_id)
        if row is not None and row.person_id == me().actor.person_id:
            db.delete(row)
    return _done("session")


# ---- the second factor ----


def _factor_page(errors: dict[str, str] | None = None, codes: Sequence[str] = ()) -> Response:
    with identity.database().reading() as db:
        person = mine(db)
        proposed = bool(person.factor_nonce) and not factors.is_on(person)
        seed = factors.seed(person, key()) if proposed else ""
        square = _square(factors.address(person, key(), settings().exchange_name)) if proposed else ""
        left = factors.recovery_codes_left(db, person.id)
    response = form(
        "accounts/second_factor.html",
        errors,
        is_on=factors.is_on(person),
        since=person.factor_since,
        proposed=proposed,
        seed=" ".join(seed[i : i + 4] for i in range(0, len(seed), 4)),
        square=square,
        codes=codes,
        codes_left=left,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _square(text: str) -> Markup:
    """A square code as SVG: made by the library from the seed, so there is nothing of a person's in it to escape."""
    drawn = segno.make(text, error="m").svg_inline(
        border=3, dark="#000", light="#fff", svgclass="square", omitsize=True
    )
    return Markup(drawn)  # noqa: S704 - only coordinates and colours


@blueprint.get("/account/second-factor")
@policy.open_to(policy.signed_in)
def second_factor() -> Response:
    """The second factor: off, being set up, or on."""
    return _factor_page()


@blueprint.post("/account/second-factor/start")
@policy.open_to(policy.signed_in)
def start_factor() -> Response:
    """Show the square code of a new seed."""
    _good, wrong = errors_of({"current_password": confirm_password})
    if wrong:
        return _factor_page(wrong)
    with identity.database().transaction() as db:
        person = mine(db)
        not_in_the_demo(person)
        if not factors.is_on(person):
            factors.propose(person)
    return replies.see_other(page_at("accounts.second_factor"))


@blueprint.post("/account/second-factor")
@policy.open_to(policy.signed_in)
def turn_factor_on() -> Response:
    """Take the first code: from now on one is asked for. The recovery codes are shown this once."""
    found = me()
    identity.limited("code", str(found.actor.person_id), rules.CODE)
    with identity.database().transaction() as db:
        person = mine(db)
        if factors.is_on(person) or not person.factor_nonce:
            return replies.see_other(page_at("accounts.second_factor"))
        good = factors.accepts(person, key(), typed("code"), identity.now())
        if good:
            codes = factors.turn_on(db, identity.context(), person)
            sessions.end_all(db, person.id, but=found.session_id)
            token = _renewed(db, found.session_id, second_factor=True)
            audit.record(db, identity.context(), "second factor on", "person", person.id)
            _tell(db, person, "factor_on")
    if not good:
        return _factor_page({"code": _("This code is not good. Wait for the next one in the app, then try again.")})
    signing.enter(token)
    return _factor_page(codes=codes)


def _tell(db: Any, person: Person, about: str) -> None:
    where = house().address_of("accounts.forgotten_password")
    letters.tell(db, identity.context(), person, about, link=where, exchange=house().name)


@blueprint.post("/account/second-factor/off")
@policy.open_to(policy.signed_in)
def turn_factor_off() -> Response:
    """Ask for no code any more; what needed one is closed from the next request on."""
    found = me()
    _good, wrong = errors_of({"current_password": confirm_password})
    if wrong:
        return _factor_page(wrong)
    with identity.database().transaction() as db:
        person = mine(db)
        not_in_the_demo(person)
        factors.turn_off(db, person)
        sessions.end_all(db, person.id, but=found.session_id)
        token = _renewed(db, found.session_id, second_factor=False)
        audit.record(db, identity.context(), "second factor off", "person", person.id)
        _tell(db, person, "factor_off")
    signing.enter(token)
    return _done("factor_off")


@blueprint.post("/account/second-factor/recovery-codes")
@policy.open_to(policy.signed_in)
def recovery_codes() -> Response:
    """Ten new recovery codes; the old ones are void."""
    _good, wrong = errors_of({"current_password": confirm_password})
    if wrong:
        return _factor_page(wrong)
    with identity.database().transaction() as db:
        person = mine(db)
        not_in_the_demo(person)
        codes = factors.new_recovery_codes(db, person) if factors.is_on(person) else []
        audit.record(db, identity.context(), "recovery codes renewed", "person", person.id)
    return _factor_page(codes=codes)


# ---- take it along, go ----


@blueprint.get("/account/export")
@policy.open_to(policy.signed_in)
def export() -> Response:
    """Everything that is kept about me, as a file."""
    with identity.database().reading() as db:
        found = service.data_of(db, mine(db), current_app.extensions[_DATA_OF])
    response = Response(json.dumps(found, ensure_ascii=False, indent=2), content_type="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="techex-account.json"'
    return response


def init_app(app: Flask, data_of: Sequence[Callable[..., dict[str, Any]]]) -> None:
    """`data_of` are other domains' parts of the export of one's data; see `accounts.service`."""
    app.extensions[_DATA_OF] = tuple(data_of)
