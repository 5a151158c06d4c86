"""The doors: sign in and out, register, the way back when a password was forgotten.

No reply tells whether an address has an account: what differs stands in the letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, session
from flask import url_for as page_at
from flask_babel import gettext as _

from techex.accounts import demo, factors, letters, links, passwords, rules, service, sessions, signing
from techex.accounts.tables import OneTimeLink, Person
from techex.core import audit, limits, mail
from techex.core.vocabulary import N_
from techex.errors import BadInput, NotAllowed, NotFound, Sentence
from techex.settings import Settings
from techex.web import identity, language, policy, problems, replies, security

blueprint = Blueprint("accounts", __name__)
_SETTINGS = "techex.settings"
_WORDS = "techex.password_words"
_SECOND_STEP = "second_step"  # what the cookie holds between password and code
_LONGEST_FIELD = 1_000
EVERYBODY = "all"


def settings() -> Settings:
    """The settings of the running exchange."""
    found = current_app.extensions[_SETTINGS]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found


def house() -> service.House:
    """What letters need to know of this exchange."""
    return service.House(settings().exchange_name, identity.outside_url)


def key() -> str:
    """The signing key, of which the seeds of second factors are made."""
    return str(current_app.config["SECRET_KEY"])


def typed(name: str) -> str:
    """A field of the form as it was typed; cut where nobody types."""
    return request.form.get(name, "")[:_LONGEST_FIELD]


def onward(fallback: str = "matching.home") -> str:
    """Where the reader wanted to go, if it is on this site."""
    return security.local_path(request.values.get("next"), page_at(fallback))


def errors_of(checks: Mapping[str, Callable[[], object]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Run the check of each field; (what is good, what is wrong with the others)."""
    good: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, check in checks.items():
        try:
            good[name] = check()
        except BadInput as error:
            wrong[name] = language.sentence(getattr(error, "sentence", "") or error.args[0])
    return good, wrong


def form(template: str, errors: Mapping[str, str] | None = None, **values: Any) -> Response:
    """The page of a form; with errors it is a 422 that keeps what was typed."""
    kept = {name: text for name, text in request.form.items() if "password" not in name and name != "csrf_token"}
    return replies.page(template, 422 if errors else 200, errors=errors or {}, typed=kept, **values)


# ---- sign in ----


@blueprint.get("/sign-in")
@policy.open_to(policy.everyone)
def sign_in() -> Response:
    """The door."""
    if signing.signed_in():
        return replies.see_other(onward())
    return _door(next_page=onward())


def _door(status: int = 200, error: str = "", next_page: str = "", **values: Any) -> Response:
    with identity.database().reading() as db:
        shown = demo.people(db)
    return replies.page(
        "accounts/sign_in.html",
        status,
        error=error,
        next_page=next_page,
        demo_people=shown,
        email=typed("email"),
        **values,
    )


@blueprint.post("/sign-in")
@policy.open_to(policy.everyone)
def sign_in_now() -> Response:
    """Take an address and a password."""
    written, password = typed("email").strip(), request.form.get("password", "")
    try:
        account_key = rules.checked_address(written).key
    except BadInput:
        account_key = ""  # goes the same way as an unknown address
    counted = _count_try(account_key or written.casefold())
    with identity.database().reading() as db:
        person = service.by_key(db, account_key)
        person_id, stored = (person.id, person.password_hash) if person and person.is_active else (None, "")
    fits = len(password) <= rules.LONGEST_PASSWORD and passwords.fits(stored, password)
    if not fits or person_id is None:
        current_app.logger.warning("sign-in refused for account %s", sessions.digest(account_key)[:12])
        return _door(422, _("Address and password do not fit together. Check both and try again."), onward())
    newer = passwords.hashed(password) if passwords.is_outdated(stored) else ""
    with identity.database().transaction() as db:
        person = service.get(db, person_id)
        for what, who, rate in counted:
            limits.give_back(db, identity.now(), what, who, rate)
        if newer:
            person.password_hash = newer
        if factors.is_on(person):
            token = links.issue(db, identity.context(), _SECOND_STEP, person)
            session[_SECOND_STEP] = token
            return replies.see_other(page_at("accounts.second_step", next=onward()))
        token = _open(db, person, second_factor=False)
    signing.enter(token)
    return replies.see_other(onward())


def _count_try(account: str) -> list[tuple[str, str, limits.Rate]]:
    """Count a try before it is known to be right: several workers together let no more through than one."""
    asked = (
        ("sign-in pair", f"{account} {identity.remote()}", rules.SIGN_IN_PAIR),
        ("sign-in address", identity.remote(), rules.SIGN_IN_ADDRESS),
        ("sign-in account", account, rules.SIGN_IN_ACCOUNT),
        ("sign-in", EVERYBODY, rules.SIGN_IN_ALL),
    )
    for what, who, rates in asked:
        identity.limited(what, who, rates)
    return [(what, who, rate) for what, who, rates in asked for rate in rates]


def _open(db: Any, person: Person, *, second_factor: bool) -> str:
    context = service.acting(identity.context(), person)
    audit.record(db, context, "signed in", "person", person.id, {"second_factor": second_factor})
    # Of the demo's people everybody sees the sessions: they do not say from where others came.
    address = "" if person.illustrative else request.remote_addr or ""
    browser = request.user_agent.string
    return sessions.start(db, context, person, second_factor=second_factor, browser=browser, address=address)


def _waiting(db: Any) -> OneTimeLink | None:
    """The sign-in of this browser that waits for its code."""
    return links.find(db, identity.context(), str(session.get(_SECOND_STEP, "")), _SECOND_STEP)


@blueprint.get("/sign-in/code")
@policy.open_to(policy.everyone)
def second_step() -> Response:
    """Ask for the code of the second factor."""
    with identity.database().reading() as db:
        link = _waiting(db)
        if link is None:
            return replies.see_other(page_at("accounts.sign_in", next=onward()))
        return _code_page(service.get(db, link.person_id or 0))


def _code_page(person: Person, error: str = "") -> Response:
    shown = factors.code_at(person, key(), identity.now()) if person.illustrative else ""
    return replies.page(
        "accounts/second_step.html", 422 if error else 200, error=error, next_page=onward(), demo_code=shown
    )


@blueprint.post("/sign-in/code")
@policy.open_to(policy.everyone)
def second_step_now() -> Response:
    """Take the code, or a recovery code."""
    with identity.database().reading() as db:
        link = _waiting(db)
    if link is None or link.person_id is None:
        return replies.see_other(page_at("accounts.sign_in", next=onward()))
    identity.limited("code", str(link.person_id), rules.CODE)
    code = typed("code")
    with identity.database().transaction() as db:
        person = service.get(db, link.person_id)
        good = factors.accepts(person, key(), code, identity.now())
        recovered = not good and factors.use_recovery_code(db, identity.context(), person, code)
        if not good and not recovered:
            current_app.logger.warning("second factor refused for person %s", person.id)
            return _code_page(person, _("This code is not good, or was used before. Wait for the next one, then try."))
        if not links.use(db, identity.context(), link):
            return replies.see_other(page_at("accounts.sign_in"))
        for rate in rules.CODE:
            limits.give_back(db, identity.now(), "code", str(person.id), rate)
        if recovered:
            where = house().address_of("accounts.forgotten_password")
            letters.tell(db, identity.context(), person, "recovery", link=where, exchange=house().name)
        token = _open(db, person, second_factor=True)
    signing.enter(token)
    return replies.see_other(onward())


@blueprint.post("/sign-out")
@policy.open_to(policy.everyone)
def sign_out() -> Response:
    """End the session of this browser."""
    found = signing.signed_in()
    if found:
        with identity.database().transaction() as db:
            sessions.end(db, found.token)
            audit.record(db, identity.context(), "signed out", "person", found.actor.person_id or 0)
    signing.leave()
    return replies.see_other(page_at("matching.home"))


# ---- register, forgotten ----


@blueprint.get("/register")
@policy.open_to(policy.everyone)
def register() -> Response:
    """The form of a new account."""
    return form("accounts/register.html")


@blueprint.post("/register")
@policy.open_to(policy.everyone)
def register_now() -> Response:
    """Write the letter that finishes the registration."""
    good, wrong = errors_of(
        {
            "name": lambda: rules.checked_name(typed("name")),
            "email": lambda: rules.checked_address(typed("email")),
        }
    )
    if wrong:
        return form("accounts/register.html", wrong)
    _count_letter(good["email"])
    with identity.database().transaction() as db:
        service.register(db, identity.context(), house(), good["email"], good["name"], language.page_language())
    return replies.see_other(page_at("accounts.letter_sent"))


@blueprint.get("/password/forgotten")
@policy.open_to(policy.everyone)
def forgotten_password() -> Response:
    """The way back."""
    return form("accounts/forgotten.html")


@blueprint.post("/password/forgotten")
@policy.open_to(policy.everyone)
def forgotten_password_now() -> Response:
    """Write the letter with which a password is chosen anew."""
    good, wrong = errors_of({"email": lambda: rules.checked_address(typed("email"))})
    if wrong:
        return form("accounts/forgotten.html", wrong)
    _count_letter(good["email"])
    with identity.database().transaction() as db:
        service.forgotten(db, identity.context(), house(), good["email"], language.page_language())
    return replies.see_other(page_at("accounts.letter_sent"))


def _count_letter(address: rules.Address) -> None:
    house().address_of("accounts.sign_in")  # raises before anything is counted where links cannot be written
    identity.limited("letter to", address.key, rules.LETTERS_TO)
    identity.limited("letter from", identity.remote(), rules.LETTERS_FROM)
    identity.limited("letter", EVERYBODY, rules.LETTERS_ALL)


@blueprint.get("/look-in-your-mail")
@policy.open_to(policy.everyone)
def letter_sent() -> Response:
    """What to do next, whoever asked."""
    with identity.database().reading() as db:
        return replies.page("accounts/letter_sent.html", is_demo=demo.is_demo(db))


@blueprint.get("/password/new/<token>")
@policy.open_to(policy.everyone)
def choose_password(token: str) -> Response:
    """The page a letter leads to. Opening it changes nothing: scanners of mail open links too."""
    with identity.database().reading() as db:
        link = service.password_link(db, identity.context(), token)
    return form("accounts/choose_password.html", purpose=link.purpose)


@blueprint.post("/password/new/<token>")
@policy.open_to(policy.everyone)
def choose_password_now(token: str) -> Response:
    """Take the new password."""
    with identity.database().reading() as db:
        link = service.password_link(db, identity.context(), token)
        own = (*service.owner_words(db, link), *organisation_words(db, link.person_id))
    good, wrong = errors_of({"password": lambda: chosen_password(*own)})
    if wrong:
        return form("accounts/choose_password.html", wrong, purpose=link.purpose)
    stored = passwords.hashed(good["password"])
    with identity.database().transaction() as db:
        person = service.choose_password(db, identity.context(), house(), token, stored)
        # A letter proves the mailbox, not the second factor: after a reset one signs in as always.
        fresh = link.purpose != "reset" and not factors.is_on(person)
        started = _open(db, person, second_factor=False) if fresh else ""
    if started:
        signing.enter(started)
        return replies.see_other(page_at("accounts.account"))
    session["told"] = "password"
    return replies.see_other(page_at("accounts.sign_in"))


def organisation_words(db: Any, person_id: int | None) -> tuple[str, ...]:
    """What others know of the organisations a person acts for: no part of a good password either."""
    words: Callable[[Any, int], tuple[str, ...]] | None = current_app.extensions[_WORDS]
    return words(db, person_id) if words and person_id is not None else ()


def chosen_password(*own_words: str) -> str:
    """The new password of a form, typed twice; raises BadInput."""
    password = request.form.get("password", "")
    found = rules.checked_password(password, settings().exchange_name, *own_words)
    if password != request.form.get("password_again", ""):
        raise BadInput(Sentence(rules.NOT_THE_SAME))
    return found


@blueprint.get("/email/<token>")
@policy.open_to(policy.everyone)
def confirm_address(token: str) -> Response:
    """The page a letter to a new address leads to."""
    with identity.database().reading() as db:
        link = links.find(db, identity.context(), token, "email")
        if link is None:
            raise NotFound(Sentence(service.GONE))
        return form("accounts/confirm_address.html", address=link.detail["email"])


@blueprint.post("/email/<token>")
@policy.open_to(policy.everyone)
def confirm_address_now(token: str) -> Response:
    """The account moves to the new address."""
    with identity.database().transaction() as db:
        service.moved(db, identity.context(), house(), token)
    session["told"] = "email"
    return replies.see_other(page_at("accounts.account" if signing.signed_in() else "accounts.sign_in"))


# ---- the demo ----


@blueprint.get("/demo/letters")
@policy.open_to(policy.everyone)
def demo_letters() -> Response:
    """The letters of the demo exchange, which nobody else would receive. Elsewhere there is no such page."""
    with identity.database().reading() as db:
        if not demo.is_demo(db):
            raise NotFound(Sentence(N_("There is no such page here.")))
        return replies.page("accounts/letters.html", letters=mail.newest(db))


# ---- whole application ----


def _not_allowed(error: NotAllowed) -> Response:
    """A closed page offers the door to whoever has not come through it."""
    if signing.signed_in() or request.method != "GET" or problems.wants_json():
        return problems.reply(403, problems.said(error))
    return _door(403, next_page=request.full_path.removesuffix("?"), closed=True)


def _private(response: Response) -> Response:
    """What somebody sees who is signed in stays out of every cache, and so does a page with a one-time link."""
    with_token = request.view_args is not None and "token" in request.view_args
    if with_token or signing.was_found():
        response.headers["Cache-Control"] = "no-store"
    return response


def told() -> str:
    """What a page should say that was done on the page before; said once."""
    return str(session.pop("told", "")) if "told" in session else ""


def init_app(app: Flask, words: Callable[[Any, int], tuple[str, ...]] | None = None) -> None:
    """Closed pages offer the door; private pages are kept nowhere; `words` says the names of one's organisations."""
    app.extensions[_WORDS] = words
    app.register_error_handler(NotAllowed, _not_allowed)
    app.after_request(_private)
    app.jinja_env.globals["told"] = told
