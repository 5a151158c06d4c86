"""From a problem to a contract that both sides confirmed: browsers side by side, each in its own language.

The firm works on a phone without scripts, in Vietnamese; the university and the operators at a desk, in English. Both
read every stage of the deal in the words of their own language.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.test_posting import SUMMARY, TITLE

Open = Callable[..., Page]
WHO = (
    "A laboratory of forty people that studies textile waste water and has built nine plants for mills in the south. "
    * 2
)
WHY = (
    "We have a reactor that takes the colour out without sludge and look for a mill that tries it for one season. " * 2
)
CONTRACT = {"value_band": "b", "transfer_form": "assignment", "origin": "VN-79", "application": "VN-33"}


def _press(page: Page, action: str) -> None:
    """The button that sends a form to an address that ends so, whatever it says."""
    buttons: Locator = page.locator(f"button[formaction$='{action}'], form[action$='{action}'] button")
    if not buttons.first.is_visible():
        page.locator("details", has=page.locator(f"form[action$='{action}']")).locator("summary").first.click()
    buttons.first.click()


def _posted(firm: Page) -> str:
    """The firm writes its need and submits it; returns its number."""
    firm.locator("form.begin button").click()
    firm.locator("#f-title").fill(TITLE)
    firm.locator("#f-summary").fill(SUMMARY)
    for _step in range(6):
        if firm.locator("form[action$='/submit'] button").count():
            break
        firm.locator("#posting-form button.btn-primary").first.click()
    _press(firm, "/submit")
    found = re.search(r"/needs/(\d+)", firm.url)
    assert found, firm.url
    return found[1]


def _pass(reader: Page, number: str) -> None:
    """A reader gives every mark and passes the listing."""
    reader.goto(f"/review/{number}")
    if reader.locator("button[formaction$='/take_up']").count():
        _press(reader, "/take_up")
        reader.goto(f"/review/{number}")
    for mark in reader.locator("input[type=radio][value='4']").all():
        mark.check()
    if reader.locator("button[formaction$='/publish']").count():
        _press(reader, "/publish")
    else:
        reader.locator("button", has_text="Save my marks").click()


def test_a_problem_becomes_a_contract(open_page: Open) -> None:
    firm = open_page("/post", person="engineer", language="vi", width=390, script=False)
    operator = open_page("/review", person="operator", language="en")
    number = _posted(firm)

    # Returned with a comment, amended, passed by two readers, published.
    operator.goto(f"/review/{number}")
    _press(operator, "/take_up")
    operator.goto(f"/review/{number}")
    operator.locator("#comment-general").fill("How many cubic metres an hour at the peak?")
    _press(operator, "/return")
    firm.goto("/my/listings")
    expect(firm.locator("main")).to_contain_text("How many cubic metres an hour")
    firm.locator(f"a[href='/listings/{number}/edit']").first.click()
    _press(firm, "/edit")
    _amend(firm)
    _pass(operator, number)
    second = open_page("/review", person="other_operator", language="en")
    _pass(second, number)
    _pass(operator, number)  # who serves its place publishes what both have passed
    stranger = open_page(f"/needs/{number}", language="vi")
    expect(stranger.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(stranger.locator("main .match, main .card-listing").first).to_be_visible()

    # The university asks, the operator forwards, the firm agrees, the operator introduces.
    university = open_page(f"/needs/{number}", person="officer", language="en")
    university.locator(f"a[href*='/interests/new?listing={number}']").click()
    university.locator("#who").fill(WHO)
    university.locator("#why").fill(WHY)
    university.locator("form.interest-form button").click()
    expect(university).to_have_url(re.compile(r"/interests/\d+$"))
    expect(university.locator("html")).to_have_attribute("lang", "en")
    interest = university.url
    for action in ("/screen", "/forward"):
        operator.goto(interest)
        _press(operator, action)
    firm.goto(interest)
    expect(firm.locator("main")).not_to_contain_text("Đại học Phương Nam")
    _press(firm, "/accept")
    firm.locator("a[href*='/deals/']").first.click()
    deal = firm.url
    operator.goto(deal)
    _press(operator, "/introduce")
    firm.goto(deal)
    expect(firm.locator("main")).to_contain_text("Đại học Phương Nam")

    # A message, the contract, and the confirmation of both.
    university.goto(deal)
    expect(university.locator(".stages [aria-current]")).to_have_text("Introduced")
    university.locator("#text").fill("May we come to see the biological tank next week?")
    university.locator("form[action$='/messages'] button").click()
    firm.goto(deal)
    expect(firm.locator("main")).to_contain_text("see the biological tank")
    expect(firm.locator("html")).to_have_attribute("lang", "vi")
    university.goto(deal)
    _press(university, "/negotiate")
    university.locator("details", has=university.locator("#value_band")).locator("summary").click()
    for name, value in (
        ("value_band", "b"),
        ("transfer_form", "assignment"),
        ("origin", "VN-79"),
        ("application", "VN-33"),
    ):
        university.locator(f"#{name}").select_option(value)
    university.locator("form[action$='/draw_up'] button").click()
    _press(university, "/confirm")
    firm.goto(deal)
    expect(firm.locator(".stages [aria-current]")).to_have_text("Đàm phán")
    _press(firm, "/confirm")
    expect(firm.locator(".stages [aria-current]")).to_have_text("Đã ký hợp đồng")
    university.goto(deal)
    expect(university.locator(".stages [aria-current]")).to_have_text("Contract signed")
    for page, name in ((university, "en-1280"), (firm, "vi-390")):
        page.screenshot(path=ARTEFACTS / f"deal-{name}.png", full_page=True)


def _amend(firm: Page) -> None:
    """The firm says what was asked, and submits again."""
    problem = firm.locator("textarea[name=problem]")
    for _step in range(8):
        if problem.count():
            problem.fill("The colour stays at 300 Pt-Co behind the biological tank, 30 m³ an hour at the peak.")
        if firm.locator("form[action$='/submit'] button").count():
            break
        firm.locator("#posting-form button.btn-primary").first.click()
    _press(firm, "/submit")
