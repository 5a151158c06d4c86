"""What axe finds on a page that has finished loading, and whether it scrolls sideways."""

from __future__ import annotations

import os

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import ARTEFACTS


def barriers(page: Page, name: str = "") -> list[str]:
    """The rules of axe that the page breaks, each with the first place; empty when it breaks none."""
    # After a press the new document may be there without its first element, on which axe would stumble.
    page.wait_for_load_state("load")
    asked = {"resultTypes": ["violations"]}  # other places are not described, which takes a quarter of the time
    broken = Axe().run(page, options=asked).response["violations"]
    return [f"{name or page.url}: {found['id']} {found['nodes'][0]['target']}" for found in broken]


def sideways(page: Page, name: str = "") -> list[str]:
    """A sentence when the page is wider than its window."""
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    return [f"{name or page.url}: {width} pixels wide in a window of {window}"] if width > window else []


def sound(page: Page, name: str) -> list[str]:
    """Both of the above. With TECHEX_TEST_PICTURES set, keeps the whole page as `name`.png for people to look at."""
    if os.environ.get("TECHEX_TEST_PICTURES"):  # whole pages take long to draw
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)
    return barriers(page, name) + sideways(page, name)
