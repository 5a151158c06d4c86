"""Desk, deals and figures in a real browser, with a history behind them: by keyboard, without scripts, sound."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from techex.brokering import demo
from techex.core.context import command_line_context
from tests.browser.soundness import View, sound

Open = Callable[..., Page]
PAGES = ("/desk", "/desk?task=outcome&late=1", "/desk/pairs", "/deals", "/deals?view=list", "/interests", "/figures")


@pytest.fixture(autouse=True)
def history(served: Flask) -> None:
    """The invented history; there once for all tests."""
    demo.load(served.extensions["techex.database"], command_line_context())


@pytest.mark.parametrize(("language", "view"), [("vi", View(1280, "light")), ("en", View(390, "dark"))])
def test_every_page_of_the_desk_is_sound(open_page: Open, language: str, view: View) -> None:
    page = open_page("/desk", person="operator", language=language)
    wrong = []
    for number, path in enumerate((*PAGES, "/figures?as=everybody")):
        page.goto(path)
        wrong += sound(page, f"desk-{number}-{language}", [view])
    assert wrong == []


def test_lines_are_walked_and_opened_by_keyboard(open_page: Open) -> None:
    open_page("/", person="unverified")  # whose firm waits to be verified
    page = open_page("/desk", person="operator")
    lines = page.locator("[data-line]")
    assert lines.count() > 1
    for key, at in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(lines.nth(at)).to_be_focused()
    address = lines.nth(0).get_attribute("href")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(str(address))))


def test_filters_answer_at_once_and_without_scripts_by_their_button(open_page: Open) -> None:
    page = open_page("/desk", person="operator")
    page.locator("#task").select_option("verify")
    expect(page).to_have_url(re.compile("task=verify"))
    expect(page.locator(".desk-table tbody tr").first).to_contain_text("Verify an organisation")
    plain = open_page("/desk", person="operator", script=False)
    plain.locator("#task").select_option("outcome")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator("main .empty")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_on_a_phone_the_other_pages_take_two_lines_and_every_one_is_reached(open_page: Open, script: bool) -> None:
    page = open_page("/desk", person="operator", script=script)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto("/duplicates")
    last = page.locator("nav.desk a").last
    expect(last).to_have_attribute("aria-current", "page")
    if script:  # else it is moved there by hand, or by the key that reaches it
        expect(last).to_be_in_viewport(ratio=1)
    last.focus()
    expect(last).to_be_in_viewport(ratio=1)
    frame = page.locator("header").bounding_box()
    assert frame is not None
    assert frame["height"] < 160
