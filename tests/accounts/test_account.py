"""What people do with their own account: second factor, address, sessions, export, deletion."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from techex.accounts.tables import OneTimeLink, Person, PersonSession, RecoveryCode
from techex.cli import techex
from techex.core.audit import AuditEntry
from techex.core.database import Database
from techex.core.mail import Letter
from techex.organisations.tables import Organisation
from techex.settings import Settings
from tests.accounts.conftest import ReadLetter, link_in, try_password
from tests.cast import CAST, PASSWORD, Browser, person_of, sign_in
from tests.conftest import NOW

Typed = Callable[[str], Browser]
LAN = CAST["engineer"].email
NEW_PASSWORD = "ngôi nhà bên sông Đáy 3"  # noqa: S105


def set_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Turn the second factor on as its page says; returns the app on the phone, and the recovery codes."""
    browser.post("/account/second-factor/start", data={"current_password": PASSWORD})
    page = browser.get("/account/second-factor").text
    assert "<svg" in page
    seed = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert seed
    app = pyotp.TOTP(seed[1].replace(" ", ""))
    shown = browser.post("/account/second-factor", data={"code": app.now()})
    assert shown.status_code == 200
    codes = re.findall(r"<li><code>([a-z0-9-]{14})</code></li>", shown.text)
    assert len(codes) == 10
    return app, codes


def fresh(app: Flask) -> Browser:
    browser = Browser(app, app.response_class, use_cookies=True)
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return browser


# ---- the second factor ----


def test_with_a_second_factor_a_password_alone_opens_nothing(typed_in: Typed, app: Flask) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        phone, _codes = set_up(typed_in("engineer"))
        clock.shift(timedelta(minutes=5))
        browser = fresh(app)
        reply = try_password(browser, LAN, PASSWORD)
        assert reply.headers["Location"].startswith("/sign-in/code")
        assert browser.get("/account").status_code == 403
        assert browser.post("/sign-in/code", data={"code": "000000"}).status_code == 422
        assert browser.post("/sign-in/code", data={"code": phone.now()}).status_code == 303
        assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(("drift", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_that_is_half_a_minute_off_still_works(typed_in: Typed, app: Flask, drift: int, good: bool) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        phone, _codes = set_up(typed_in("engineer"))
        clock.shift(timedelta(minutes=5))
        browser = fresh(app)
        try_password(browser, LAN, PASSWORD)
        code = phone.at(NOW + timedelta(minutes=5, seconds=drift))
        assert browser.post("/sign-in/code", data={"code": code}).status_code == (303 if good else 422)


def test_a_code_that_was_read_over_the_shoulder_is_used_up(typed_in: Typed, app: Flask) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        phone, _codes = set_up(typed_in("engineer"))
        clock.shift(timedelta(minutes=5))
        for browser, status in ((fresh(app), 303), (fresh(app), 422)):
            try_password(browser, LAN, PASSWORD)
            assert browser.post("/sign-in/code", data={"code": phone.now()}).status_code == status


def test_a_recovery_code_stands_in_once_and_its_owner_is_told(
    typed_in: Typed, app: Flask, last_letter: ReadLetter
) -> None:
    _phone, codes = set_up(typed_in("engineer"))
    for spelled, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 422), (codes[1], 303)):
        browser = fresh(app)
        try_password(browser, LAN, PASSWORD)
        assert browser.post("/sign-in/code", data={"code": spelled}).status_code == status
    assert "8 recovery codes left" in browser.get("/account").text
    assert "recovery code" in last_letter(LAN).subject


def test_codes_cannot_be_tried_through(typed_in: Typed, app: Flask) -> None:
    set_up(typed_in("engineer"))
    browser = fresh(app)
    try_password(browser, LAN, PASSWORD)
    statuses = [browser.post("/sign-in/code", data={"code": f"{number:06}"}).status_code for number in range(6)]
    assert statuses[:4] == [422] * 4
    assert statuses[-1] == 429


def test_the_second_step_belongs_to_the_browser_of_the_first(typed_in: Typed, app: Flask) -> None:
    phone, _codes = set_up(typed_in("engineer"))
    try_password(fresh(app), LAN, PASSWORD)
    reply = fresh(app).post("/sign-in/code", data={"code": phone.now()})
    assert reply.headers["Location"].startswith("/sign-in")


def test_a_reset_by_mail_leaves_the_second_factor_on(typed_in: Typed, app: Flask, last_letter: ReadLetter) -> None:
    set_up(typed_in("engineer"))
    browser = fresh(app)
    browser.post("/password/forgotten", data={"email": LAN})
    data = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    browser.post(link_in(last_letter(LAN)), data=data)
    assert browser.get("/account").status_code == 403
    assert try_password(browser, LAN, NEW_PASSWORD).headers["Location"].startswith("/sign-in/code")


def test_the_seed_stands_neither_in_the_database_nor_on_the_page_later(typed_in: Typed, database: Database) -> None:
    browser = typed_in("engineer")
    phone, _codes = set_up(browser)
    with database.reading() as session:
        person = person_of(session, "engineer")
        assert phone.secret not in {str(value) for value in vars(person).values()}
    page = browser.get("/account/second-factor").text
    assert phone.secret not in page.replace(" ", "")
    assert '<svg class="square"' not in page


def test_an_administrator_is_asked_to_set_one_up_and_may_then_act(typed_in: Typed) -> None:
    browser = typed_in("unarmed_administrator")
    assert "Your rights wait for a second factor" in browser.get("/needs").text
    set_up(browser)
    assert "Your rights wait for a second factor" not in browser.get("/needs").text


def test_setting_it_up_and_turning_it_off_ask_for_the_password(typed_in: Typed, database: Database) -> None:
    browser = typed_in("engineer")
    wrong = browser.post("/account/second-factor/start", data={"current_password": "not my password"})
    assert wrong.status_code == 422
    set_up(browser)
    wrong = browser.post("/account/second-factor/off", data={"current_password": "not my password"})
    assert wrong.status_code == 422
    browser.post("/account/second-factor/off", data={"current_password": PASSWORD})
    assert "turned off" in browser.get("/account").text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RecoveryCode)) == 0


def test_turning_it_on_signs_out_everywhere_else(typed_in: Typed, app: Flask) -> None:
    browser, elsewhere = typed_in("engineer"), sign_in(app, "engineer")
    set_up(browser)
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 403


# ---- password, address, sessions ----


def test_a_new_password_signs_out_everywhere_else(typed_in: Typed, app: Flask) -> None:
    browser, elsewhere = typed_in("engineer"), sign_in(app, "engineer")
    data = {"current_password": PASSWORD, "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert "Your password is changed" in browser.post("/account/password", data=data, follow_redirects=True).text
    assert elsewhere.get("/account").status_code == 403
    assert try_password(fresh(app), LAN, PASSWORD).status_code == 422
    assert try_password(fresh(app), LAN, NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"current_password": "not my password"}, "This is not your password"),
        ({"password": "bốn chữ"}, "too short"),
        ({"password": "x" * 300}, "too long"),
        ({"password": "Nguyễn Thị Lan Lan"}, "your name, your address"),
        ({"password_again": "something else, long"}, "not the same"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_said(typed_in: Typed, data: dict[str, str], sentence: str) -> None:
    good = {"current_password": PASSWORD, "password": NEW_PASSWORD}
    sent = good | data
    sent.setdefault("password_again", sent["password"])
    reply = typed_in("engineer").post("/account/password", data=sent)
    assert reply.status_code == 422
    assert sentence in html.unescape(reply.text)
    assert sent["password"] not in reply.text


def test_the_account_moves_to_a_new_address_once_it_has_answered(
    typed_in: Typed, app: Flask, last_letter: ReadLetter
) -> None:
    browser = typed_in("engineer")
    browser.post("/account/email", data={"email": "lan@new.example", "current_password": PASSWORD})
    assert LAN in browser.get("/account").text
    path = link_in(last_letter("lan@new.example"))
    assert browser.get(path).status_code == 200
    assert LAN in browser.get("/account").text
    browser.post(path)
    assert "lan@new.example" in browser.get("/account").text
    assert "another address" in last_letter(LAN).subject
    assert "lan@new.example" not in last_letter(LAN).text
    assert try_password(fresh(app), LAN, PASSWORD).status_code == 422
    assert try_password(fresh(app), "lan@new.example", PASSWORD).status_code == 303


def test_an_address_that_has_an_account_is_not_told_apart(
    typed_in: Typed, database: Database, last_letter: ReadLetter
) -> None:
    with database.transaction() as session:
        person_of(session, "rival")
    browser, taken = typed_in("engineer"), CAST["rival"].email
    replies = [
        browser.post("/account/email", data={"email": email, "current_password": PASSWORD})
        for email in (taken, "lan@new.example")
    ]
    assert replies[0].headers["Location"] == replies[1].headers["Location"]
    assert "already has an account" in last_letter(taken).subject


def test_a_person_sees_their_sessions_and_ends_one_of_them(typed_in: Typed, app: Flask) -> None:
    browser, elsewhere, somebody = typed_in("engineer"), sign_in(app, "engineer"), sign_in(app, "rival")
    page = browser.get("/account").text
    (other,) = re.findall(r"/account/sessions/(\d+)/end", page)
    browser.post(f"/account/sessions/{other}/end")
    assert elsewhere.get("/account").status_code == 403
    assert browser.get("/account").status_code == 200
    for number in range(1, 6):
        browser.post(f"/account/sessions/{number}/end")
    assert somebody.get("/account").status_code == 200


def test_signing_out_everywhere_ends_this_browser_too(typed_in: Typed, app: Flask) -> None:
    browser, elsewhere = typed_in("engineer"), sign_in(app, "engineer")
    assert "signed out everywhere" in browser.post("/account/sessions/end", follow_redirects=True).text
    assert browser.get("/account").status_code == 403
    assert elsewhere.get("/account").status_code == 403


def test_dates_follow_the_time_zone_of_the_reader(typed_in: Typed) -> None:
    with time_machine.travel(NOW, tick=False):
        browser = typed_in("engineer")
        assert "4:00:00\u202fPM" in browser.get("/account").text
        browser.post("/account", data={"name": "Lan", "language": "vi", "timezone": "America/Lima"})
        assert "4:00:00\u202fAM" in browser.get("/account").text
        reply = browser.post("/account", data={"name": "Lan", "language": "vi", "timezone": "Mars/Olympus"})
    assert reply.status_code == 422


# ---- take it along, go ----


def test_the_export_holds_what_is_kept_and_nothing_that_opens_a_door(typed_in: Typed, database: Database) -> None:
    browser = typed_in("engineer")
    set_up(browser)
    reply = browser.get("/account/export")
    assert reply.headers["Content-Disposition"].startswith("attachment")
    found = json.loads(reply.text)
    assert found["account"]["email"] == LAN
    assert [deed["verb"] for deed in found["deeds"]] == ["signed in", "second factor on"]
    assert len(found["sessions"]) == 1
    with database.reading() as session:
        person = person_of(session, "engineer")
        assert person.password_hash not in reply.text
        assert person.factor_nonce not in reply.text


def test_a_deleted_account_is_gone_and_its_row_says_nothing(
    typed_in: Typed, app: Flask, database: Database, last_letter: ReadLetter
) -> None:
    browser, elsewhere = typed_in("engineer"), sign_in(app, "engineer")
    browser.post("/password/forgotten", data={"email": LAN})
    path = link_in(last_letter(LAN))
    wrong = browser.post("/account/delete", data={"current_password": "not my password"})
    assert wrong.status_code == 422
    said = browser.post("/account/delete", data={"current_password": PASSWORD, "dissolve": "1"}, follow_redirects=True)
    assert "Your account is deleted" in said.text
    assert elsewhere.get("/account").status_code == 403
    assert browser.get(path).status_code == 404
    assert try_password(fresh(app), LAN, PASSWORD).status_code == 422
    with database.reading() as session:
        (person,) = session.scalars(select(Person))
        kept = " ".join(str(value) for value in vars(person).values())
        assert not re.search(r"lan@|Nguyễn|argon2", kept)
        for table in (PersonSession, OneTimeLink):
            assert session.scalar(select(func.count()).select_from(table)) == 0
        assert [letter.subject for letter in session.scalars(select(Letter))] == ["Your account at TechEx is deleted"]
        assert "Nguyễn" not in " ".join(entry.actor for entry in session.scalars(select(AuditEntry)))


def test_what_somebody_signed_carries_a_number_once_their_account_is_deleted(
    typed_in: Typed, database: Database
) -> None:
    browser = typed_in("rival")
    with database.transaction() as session:
        person = person_of(session, "rival")
        number, called = person.id, person.name
        for firm in session.scalars(select(Organisation)):
            firm.verified_by = called
    assert browser.post("/account/delete", data={"current_password": PASSWORD, "dissolve": "1"}).status_code == 303
    with database.reading() as session:
        assert set(session.scalars(select(Organisation.verified_by))) == {f"person {number}"}


def test_somebody_who_deleted_their_account_may_register_again(
    typed_in: Typed, app: Flask, last_letter: ReadLetter
) -> None:
    typed_in("engineer").post("/account/delete", data={"current_password": PASSWORD, "dissolve": "1"})
    browser = fresh(app)
    browser.post("/register", data={"name": "Lan", "email": LAN})
    data = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert "<h1>My account</h1>" in browser.post(link_in(last_letter(LAN)), data=data, follow_redirects=True).text


def test_the_last_administrator_stays(typed_in: Typed) -> None:
    reply = typed_in("unarmed_administrator").post("/account/delete", data={"current_password": PASSWORD})
    assert reply.status_code == 422
    assert "You are the last administrator" in reply.text


# ---- the command line ----


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("TECHEX_DATA_DIR", str(settings.data_dir))

    def invoke(*arguments: str) -> str:
        done = CliRunner().invoke(techex, ["people", *arguments])
        assert done.exception is None, done.exception
        return done.output

    return invoke


def test_the_first_administrator_comes_from_the_command_line_by_a_link_that_works_once(
    run: Callable[..., str], browser: Browser
) -> None:
    assert "Nobody has an account yet" in run("list")
    printed = run("administrator", "mai@exchange.example", "--name", "Hoàng Mai")
    path = re.search(r"http://127\.0\.0\.1:8000(/password/new/\S+)", printed)
    assert path
    data = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    arrived = browser.post(path[1], data=data, follow_redirects=True)
    assert "Your rights wait for a second factor" in arrived.text
    assert browser.get(path[1]).status_code == 404
    assert "(administrator)" in run("list")


def test_a_newer_link_of_an_administrator_voids_the_older(run: Callable[..., str], browser: Browser) -> None:
    first, second = (re.search(r"(/password/new/\S+)", run("administrator", "mai@exchange.example")) for _ in range(2))
    assert first
    assert second
    assert browser.get(first[1]).status_code == 404
    assert browser.get(second[1]).status_code == 200


def test_a_closed_account_is_out_at_the_next_request_and_may_come_back(
    run: Callable[..., str], typed_in: Typed, app: Flask
) -> None:
    browser = typed_in("engineer")
    run("disable", LAN)
    assert browser.get("/account").status_code == 403
    assert try_password(fresh(app), LAN, PASSWORD).status_code == 422
    run("enable", LAN)
    assert try_password(fresh(app), LAN, PASSWORD).status_code == 303


def test_a_lost_second_factor_is_taken_off_on_the_command_line(
    run: Callable[..., str], typed_in: Typed, app: Flask
) -> None:
    browser = typed_in("engineer")
    set_up(browser)
    run("reset-factor", LAN)
    assert browser.get("/account").status_code == 403
    assert try_password(fresh(app), LAN, PASSWORD).headers["Location"] == "/"


def test_a_password_of_the_name_of_ones_organisation_is_refused_in_the_language_of_the_page(
    typed_in: Typed, database: Database
) -> None:
    browser = typed_in("engineer")
    with database.reading() as session:
        organisation = session.scalars(
            select(Organisation).where(Organisation.slug == CAST["engineer"].organisation)
        ).one()
        name = organisation.name
    said = {"current_password": PASSWORD, "password": f"{name} {name} 26", "password_again": f"{name} {name} 26"}
    page = browser.post("/account/password", data=said)
    assert page.status_code == 422
    assert "made of your name, your address, your organisation" in page.text
    page = browser.post("/account/password", data=said, headers={"Accept-Language": "vi"})
    assert "tổ chức của bạn" in html.unescape(page.text)
