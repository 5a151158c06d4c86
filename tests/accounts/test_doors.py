"""Registering, signing in and out, the way back; and that none of it tells who has an account."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from techex.accounts import passwords
from techex.accounts.tables import OneTimeLink, Person, PersonSession
from techex.app import create_app
from techex.core.database import Database
from techex.core.mail import Letter
from techex.settings import Settings
from tests import once
from tests.accounts.conftest import ReadLetter, link_in, try_password
from tests.cast import CAST, PASSWORD, Browser, person_of, sign_in
from tests.conftest import NOW

NEW_PASSWORD = "ngôi nhà bên sông Đáy 3"  # noqa: S105
LAN = CAST["engineer"].email


def bare(reply: TestResponse) -> str:
    """A page without the token of its forms."""
    return re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", reply.text)


def test_a_person_registers_and_is_signed_in(browser: Browser, last_letter: ReadLetter) -> None:
    sent = browser.post("/register", data={"name": "Phan Hạnh", "email": "hanh@new.example"}, follow_redirects=True)
    assert "Look in your mail" in sent.text
    path = link_in(last_letter("hanh@new.example"))
    assert "Choose a password" in browser.get(path).text
    arrived = browser.post(path, data={"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}, follow_redirects=True)
    assert "<h1>My account</h1>" in arrived.text
    assert "Phan Hạnh" in arrived.text


def test_registering_makes_no_account_before_the_letter_is_answered(browser: Browser, database: Database) -> None:
    browser.post("/register", data={"name": "Phan Hạnh", "email": "hanh@new.example"})
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0


def test_a_letter_to_somebody_who_did_not_ask_repeats_nothing_that_was_typed(
    browser: Browser, last_letter: ReadLetter
) -> None:
    browser.post("/register", data={"name": "WIN MONEY at evil", "email": "victim@new.example"})
    letter = last_letter("victim@new.example")
    assert "WIN" not in letter.subject + letter.text


@pytest.mark.parametrize(
    ("path", "data"), [("/register", {"name": "Somebody"}), ("/password/forgotten", {})], ids=["register", "forgotten"]
)
def test_no_reply_tells_whether_an_address_has_an_account(
    app: Flask, database: Database, last_letter: ReadLetter, path: str, data: dict[str, str]
) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    replies = []
    for email in (LAN, "nobody@new.example"):
        browser = Browser(app, app.response_class, use_cookies=True)
        sent = browser.post(path, data=data | {"email": email})
        replies.append((sent.status_code, sent.headers["Location"], bare(browser.get(sent.headers["Location"]))))
    assert replies[0] == replies[1]
    assert last_letter(LAN).text != last_letter("nobody@new.example").text


def test_a_wrong_password_and_an_unknown_address_get_the_same_reply(browser: Browser, database: Database) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
        person_of(session, "suspended")
    replies = [
        bare(try_password(browser, email, password)).replace(email, "")
        for email, password in (
            (LAN, "not the password at all"),
            ("nobody@new.example", "not the password at all"),
            (CAST["suspended"].email, PASSWORD),
        )
    ]
    assert replies[0] == replies[1] == replies[2]
    assert "do not fit together" in replies[0]


def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    once.hash_at_full_cost(monkeypatch)
    with database.transaction() as session:
        person_of(session, "engineer").password_hash = passwords.hashed(PASSWORD)
    took: dict[str, list[float]] = {LAN: [], "nobody@new.example": []}
    for number in range(9):
        for email, times in took.items():
            browser = Browser(app, app.response_class, use_cookies=True)
            token = browser.csrf_token()
            address = {"REMOTE_ADDR": f"192.0.2.{number}"}
            begin = time.process_time()
            reply = browser.post(
                "/sign-in",
                data={"email": email, "password": "not the password at all", "csrf_token": token},
                environ_overrides=address,
            )
            times.append(time.process_time() - begin)
            assert reply.status_code == 422
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.6 < known / unknown < 1.7, took


def test_a_person_signs_in_goes_where_they_wanted_and_signs_out(browser: Browser, database: Database) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    data = {"email": LAN.upper(), "password": PASSWORD, "next": "/needs?q=n%C6%B0%E1%BB%9Bc"}
    reply = browser.post("/sign-in", data=data)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/needs?q=n%C6%B0%E1%BB%9Bc")
    assert "Nguyễn Thị Lan" in browser.get("/needs").text
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out").headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/account").status_code == 403
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PersonSession)) == 0


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
     "http:evil.example", " //evil.example", "/\t/evil.example", "///evil.example", "https:///evil.example"],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(browser: Browser, database: Database, elsewhere: str) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    reply = browser.post("/sign-in", data={"email": LAN, "password": PASSWORD, "next": elsewhere})
    assert reply.headers["Location"] == "/"


def test_the_cookie_changes_at_sign_in_and_is_closed_to_scripts_and_other_sites(
    settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    app = create_app(settings.model_copy(update={"cookie_secure": True}), testing=True)
    browser = Browser(app, app.response_class, use_cookies=True)
    before = browser.get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in", base_url="https://localhost").text)
    assert token
    data = {"email": LAN, "password": PASSWORD, "csrf_token": token[1]}
    reply = browser.post("/sign-in", data=data, base_url="https://localhost", csrf=False)
    cookie = reply.headers["Set-Cookie"]
    assert reply.status_code == 303
    assert cookie.startswith("__Host-techex=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    assert cookie.split(";")[0] != before.split(";")[0]
    app.extensions["techex.database"].close()


def test_after_ten_wrong_passwords_one_waits_and_somebody_elsewhere_does_not(
    browser: Browser, app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    statuses = [try_password(browser, LAN, "not the password at all").status_code for _ in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    waiting = try_password(browser, LAN, PASSWORD)
    assert waiting.status_code == 429
    assert 0 < int(waiting.headers["Retry-After"]) <= 3_600
    spoofed = try_password(browser, LAN, PASSWORD, headers={"X-Forwarded-For": "198.51.100.7"})
    assert spoofed.status_code == 429
    elsewhere = Browser(app, app.response_class, use_cookies=True)
    reply = try_password(elsewhere, LAN, PASSWORD, environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
    assert reply.status_code == 303


def test_a_proxy_that_was_named_says_who_asks(settings: Settings, database: Database) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    app = create_app(settings.model_copy(update={"proxies": 1}), testing=True)
    browser = Browser(app, app.response_class, use_cookies=True)
    for _ in range(11):
        reply = try_password(browser, LAN, "wrong wrong wrong", headers={"X-Forwarded-For": "198.51.100.7"})
    assert reply.status_code == 429
    assert try_password(browser, LAN, PASSWORD, headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 303
    app.extensions["techex.database"].close()


def test_the_host_parts_of_one_network_count_as_one(app: Flask) -> None:
    seen = set()
    for number in range(12):
        browser = Browser(app, app.response_class, use_cookies=True)
        address = {"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}
        seen.add(try_password(browser, "x@y.example", "wrong", environ_overrides=address).status_code)
    assert 429 in seen


def test_right_passwords_do_not_count(database: Database, app: Flask) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    for _ in range(15):
        browser = Browser(app, app.response_class, use_cookies=True)
        assert try_password(browser, LAN, PASSWORD).status_code == 303


def test_one_address_gets_only_so_many_letters(browser: Browser, database: Database) -> None:
    statuses = [
        browser.post("/password/forgotten", data={"email": spelled}).status_code
        for spelled in (LAN, LAN.upper(), f" {LAN} ", LAN, LAN, LAN)
    ]
    assert statuses == [303] * 4 + [429] * 2
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 4


# ---- the way back ----


def ask_for_link(browser: Browser, last_letter: ReadLetter, email: str = LAN) -> str:
    browser.post("/password/forgotten", data={"email": email})
    return link_in(last_letter(email))


def choose(browser: Browser, path: str, password: str = NEW_PASSWORD) -> TestResponse:
    return browser.post(path, data={"password": password, "password_again": password}, follow_redirects=True)


def test_a_forgotten_password_is_chosen_anew_and_ends_every_session(
    browser: Browser, app: Flask, last_letter: ReadLetter
) -> None:
    elsewhere = sign_in(app, "engineer")
    arrived = choose(browser, ask_for_link(browser, last_letter))
    assert "Your password is changed" in arrived.text
    assert elsewhere.get("/account").status_code == 403
    assert try_password(browser, LAN, PASSWORD).status_code == 422
    assert try_password(browser, LAN, NEW_PASSWORD).status_code == 303
    assert "was changed" in last_letter(LAN).subject


def test_opening_a_link_changes_nothing_and_using_it_twice_neither(
    browser: Browser, app: Flask, last_letter: ReadLetter
) -> None:
    sign_in(app, "engineer")
    path = ask_for_link(browser, last_letter)
    for _ in range(3):
        page = browser.get(path)
        assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"  # other sites never see the path
    choose(browser, path)
    assert browser.get(path).status_code == 404
    assert choose(browser, path, "another one, quite long").status_code == 404
    assert try_password(browser, LAN, NEW_PASSWORD).status_code == 303


def test_a_newer_password_voids_older_links(browser: Browser, app: Flask, last_letter: ReadLetter) -> None:
    sign_in(app, "engineer")
    first, second = ask_for_link(browser, last_letter), ask_for_link(browser, last_letter)
    choose(browser, second)
    assert browser.get(first).status_code == 404


@pytest.mark.parametrize(("later", "good"), [(timedelta(minutes=59), True), (timedelta(minutes=60), False)])
def test_a_link_is_good_for_an_hour(
    browser: Browser, app: Flask, last_letter: ReadLetter, later: timedelta, good: bool
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(app, "engineer")
        path = ask_for_link(browser, last_letter)
        clock.shift(later)
        assert browser.get(path).status_code == (200 if good else 404)


def test_a_link_for_one_purpose_opens_no_other_door(browser: Browser, app: Flask, last_letter: ReadLetter) -> None:
    sign_in(app, "engineer")
    token = ask_for_link(browser, last_letter).rsplit("/", 1)[1]
    assert browser.get(f"/email/{token}").status_code == 404
    assert browser.get(f"/password/new/{token[:-1]}").status_code == 404
    assert browser.get(f"/password/new/{token}x").status_code == 404


def test_the_database_holds_no_link_that_works(
    browser: Browser, app: Flask, last_letter: ReadLetter, database: Database
) -> None:
    sign_in(app, "engineer")
    token = ask_for_link(browser, last_letter).rsplit("/", 1)[1]
    with database.reading() as session:
        kept = session.scalars(select(OneTimeLink.token_hash)).all()
    assert token not in kept
    assert all(browser.get(f"/password/new/{digest}").status_code == 404 for digest in kept)


def test_a_link_leads_to_the_address_in_the_settings_whatever_the_request_says(
    settings: Settings, last_letter: ReadLetter
) -> None:
    app = create_app(settings.model_copy(update={"base_url": "https://exchange.example"}), testing=True)
    browser = Browser(app, app.response_class, use_cookies=True)
    data = {"name": "Phan Hạnh", "email": "hanh@new.example"}
    browser.post("/register", data=data, headers={"X-Forwarded-Host": "evil.example"})
    assert "https://exchange.example/password/new/" in last_letter("hanh@new.example").text
    app.extensions["techex.database"].close()


def test_without_that_setting_no_letter_leads_to_a_host_a_request_names(browser: Browser, database: Database) -> None:
    data = {"name": "Phan Hạnh", "email": "hanh@new.example"}
    with browser.session_transaction(base_url="http://evil.example"):
        token = browser.csrf_token()
    reply = browser.post("/register", data=data | {"csrf_token": token}, headers={"Host": "evil.example"}, csrf=False)
    assert reply.status_code in (403, 503)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 0


def test_two_links_for_one_address_make_one_account(browser: Browser, app: Flask, last_letter: ReadLetter) -> None:
    data = {"name": "Phan Hạnh", "email": "hanh@new.example"}
    browser.post("/register", data=data)
    first = link_in(last_letter("hanh@new.example"))
    browser.post("/register", data=data)
    second = link_in(last_letter("hanh@new.example"))
    choose(browser, first)
    other = Browser(app, app.response_class, use_cookies=True)
    assert choose(other, second, "a second password, long").status_code == 409
    assert try_password(other, "hanh@new.example", NEW_PASSWORD).status_code == 303


def test_what_was_typed_is_kept_beside_what_is_wrong(browser: Browser) -> None:
    reply = browser.post("/register", data={"name": "Phan Hạnh", "email": "hanh"})
    assert reply.status_code == 422
    assert 'value="Phan Hạnh"' in reply.text
    assert "This is not an e-mail address" in reply.text
    assert re.search(r'id="email"[^>]*aria-invalid="true" autofocus', reply.text)


def test_a_closed_page_offers_the_door_and_leads_on(browser: Browser, database: Database) -> None:
    with database.transaction() as session:
        person_of(session, "engineer")
    closed = browser.get("/account/password")
    assert closed.status_code == 403
    wanted = re.search(r'name="next" value="([^"]+)"', closed.text)
    assert wanted
    reply = browser.post("/sign-in", data={"email": LAN, "password": PASSWORD, "next": wanted[1]})
    assert reply.headers["Location"] == "/account/password"


Typed = Callable[[str], Browser]


def test_pages_of_somebody_signed_in_are_kept_in_no_cache(typed_in: Typed) -> None:
    browser = typed_in("engineer")
    for path in ("/", "/needs", "/account", "/nowhere"):
        assert browser.get(path).headers["Cache-Control"] == "no-store", path
    assert "immutable" in browser.get("/static/site.css?v=1", buffered=True).headers["Cache-Control"]
