"""Posting in a real browser: the form keeps what is typed and finds matches meanwhile; a table is imported."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.soundness import barriers
from tests.interchange.test_import_views import _two_hundred, a_table

Open = Callable[..., Page]
TITLE = "Removing colour from textile dyeing waste water"
SUMMARY = "A dyeing mill lets out 400 m³ of waste water a day at 300 Pt-Co; 50 are allowed, without more sludge."


def _write(page: Page) -> None:
    page.locator("form.begin button").click()
    page.locator("#f-title").press_sequentially(TITLE)
    page.locator("#f-summary").press_sequentially(SUMMARY)


def test_what_is_typed_is_kept_and_matches_appear_without_a_press(open_page: Open) -> None:
    page = open_page("/post", person="engineer")
    assert barriers(page) == []
    _write(page)
    expect(page.locator("#draft-matches li").first).to_be_visible(timeout=20_000)
    expect(page.locator("#f-summary")).to_be_focused()
    expect(page.locator("#f-summary-left")).to_contain_text("characters left")
    page.reload()
    expect(page.locator("#f-title")).to_have_value(TITLE)
    assert barriers(page) == []
    page.screenshot(path=ARTEFACTS / "posting-en-1280.png", full_page=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_need_is_written_and_submitted_without_scripts(open_page: Open, width: int) -> None:
    page = open_page("/post", person="engineer", script=False, width=width)
    _write(page)
    page.get_by_role("button", name="Show matches").click()
    expect(page.locator("#draft-matches li").first).to_be_visible()
    page.get_by_role("link", name="Write on").click()
    page.locator("#f-title").fill("short")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.locator("#f-title-error")).to_contain_text("has 5 characters")
    expect(page.locator("#f-title")).to_have_value("short")
    page.locator("#f-title").fill(TITLE)
    for _step in range(5):
        page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def test_every_step_fits_a_telephone_and_has_no_barrier(open_page: Open) -> None:
    page = open_page("/post", person="engineer", width=390, language="vi", scheme="dark")
    page.locator("form.begin input[value=offer]").check()
    page.locator("form.begin button").click()
    for step in ("result", "benefit", "readiness", "rights", "transfer", "place", "readers", "check", "language/en"):
        page.goto(re.sub(r"/drafts/(\d+)/.*", rf"/drafts/\1/{step}", page.url))
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, step
        assert barriers(page) == []


def test_a_university_imports_two_hundred_rows_with_five_errors_and_takes_them_back(
    open_page: Open, tmp_path: Path
) -> None:
    table = tmp_path / "results.xlsx"
    table.write_bytes(a_table(_two_hundred()))
    page = open_page("/imports", person="officer")
    assert barriers(page) == []
    page.set_input_files("#file", table)
    page.get_by_role("button", name="Upload and look at the columns").click()
    expect(page).to_have_url(re.compile(r"/imports/\d+$"))
    assert barriers(page) == []
    page.get_by_role("button", name="Check every row").click()
    expect(page.locator("#run")).to_contain_text("195 would become new listings")
    expect(page.locator("#run tbody tr")).to_have_count(5)
    assert barriers(page) == []
    page.screenshot(path=ARTEFACTS / "import-checked-en-1280.png", full_page=True)
    page.get_by_role("button", name="Import these rows").click()
    expect(page.locator("#run")).to_contain_text("195 became new listings", timeout=60_000)
    page.get_by_role("button", name="Undo the whole import").click()
    expect(page.locator("#run")).to_contain_text("195 were taken back", timeout=60_000)
