"""What axe finds on a page that has finished loading, and whether it scrolls sideways."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import ARTEFACTS

HEIGHT = 900


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


@dataclass(frozen=True)
class View:
    """A window of so many pixels, light or dark."""

    width: int
    scheme: str = "light"


# What each page is looked at in: each language in a wide and a narrow window, each window light and dark.
VIEWS = {
    "vi": (View(1280, "light"), View(390, "dark")),
    "en": (View(1280, "dark"), View(390, "light")),
}
# Widths at which a page may still not scroll sideways: a tablet and the narrowest telephone.
OTHER_WIDTHS = (768, 360)


def sound(page: Page, name: str, views: Sequence[View]) -> list[str]:
    """What is wrong with a page in these views, and whether it scrolls sideways in any other width.

    The page is loaded once: nothing of it depends on the window that it was loaded in. With TECHEX_TEST_PICTURES set,
    keeps the whole page as `name`-width-scheme.png for people to look at.
    """
    wrong = []
    before = page.viewport_size
    for view in views:
        seen = f"{name}-{view.width}-{view.scheme}"
        page.set_viewport_size({"width": view.width, "height": HEIGHT})
        page.emulate_media(color_scheme="dark" if view.scheme == "dark" else "light")
        if os.environ.get("TECHEX_TEST_PICTURES"):  # whole pages take long to draw
            ARTEFACTS.mkdir(exist_ok=True)
            page.screenshot(path=ARTEFACTS / f"{seen}.png", full_page=True)
        wrong += barriers(page, seen) + sideways(page, seen)
    for width in OTHER_WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        wrong += sideways(page, name)
    if before:
        page.set_viewport_size(before)
    return wrong
