"""The main job in a real browser: describe a problem, read why the results fit, narrow down, share the address."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTEFACTS

PROBLEMS = {
    "en": "We must reduce the colour of textile dyeing wastewater without more sludge, 400 m³ a day",
    "vi": "Cần giảm độ màu nước thải dệt nhuộm mà không sinh thêm bùn, 400 m³ mỗi ngày",
}
BUTTONS = {"en": "Find matches", "vi": "Tìm kết nối"}
FOUND = {"en": re.compile(r"\d+ results? fits?"), "vi": re.compile(r"\d+ kết quả phù hợp")}
Open = Callable[..., Page]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_problem_leads_to_results_with_reasons(
    open_page: Open, language: str, width: int, scheme: str, script: bool
) -> None:
    page = open_page("/", language=language, width=width, scheme=scheme, script=script)
    ARTEFACTS.mkdir(exist_ok=True)
    name = f"{language}-{width}-{scheme}-{'script' if script else 'plain'}"
    page.screenshot(path=ARTEFACTS / f"home-{name}.png", full_page=True)
    page.locator("#text").fill(PROBLEMS[language])
    page.get_by_role("button", name=BUTTONS[language]).click()
    expect(page.locator("#found-title")).to_have_text(FOUND[language])
    expect(page.locator(".match").first.locator(".pair")).to_be_visible()
    page.screenshot(path=ARTEFACTS / f"results-{name}.png", full_page=True)
    title = page.locator(".match .card-title a").first
    expected = title.text_content()
    title.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(expected or "")
    page.screenshot(path=ARTEFACTS / f"listing-{name}.png", full_page=True)


def test_a_filter_answers_at_once_and_keeps_the_address(open_page: Open) -> None:
    page = open_page("/matches?text=textile+dyeing+wastewater+sludge")
    before = page.locator("#found-title").text_content()
    page.locator("#region-SOUTHEAST").check()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"region=SOUTHEAST"))
    expect(page.locator("#region-SOUTHEAST")).to_be_focused()
    assert page.locator("#found-title").text_content() != before
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator("#found-title")).to_have_text(before or "")


def test_a_filter_works_without_script(open_page: Open) -> None:
    page = open_page("/matches?text=textile+dyeing+wastewater+sludge", script=False)
    page.locator("#region-SOUTHEAST").check()
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"region=SOUTHEAST"))
    page.locator(".chip").click()
    expect(page.locator(".chip")).to_have_count(0)


def test_on_a_phone_the_filters_are_a_sheet(open_page: Open) -> None:
    page = open_page("/matches?text=textile+dyeing+wastewater+sludge", width=390)
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("link", name="Filters", exact=True).click()
    expect(page.locator("#filters")).to_be_visible()
    page.locator("#region-SOUTHEAST").check()
    expect(page.locator(".sheet-close")).to_be_visible()
    page.locator(".sheet-close").click()
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator(".chip")).to_have_count(1)


def test_a_long_text_is_filtered_in_its_own_page(open_page: Open) -> None:
    page = open_page("/")
    page.locator("#text").fill((PROBLEMS["en"] + ". ") * 30)
    page.get_by_role("button", name=BUTTONS["en"]).click()
    page.locator("#region-SOUTHEAST").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("button.chip")).to_have_count(1)
    page.locator("button.chip").click()
    expect(page.locator(".chip")).to_have_count(0)


def test_an_example_is_tried_with_one_press(open_page: Open) -> None:
    page = open_page("/")
    page.locator(".example").first.click()
    expect(page.locator("#found-title")).to_be_visible()


def test_the_language_is_switched_without_losing_the_search(open_page: Open) -> None:
    page = open_page("/matches?text=textile+dyeing+wastewater+sludge&trl=6")
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator(".chip")).to_contain_text("TRL ≥ 6")


def test_the_keyboard_reaches_the_content_first(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#text")).to_be_focused()


def test_characters_are_counted_as_one_types(open_page: Open) -> None:
    page = open_page("/")
    page.locator("#text").fill("nước thải")
    expect(page.locator("#text-left")).to_have_text("4,991 characters left")
