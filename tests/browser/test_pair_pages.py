"""Both sides of a match, why something is not matched, and duplicates in a real browser: sound, legible, printable."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from techex.listings.tables import Listing
from techex.matching.tables import DuplicatePair
from techex.web import identity
from tests.browser.conftest import ARTEFACTS
from tests.browser.soundness import VIEWS, barriers, sound
from tests.conftest import NOW

Open = Callable[..., Page]
A4_WIDTH = 658  # pixels between the margins of the page
TEXT = "text=textile+dyeing+wastewater+sludge+400+m3+a+day"


@pytest.fixture(scope="module")
def pages(served: Flask) -> dict[str, str]:
    """A pair of the demo in two languages, and pages about it; the first two offers look like one."""
    with served.app_context(), identity.database().transaction() as session:
        needs = session.scalars(select(Listing).where(Listing.kind == "need").order_by(Listing.id)).unique()
        need = next(one for one in needs if one.language == "en")
        offers = session.scalars(select(Listing).where(Listing.kind == "offer").order_by(Listing.id)).unique().all()
        offer = next(one for one in offers if one.language == "ko")
        first, second = offers[0], offers[1]
        first.country, first.province = "VN", "33"
        differences = {"figures": [["8.4"], ["16.8"]], "words": [["longan"], []]}
        session.add(
            DuplicatePair(
                first_id=first.id,
                second_id=second.id,
                verdict="near",
                shared=0.9,
                differences=differences,
                found_at=NOW,
            )
        )
        return {
            "pair": f"/pairs/{need.id}/{offer.id}",
            # Of this one an operator of Hưng Yên is asked for a verdict.
            "verdict": f"/pairs/{need.id}/{first.id}",
            "best-pairs": "/pairs",
            "pair-of-text": f"/pairs/text/{offer.id}?{TEXT}",
            "matches": f"/matches/{need.id}",
            "why": f"/matches/{need.id}/why?other={offer.id}&trl=9&country=NL",
            "why-words": f"/matches/{need.id}/why?other=nuoc",
            "why-text": f"/matches/why?{TEXT}&other={offer.id}",
            "why-nothing": f"/matches/{need.id}/why?other=999999",
            "duplicates": "/duplicates",
            "duplicate": f"/duplicates/{first.id}/{second.id}",
        }


@pytest.mark.parametrize("language", VIEWS)
def test_every_page_of_pairs_is_sound_and_nothing_scrolls_sideways(
    open_page: Open, pages: dict[str, str], language: str
) -> None:
    page = open_page("/quality", language=language, person="operator")
    wrong = []
    for name, path in pages.items():
        page.goto(path)
        wrong += sound(page, f"{name}-{language}", VIEWS[language])
        if "organisation_kind" in (page.text_content("main") or ""):
            wrong.append(f"{path} says a name of the machine")
    assert wrong == []


def test_a_card_opens_its_evidence_in_place(open_page: Open, pages: dict[str, str]) -> None:
    page = open_page(pages["matches"])
    summary = page.locator(".match").first.locator("summary", has_text="Evidence")
    summary.focus()
    page.keyboard.press("Enter")
    table = page.locator(".match").first.locator("table.evidence")
    expect(table).to_be_visible()
    expect(summary).to_be_focused()
    assert barriers(page) == []
    page.keyboard.press("Enter")
    expect(table).to_be_hidden()


def test_without_script_a_card_leads_to_the_pair(open_page: Open, pages: dict[str, str]) -> None:
    page = open_page(pages["matches"], script=False)
    expect(page.locator(".match summary", has_text="Evidence").first).to_be_hidden()
    page.get_by_role("link", name=re.compile("^Side by side")).first.click()
    expect(page.locator("table.evidence")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_what_is_missing_is_asked_for_by_words_and_answered(
    open_page: Open, pages: dict[str, str], script: bool
) -> None:
    page = open_page(pages["matches"], script=script)
    page.get_by_text("Something you expected is missing?").click()
    page.locator("#other").fill("nuoc")
    page.get_by_role("button", name="Say why").click()
    page.get_by_role("link", name="Why is this one not matched?").first.click()
    expect(page.locator("#answer-title")).to_be_visible()


def test_a_pair_prints_on_paper_with_both_sides_and_the_table(open_page: Open, pages: dict[str, str]) -> None:
    page = open_page(pages["pair"], width=A4_WIDTH)
    page.emulate_media(media="print")
    expect(page.locator(".masthead")).to_be_hidden()
    expect(page.locator(".with-script").first).to_be_hidden()
    left, right = (page.locator(".pair-side").nth(side).bounding_box() for side in (0, 1))
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    expect(page.locator("table.evidence")).to_be_visible()
    page.pdf(path=ARTEFACTS / "pair.pdf", format="A4")


def test_an_operator_decides_about_a_pair_by_keyboard(open_page: Open, pages: dict[str, str]) -> None:
    page = open_page(pages["duplicate"], person="operator", script=False)
    page.get_by_role("button", name=re.compile("^Two different listings")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("two different listings")
    page.get_by_role("link", name=re.compile("^Decided")).click()
    page.get_by_role("button", name=re.compile("^Take the decision back")).click()
    expect(page.locator(".duplicate")).to_have_count(1)
