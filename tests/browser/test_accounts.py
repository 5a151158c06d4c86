"""Accounts in a real browser: with and without scripts, on a phone, by keyboard, in both languages, sound for axe."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

import pyotp
import pytest
from playwright.sync_api import Page, expect

from techex.accounts.demo import PEOPLE
from tests.browser.soundness import View, sound

Open = Callable[..., Page]
PASSWORD = "ngôi nhà bên sông Đáy 3"  # noqa: S105
_number = count(1)


@pytest.mark.parametrize(
    ("script", "width", "language"), [(True, 1280, "vi"), (False, 390, "en")], ids=["script", "phone without script"]
)
def test_a_person_registers_sets_up_a_second_factor_and_signs_in_with_it(
    open_page: Open, script: bool, width: int, language: str
) -> None:
    email = f"hanh{next(_number)}@new.example"
    page = open_page("/register", language=language, width=width, script=script)
    page.locator("#name").fill("Phan Thị Mỹ Hạnh")
    page.locator("#email").fill(email)
    page.locator("main form button").click()
    page.goto("/demo/letters")
    letter = page.locator("article", has_text=email)
    expect(letter).to_have_count(1)
    letter.locator("a").click()
    page.locator("#password").fill(PASSWORD)
    page.locator("#password_again").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/account$"))
    page.locator("a[href='/account/second-factor']").click()
    page.locator("#current_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("svg.square")).to_be_visible()
    seed = "".join((page.locator(".steps-list code").text_content() or "").split())
    page.locator("#code").fill(pyotp.TOTP(seed).now())
    page.keyboard.press("Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes code").first.text_content() or ""
    page.locator(".account-menu button").click()
    page.locator(".account-menu a").click()
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/sign-in/code"))
    page.locator("#code").fill(recovery)
    page.keyboard.press("Enter")
    expect(page.locator(".account-menu")).to_contain_text("Phan Thị Mỹ Hạnh")


@pytest.mark.parametrize(("language", "view"), [("vi", View(1280, "light")), ("en", View(390, "dark"))])
def test_every_page_of_accounts_is_sound(open_page: Open, language: str, view: View) -> None:
    page, wrong = open_page("/sign-in", language=language, width=view.width, scheme=view.scheme), []
    for name in ("sign-in", "register", "password/forgotten", "look-in-your-mail", "demo/letters"):
        page.goto(f"/{name}")
        wrong += sound(page, f"account-{name.replace('/', '-')}-{language}", [view])
    page.goto("/sign-in")
    page.locator(".demo-people form button").nth([person.key for person in PEOPLE].index("operator")).click()
    expect(page.locator("#code")).to_be_visible()
    wrong += sound(page, f"account-code-{language}", [view])
    page.locator("main form button").click()
    for name in ("account", "account/password", "account/email", "account/second-factor", "account/delete"):
        page.goto(f"/{name}")
        wrong += sound(page, f"account-{name.replace('/', '-')}-{language}", [view])
    assert wrong == []


def test_signing_out_in_one_tab_closes_the_other(open_page: Open) -> None:
    page = open_page("/sign-in")
    page.locator(".demo-people form button").first.click()
    other = page.context.new_page()
    other.goto("/account")
    expect(other.locator("h1")).to_have_text("My account")
    page.locator(".account-menu button").click()
    other.reload()
    expect(other.locator("#password")).to_be_visible()
