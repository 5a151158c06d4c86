"""Lists, datasheets, organisations, places and quality in a real browser: reachable, legible, sound without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from techex.core.database import Database
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from tests.browser.conftest import ARTEFACTS
from tests.browser.soundness import VIEWS, sound

Open = Callable[..., Page]
PAGES = {
    "home": "/",
    "matches": "/matches?text=textile+dyeing+wastewater+sludge",
    "matches-of-nothing": "/matches?text=",
    "no-matches": "/matches?text=x&country=FJ",
    "needs": "/needs",
    "results-filtered": "/results?q=nuoc&trl=6&region=RED_RIVER_DELTA&sort=trl",
    "nothing-listed": "/needs?q=zzzz",
    "organisations": "/organisations",
    "organisation": "/organisations/ha-noi-to-lich",
    "places": "/places",
    "province": "/places/VN-79",
    "country": "/places/NL",
    "region": "/regions/MEKONG_DELTA",
    "quality": "/quality",
    "figures": "/figures",
}


@pytest.fixture(scope="session")
def longest(demo_file: Path) -> dict[str, str]:
    """The need and the result with the longest titles."""
    database = Database(f"sqlite:///{demo_file}")
    with database.reading() as session:
        found = {}
        for kind, folder in ((Kind.NEED, "needs"), (Kind.OFFER, "results")):
            number = session.scalar(
                select(Listing.id).where(Listing.kind == kind).order_by(func.length(Listing.title).desc()).limit(1)
            )
            found[f"longest-{folder}"] = f"/{folder}/{number}"
    database.close()
    return found


@pytest.mark.parametrize("language", VIEWS)
def test_every_reference_page_is_sound_and_nothing_scrolls_sideways(
    open_page: Open, longest: dict[str, str], language: str
) -> None:
    wrong = []
    page = open_page("/quality", language=language)
    for name, path in (PAGES | longest).items():
        page.goto(path)
        wrong += sound(page, f"{name}-{language}", VIEWS[language])
    # Asked from within a page, since a 404 of the document itself is an error on the console.
    page.set_content(page.request.get("/nowhere").text())
    wrong += sound(page, f"nowhere-{language}", VIEWS[language])
    assert wrong == []


def test_a_list_is_narrowed_at_once_and_goes_back_rightly(open_page: Open) -> None:
    page = open_page("/results")
    before = page.locator("#found-title").text_content()
    page.locator("#region-SOUTHEAST").check()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"region=SOUTHEAST"))
    expect(page.locator("#region-SOUTHEAST")).to_be_focused()
    page.locator("#q").fill("nuoc")
    page.locator("#q").press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    page.go_back()
    expect(page.locator(".chip")).to_have_count(1)
    page.go_back()
    expect(page.locator("#found-title")).to_have_text(before or "")


def test_a_list_is_narrowed_without_script(open_page: Open) -> None:
    page = open_page("/needs", script=False)
    page.locator("#region-SOUTHEAST").check()
    page.locator("#q").fill("nuoc")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".chip")).to_have_count(2)
    page.locator(".chip").first.click()
    expect(page.locator(".chip")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_from_the_map_to_a_province_to_a_match_elsewhere_by_keyboard(open_page: Open, script: bool) -> None:
    page = open_page("/places", script=script)
    page.get_by_role("link", name=re.compile(r"^Ha Noi: \d+ results?")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ha Noi")
    elsewhere = page.locator(".map-flows a").first
    name = (elsewhere.get_attribute("aria-label") or "").partition(":")[0]
    elsewhere.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_province_prints_on_paper_with_its_table(open_page: Open) -> None:
    page = open_page("/places/VN-79")
    page.emulate_media(media="print")
    expect(page.locator(".masthead")).to_be_hidden()
    expect(page.locator(".map-flows")).to_be_visible()
    expect(page.locator("#flows-title")).to_be_visible()
    page.screenshot(path=ARTEFACTS / "province-print.png", full_page=True)
