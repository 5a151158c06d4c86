"""Organisations in a real browser: registered on a phone without scripts, verified, joined; all sound for axe."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from techex.core.mail import Letter
from tests.browser.soundness import View, sound
from tests.cast import CAST

Open = Callable[..., Page]
NAME = "Công ty TNHH Một thành viên Ứng dụng và Phát triển Công nghệ Sau thu hoạch Đồng bằng sông Hồng"
_number = count(1)


def _registered(open_page: Open, person: str, **seen: object) -> tuple[Page, str]:
    """A new organisation of this person, who stands on its page; returns its address."""
    page = open_page("/your-organisations", person=person, **seen)
    page.locator("main a[href='/register-organisation']").first.click()
    page.locator("#name").fill(f"{NAME} {next(_number)}")
    page.locator("#kind").select_option("enterprise")
    page.locator("#place").select_option("VN-33")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main .note")).to_be_visible()
    return page, re.sub(r"^https?://[^/]+", "", page.url)


def test_an_organisation_is_registered_on_a_phone_verified_at_a_desk_and_joined_by_letter(
    open_page: Open, served: Flask
) -> None:
    founder, address = _registered(open_page, "rival", width=390, script=False, language="vi")
    operator = open_page("/verification", person="operator")
    operator.locator(f"a[href='{address}/verification']").click()
    operator.locator("input[value=tax_code]").check()
    operator.locator("main form .btn-primary").click()
    expect(operator).to_have_url(re.compile("/verification$"))
    founder.reload()
    expect(founder.locator(".badge-verified")).to_be_visible()
    founder.locator(f"a[href='{address}/people']").click()
    founder.locator("#email").fill(CAST["officer"].email)
    founder.locator("main form .btn-primary").click()
    expect(founder.locator("main")).to_contain_text(CAST["officer"].email)
    with served.extensions["techex.database"].reading() as session:
        letters = session.scalars(select(Letter).where(Letter.recipient == CAST["officer"].email))
        link = next(found[0] for letter in letters if (found := re.search(r"/invitations/\S+", letter.text)))
    guest = open_page(link, person="officer", script=False)
    guest.locator("main form button").click()
    expect(guest).to_have_url(re.compile(address))
    guest.goto(f"{address}/people")
    guest.locator("main form button", has_text="Leave").click()
    expect(guest).to_have_url(re.compile("/your-organisations$"))


@pytest.mark.parametrize(("language", "view"), [("vi", View(1280, "light")), ("en", View(390, "dark"))])
def test_every_page_of_organisations_is_sound(open_page: Open, language: str, view: View) -> None:
    seen = {"language": language, "width": view.width, "scheme": view.scheme}
    page, address = _registered(open_page, "engineer", **seen)
    wrong = sound(page, f"organisation-hidden-{language}", [view])
    for name in ("people", "edit"):
        page.goto(f"{address}/{name}")
        wrong += sound(page, f"organisation-{name}-{language}", [view])
    page.goto("/your-organisations")
    wrong += sound(page, f"organisation-mine-{language}", [view])
    page.goto("/register-organisation")
    page.locator("#tax_code").fill("0100109107")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("#tax_code-wrong")).to_be_visible()
    wrong += sound(page, f"organisation-wrong-{language}", [view])
    page = open_page("/verification", person="operator", **seen)
    wrong += sound(page, f"organisation-waiting-{language}", [view])
    page.goto(f"{address}/verification")
    wrong += sound(page, f"organisation-verification-{language}", [view])
    page = open_page("/operators", person="administrator", **seen)
    wrong += sound(page, f"organisation-operators-{language}", [view])
    page.goto("/audit?subject=organisation")
    wrong += sound(page, f"organisation-audit-{language}", [view])
    page = open_page("/organisations/ho-chi-minh-dh-ben-nghe", **seen)
    wrong += sound(page, f"organisation-shown-{language}", [view])
    assert wrong == []
