"""The board of deals in a real browser: cards moved by the keys that the page names and by mouse, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from techex.brokering.deal_tables import Deal
from techex.core.context import command_line_context
from techex.core.database import Database
from tests.brokering.stage import posted
from tests.brokering.test_deals import agreed
from tests.browser.soundness import View, sound
from tests.cast import CAST, person_of

Open = Callable[..., Page]


@pytest.fixture
def number(served: Flask) -> int:
    """The second of two leads that wait for the operator: the column it leaves is still there."""
    database: Database = served.extensions["techex.database"]
    context = command_line_context()
    with database.transaction() as session:
        for name in CAST:
            person_of(session, name)
        return max(agreed(session, context, posted(session, context)).id for _ in range(2))


def _stage(app: Flask, number: int) -> str:
    database: Database = app.extensions["techex.database"]
    with database.reading() as session:
        return str(session.scalars(select(Deal.stage).where(Deal.id == number)).one())


def _card(page: Page, number: int) -> Locator:
    return page.locator(f"#deal-{number}")


def _column(page: Page, stage: str) -> Locator:
    return page.locator(f"[data-stage='{stage}']")


def test_a_card_is_moved_by_the_keys_that_the_page_names(served: Flask, open_page: Open, number: int) -> None:
    page = open_page("/deals", person="operator")
    expect(page.locator("#board-keys kbd")).to_have_text(
        ["←", "↑", "↓", "→", "Enter", "Space", "←", "→", "Enter", "Esc"]
    )
    says, link = page.locator("#board-says"), _card(page, number).locator("[data-card-link]")
    expect(says).to_have_attribute("aria-live", "polite")
    page.locator("[data-card-link][tabindex='0']").focus()
    # One stop of the Tab key for the whole board, and arrows from card to card.
    expect(page.locator("[data-card-link][tabindex='0']")).to_have_count(1)
    page.keyboard.press("Home")
    cards = _column(page, "lead").locator("[data-card]")
    order = [cards.nth(at).get_attribute("id") for at in range(cards.count())]
    for _ in pairwise(order[: order.index(f"deal-{number}") + 1]):
        page.keyboard.press("ArrowDown")
    expect(link).to_be_focused()

    page.keyboard.press("Space")
    expect(says).to_have_text(re.compile("Picked up: .*It can go to: Introduced; Lost, asks for more"))
    expect(_card(page, number)).to_have_class(re.compile("is-picked"))
    page.keyboard.press("ArrowRight")
    expect(says).to_contain_text("Lost, asks for more on the deal’s page, 2 of 2")
    assert sound(page, "board-picked", [View(1280)]) == []
    page.keyboard.press("Escape")
    expect(says).to_have_text("It stays where it was.")
    assert _stage(served, number) == "lead"

    for key in ("Space", "Enter"):
        page.keyboard.press(key)
    expect(_column(page, "introduced").locator(f"#deal-{number}")).to_be_visible()
    expect(says).to_have_text(f"Deal No. {number} stands here now: Introduced.")
    expect(link).to_be_focused()
    assert _stage(served, number) == "introduced"


def test_a_card_is_dragged_and_what_is_refused_is_explained(served: Flask, open_page: Open, number: int) -> None:
    old, page = open_page("/deals", person="operator"), open_page("/deals", person="operator", language="vi")
    _card(page, number).drag_to(_column(page, "introduced"))
    expect(page.locator("#board-says")).to_contain_text(str(number))
    assert _stage(served, number) == "introduced"
    page.goto("/deals")
    _card(page, number).drag_to(_column(page, "lead"))
    expect(page.locator("#board-says")).to_be_visible()
    expect(page.locator("#board-says")).to_contain_text("Thẻ vẫn ở chỗ cũ")
    assert _stage(served, number) == "introduced"

    # The same card on a page that is old by now: the board comes as it stands, and says why.
    _card(old, number).drag_to(_column(old, "introduced"))
    expect(old.locator("#board-says")).to_contain_text(
        f"Deal No. {number} was not moved and stands here now: Introduced."
    )
    assert sound(old, "board-refused", [View(1280)]) == []

    viewer = open_page("/deals", person="viewer")
    viewer.locator(f"#deal-{number} [data-card-link]").focus()
    viewer.keyboard.press("Space")
    expect(viewer.locator("#board-says")).to_have_text("You cannot move this card: the next step is for somebody else.")
    expect(viewer.locator("#board-says")).to_be_visible()
