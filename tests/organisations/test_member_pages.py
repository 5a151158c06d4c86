"""The pages for those who act for an organisation, walked as a browser without JavaScript would."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from techex.core.database import Database
from techex.core.mail import Letter
from techex.organisations.tables import Organisation
from tests.cast import CAST, Browser, person_of

SignIn = Callable[[str], Browser]
FORM = {"name": "Viện Nghiên cứu Bảo quản", "kind": "institute", "place": "VN-33", "tax_code": "0100109106"}


def _enter(database: Database, *names: str) -> None:
    with database.transaction() as session:
        for name in names:
            person_of(session, name)


def _letter(database: Database) -> str:
    with database.reading() as session:
        return session.scalars(select(Letter).order_by(Letter.id.desc())).first().text


def test_an_organisation_is_registered_verified_and_then_in_the_directory(
    app: Flask, database: Database, signed_in: SignIn
) -> None:
    founder, operator = signed_in("stranger"), signed_in("operator")
    made = founder.post("/register-organisation", data=FORM | {"name_en": "Storage Institute", "field": ["211", "401"]})
    assert made.status_code == 303
    address = made.location
    page = founder.get(address).text
    assert "Only its members and the operators of Hung Yen see this page" in page
    assert app.test_client().get(address).status_code == 404
    assert "Storage Institute" not in app.test_client().get("/organisations").text
    assert "Storage Institute" in operator.get("/verification").text
    sent = operator.post(f"{address}/verification", data={"checked": ["tax_code", "called"], "note": "Mr Nam"})
    assert sent.status_code == 303
    seen = app.test_client().get(address, headers={"Accept-Language": "en"}).text
    assert "by Hoàng Mai" in seen
    assert "tax code confirmed with the tax authority; called on a number found elsewhere" in seen
    assert "Mr Nam" not in seen
    assert "badge-verified" in seen
    directory = app.test_client().get("/organisations", headers={"Accept-Language": "en"}).text
    assert 'title="Verified: somebody has checked who this is"' in directory


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": ""}, "expected a name of 1 to 200 characters"),
        ({"kind": "shop"}, "is not a kind of organisation"),
        ({"place": "VN-02"}, "Choose the province or country of its seat"),
        ({"place": "", "tax_code": "0100109107"}, "check digit does not fit"),
        ({"tax_code": "0100109107"}, "check digit does not fit"),
        ({"tax_code": "12"}, "expected 10 digits"),
        ({"ror": "05hzhp296"}, "check digits do not fit"),
        ({"website": "javascript:alert(1)"}, "begins with https://"),
        ({"field": ["999"]}, "not a field code"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    signed_in: SignIn, change: dict[str, object], told: str
) -> None:
    reply = signed_in("stranger").post("/register-organisation", data=FORM | {"name_en": "Kept"} | change)
    assert reply.status_code == 422
    assert told in reply.text
    assert 'value="Kept"' in reply.text


def test_errors_are_said_in_the_language_of_the_page(signed_in: SignIn) -> None:
    browser = signed_in("stranger")
    reply = browser.post("/register-organisation", data=FORM | {"name": ""}, headers={"Accept-Language": "vi"})
    assert "cần một tên dài từ 1 đến 200 ký tự" in reply.text


def test_an_identifier_of_the_directory_leads_to_its_page_and_one_of_a_hidden_organisation_tells_nothing(
    database: Database, signed_in: SignIn
) -> None:
    first = signed_in("stranger").post("/register-organisation", data=FORM).location
    rival = signed_in("rival")
    assert rival.post("/register-organisation", data=FORM | {"name": "Somebody else"}).status_code == 303
    signed_in("operator").post(f"{first}/verification", data={"checked": "register"})
    again = rival.post("/register-organisation", data=FORM | {"name": "A third"})
    assert again.status_code == 409
    assert f'href="{first}"' in again.text


def test_an_invitation_is_written_read_and_accepted(app: Flask, database: Database, signed_in: SignIn) -> None:
    manager, guest = signed_in("engineer"), signed_in("stranger")
    people = "/organisations/det-may-song-hong/people"
    assert manager.post(
        "/organisations/det-may-song-hong/invitations", data={"email": CAST["stranger"].email, "role": "editor"}
    ).location.endswith(people)
    assert CAST["stranger"].email in manager.get(people).text
    found = re.search(r"(/invitations/\S+)", _letter(database))
    assert found
    link = found[1]
    reply = guest.get(link)
    assert "You are invited to act for Công ty Dệt may Sông Hồng" in reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"  # other sites learn no path
    assert "another address" in signed_in("rival").get(link).text
    assert "/sign-in?next=/invitations/" in app.test_client().get(link).text
    assert signed_in("rival").post(link).status_code == 403
    assert guest.post(link).status_code == 303
    assert guest.get(people).status_code == 200
    assert guest.get(link).status_code == 404


def test_an_invitation_waits_on_ones_own_page_and_a_look_at_it_accepts_nothing(
    database: Database, signed_in: SignIn
) -> None:
    guest = signed_in("stranger")
    data = {"email": CAST["stranger"].email, "role": "viewer"}
    signed_in("engineer").post("/organisations/det-may-song-hong/invitations", data=data)
    page = guest.get("/your-organisations").text
    action = re.search(r'action="(/your-organisations/invitations/\d+)"', page)
    assert action
    assert signed_in("rival").post(action[1]).status_code == 404
    assert guest.get("/organisations/det-may-song-hong/people").status_code == 403
    assert guest.post(action[1]).status_code == 303
    assert "det-may-song-hong" in guest.get("/your-organisations").text


def test_a_wrong_address_is_told_and_kept(signed_in: SignIn) -> None:
    sent = {"email": "a@b.example, c@d.example", "role": "editor"}
    reply = signed_in("engineer").post("/organisations/det-may-song-hong/invitations", data=sent)
    assert reply.status_code == 422
    assert "This is not an e-mail address" in reply.text
    assert "a@b.example, c@d.example" in reply.text


def test_rights_count_from_the_next_click(database: Database, signed_in: SignIn) -> None:
    manager, editor = signed_in("engineer"), signed_in("editor")
    people = "/organisations/det-may-song-hong/people"
    found = re.search(r"/people/(\d+)/remove", manager.get(people).text.split("Take out</span>")[1])
    assert found
    assert editor.get(people).status_code == 200
    assert manager.post(f"{people}/{found[1]}/role", data={"role": "manager"}).status_code == 303
    assert editor.get("/organisations/det-may-song-hong/edit").status_code == 200
    assert manager.post(f"{people}/{found[1]}/remove").status_code == 303
    assert editor.get(people).status_code == 403


def test_the_last_manager_is_told_why_they_cannot_leave(signed_in: SignIn) -> None:
    manager = signed_in("engineer")
    page = manager.get("/organisations/det-may-song-hong/people").text
    own = re.findall(r'action="(/organisations/det-may-song-hong/people/\d+/remove)"', page)[-1]
    reply = manager.post(own)
    assert reply.status_code == 409
    assert "Make somebody else a manager first" in reply.text


def test_who_wants_to_be_shown_is_shown_with_what_they_do(app: Flask, signed_in: SignIn) -> None:
    page = "/organisations/det-may-song-hong"
    manager = signed_in("engineer")
    assert "Nguyễn Thị Lan" not in app.test_client().get(page).text
    manager.post(f"{page}/people/me", data={"shown": "yes", "position": "Head of <dyeing>"})
    shown = app.test_client().get(page).text
    assert "Nguyễn Thị Lan" in shown
    assert "Head of &lt;dyeing&gt;" in shown
    manager.post(f"{page}/people/me", data={"position": "Head"})
    assert "Nguyễn Thị Lan" not in app.test_client().get(page).text


def test_a_change_of_name_takes_the_mark_off_and_says_so_to_its_members(app: Flask, signed_in: SignIn) -> None:
    manager, page = signed_in("engineer"), "/organisations/det-may-song-hong"
    assert "loses that mark" in manager.get(f"{page}/edit").text
    sent = manager.post(f"{page}/edit", data={"name": "Sông Hồng mới", "kind": "enterprise", "place": "VN-33"})
    assert sent.status_code == 303
    assert "were changed" in manager.get(page).text
    assert "were changed" not in app.test_client().get(page).text
    assert "badge-waiting" in app.test_client().get(page).text


def test_a_withdrawal_asks_for_its_reason(app: Flask, database: Database, signed_in: SignIn) -> None:
    _enter(database, "engineer")
    operator, page = signed_in("operator"), "/organisations/det-may-song-hong"
    assert operator.post(f"{page}/verification/withdraw", data={"reason": ""}).status_code == 422
    assert operator.post(f"{page}/verification/withdraw", data={"reason": "Dissolved."}).status_code == 303
    assert "Dissolved." in operator.get(f"{page}/verification").text
    with database.reading() as session:
        assert session.scalars(select(Organisation.verified_at)).one() is None


def test_an_administrator_says_who_serves_which_place(database: Database, signed_in: SignIn) -> None:
    administrator, new = signed_in("administrator"), signed_in("unarmed_operator")
    data = {"email": CAST["unarmed_operator"].email, "place": "SOUTHEAST"}
    assert administrator.post("/operators", data=data).status_code == 303
    page = administrator.get("/operators").text
    assert "Ngô Thanh" in page
    assert "not yet" in page
    assert new.get("/verification").status_code == 403
    reply = administrator.post("/operators", data=data | {"email": "nobody@unknown.example"})
    assert reply.status_code == 404
    assert "They register first" in reply.text
    assert administrator.post("/operators", data=data | {"place": "Atlantis"}).status_code == 422
    assert administrator.post("/operators/take-away", data=data | {"place": "VN-33"}).status_code == 303


def test_the_operators_are_narrowed_sorted_and_taken_along_as_a_file(database: Database, signed_in: SignIn) -> None:
    def rows(query: str = "") -> list[dict[str, str]]:
        reply = administrator.get(f"/operators.csv{query}")
        return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))

    administrator = signed_in("administrator")
    _enter(database, "operator", "other_operator", "unarmed_operator", "stranger")
    data = {"email": CAST["other_operator"].email, "place": "NL"}
    assert administrator.post("/operators", data=data).status_code == 303
    assert [row["Name"] for row in rows()] == ["Bùi Quang", "Hoàng Mai", "Ngô Thanh"], "and nobody who serves no place"
    assert rows()[0] == {
        "Name": "Bùi Quang",
        "E-mail address": CAST["other_operator"].email,
        "Second factor": "yes",
        "Places": "Netherlands;Tay Ninh",
    }
    assert [row["Name"] for row in rows("?place=VN-33")] == ["Hoàng Mai", "Ngô Thanh"]
    page = administrator.get("/operators?place=VN-33&factor=no").text
    assert "1 operator" in page
    assert "Ngô Thanh" in page
    assert "Bùi Quang" not in page
    assert "Grant" in page, "the form stays"
    assert [row["Name"] for row in rows("?sort=most&q=quang")] == ["Bùi Quang"]
    assert "No line is like that" in administrator.get("/operators?q=zzz").text
    for name in ("operator", "stranger", "unarmed_administrator"):
        assert signed_in(name).get("/operators.csv").status_code == 403, name


def test_the_desk_offers_each_what_they_may_open(app: Flask, signed_in: SignIn) -> None:
    def desk(browser: Browser) -> list[str]:
        found = re.search(r'<nav class="desk".*?</nav>', browser.get("/places").text, flags=re.DOTALL)
        return re.findall(r'href="([^"]+)"', found[0]) if found else []

    assert desk(app.test_client()) == []
    for name in ("stranger", "operator", "unarmed_operator", "administrator", "unarmed_administrator"):
        browser = signed_in(name)
        entries = desk(browser)
        assert "/your-organisations" in entries
        assert ("/verification" in entries) == (name == "operator")
        assert ("/audit" in entries) == (name == "administrator")
        assert {browser.get(entry).status_code for entry in entries if entry != "/post"} == {200}


def test_an_organisation_that_nobody_has_looked_at_changes_no_page_of_others(
    app: Flask, database: Database, signed_in: SignIn
) -> None:
    """Two worlds that differ in one hidden organisation: every page and header is the same to the last byte."""
    _enter(database, "engineer", "rival", "officer")
    founder = signed_in("stranger")
    paths = [
        *("/", "/organisations", "/organisations?q=bao+quan", "/organisations?province=33&org=institute", "/places"),
        *("/places/VN-33", "/regions/RED_RIVER_DELTA", "/needs", "/results?q=bao+quan", "/organisations/unknown"),
        "/organisations/vien-nghien-cuu-bao-quan",
    ]

    def world() -> list[tuple[int, str, bytes]]:
        replies = [app.test_client().get(path) for path in paths]
        return [(reply.status_code, str(reply.headers), reply.data) for reply in replies]

    before = world()
    slug = founder.post("/register-organisation", data=FORM | {"field": "211"}).location.rsplit("/")[-1]
    assert world() == before
    hidden = app.test_client().get(f"/organisations/{slug}")
    absent = app.test_client().get("/organisations/" + "x" * len(slug))
    assert hidden.text.replace(slug, "x" * len(slug)) == absent.text
