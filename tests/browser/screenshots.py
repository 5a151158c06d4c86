"""Pictures of every page, to be looked at before a page is called done.

    make screenshots        (python -m tests.browser.screenshots, after `make setup`)

Takes the exchange of this checkout, an empty one and one with a thousand needs more, in both languages, at 1280 and
390 pixels, light and dark; puts them into tests/artefacts/screens and the picture of the README into .readme/.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import func, select
from werkzeug.serving import make_server

from techex import paths
from techex.app import create_app
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.listings.rules import Kind
from techex.listings.service import post, publish
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.migrations import run
from techex.settings import Settings, load_settings
from tests.browser.conftest import CHROMIUM, QUIET

SCREENS = paths.CHECKOUT / "tests" / "artefacts" / "screens"
README_PICTURE = paths.CHECKOUT / ".readme" / "results.png"
# The tour: name -> (address, what is pictured) as the demo's operator sees it.
TOUR = {
    "desk": ("/desk", "main"),
    "funnel": ("/figures", "section[aria-labelledby=funnel-title]"),
    "map": ("/figures", "section[aria-labelledby=flows-title]"),
    "gaps": ("/gaps?floor=60&all=1", "section[aria-labelledby=groups]"),
}
TALLEST = 760  # pixels of a picture of the tour
COLOURS = 128  # of its palette: a page of text needs no more, and the file is a third as large
PROBLEM = (
    "Xưởng dệt nhuộm của chúng tôi thải 400 m³ nước mỗi ngày, sau bể sinh học độ màu vẫn còn 300 Pt-Co. "
    "Cần giảm xuống dưới 50 mà không sinh thêm bùn."
)
OPERATOR = "Hoàng Mai"
NOTHING = "Cần mua vé xem hòa nhạc cho hai người vào tối thứ bảy tuần sau"
CROWD = 1_000
SIZES = ((1280, "light"), (390, "dark"), (390, "light"), (1280, "dark"))
LANGUAGES = ("vi", "en")

Shot = tuple[str, str]  # name, path


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of an exchange served from this process."""
    app: Flask = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pages_of(settings: Settings) -> list[Shot]:
    """What is looked at in the exchange of the checkout, its longest titles included."""
    database = Database(settings.database_address)
    shots = [
        ("home", "/"),
        ("matches", f"/matches?text={PROBLEM}"),
        ("matches-filtered", f"/matches?text={PROBLEM}&trl=6&form=licence_nonexclusive&elsewhere=1&place=VN-33"),
        ("matches-sheet", f"/matches?text={PROBLEM}#filter-sheet"),
        ("nothing-fits", f"/matches?text={NOTHING}"),
        ("nothing-passes", f"/matches?text={PROBLEM}&country=FJ"),
        ("nothing-asked", "/matches?text="),
        ("needs", "/needs"),
        ("results", "/results"),
        ("results-empty", "/results?q=zzzzzz"),
        ("organisations", "/organisations"),
        ("places", "/places"),
        ("province", "/places/VN-79"),
        ("country", "/places/NL"),
        ("quality", "/quality"),
        ("figures", "/figures"),
        ("missing", "/nowhere"),
        ("not-text", "/matches?text=%00"),
    ]
    with database.reading() as session:
        longest_of = {}
        for kind, folder in ((Kind.NEED, "needs"), (Kind.OFFER, "results")):
            longest = session.scalar(
                select(Listing.id).where(Listing.kind == kind).order_by(func.length(Listing.title).desc()).limit(1)
            )
            if longest is not None:
                shots += [(f"longest-{folder}", f"/{folder}/{longest}"), (f"matches-{folder}", f"/matches/{longest}")]
                longest_of[kind] = longest
        if len(longest_of) == len(Kind):
            need, offer = longest_of[Kind.NEED], longest_of[Kind.OFFER]
            shots += [("pair", f"/pairs/{need}/{offer}"), ("why-not", f"/matches/{need}/why?other={offer}&trl=9")]
            shots += [("pair-of-text", f"/pairs/text/{offer}?text={PROBLEM}")]
    database.close()
    return shots


def crowd(settings: Settings) -> None:
    """A thousand needs more."""
    database, context = Database(settings.database_address), command_line_context()
    with database.transaction() as session:
        rows = session.scalars(select(Listing).where(Listing.kind == Kind.NEED)).unique().all()
        for number in range(CROWD):
            row = rows[number % len(rows)]
            draft = checked_draft(
                Kind.NEED,
                {"title": f"{row.title[:150]} ({number + 1})", "summary": row.summary, "fields": row.fields},
                language=row.language,
                country=row.country,
                province=row.province,
                illustrative=True,
            )
            publish(session, context, post(session, context, row.organisation, draft))
    database.close()


def shoot(browser: Browser, address: str, shots: list[Shot], say: Callable[[str], object]) -> None:
    """One picture of each page for each language, size and scheme."""
    for language in LANGUAGES:
        for width, scheme in SIZES:
            context = browser.new_context(
                base_url=address,
                locale=language,
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name, path in shots:
                page.goto(path)
                file = SCREENS / f"{name}-{language}-{width}-{scheme}.png"
                page.screenshot(path=file, full_page="sheet" not in name)
                say(f"{file.relative_to(paths.CHECKOUT)}\n")
            context.close()


def tour(browser: Browser, address: str) -> None:
    """The pictures of the README's tour."""
    page = browser.new_page(base_url=address, locale="en", viewport={"width": 1280, "height": 1000})
    page.goto("/sign-in")
    page.locator("button", has_text=OPERATOR).click()
    code = re.search(r"\b(\d{6})\b", page.inner_text("main"))
    if code:  # the demo shows the code of the second factor
        page.fill("main input:not([type=hidden])", code[1])
        page.locator("main button").first.click()
    for name, (path, what) in TOUR.items():
        page.goto(path)
        part = page.locator(what).first
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box is not None, f"{path} has no {what}"
        scrolled = page.evaluate("scrollY")
        clip = {"x": max(0.0, box["x"] - 8), "y": box["y"] + scrolled, "width": box["width"] + 16}
        taken = page.screenshot(full_page=True, clip={**clip, "height": min(box["height"], TALLEST)})
        picture = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS)
        picture.save(README_PICTURE.parent / f"{name}.png", optimize=True)
    page.close()


def main() -> None:
    """Take all pictures."""
    if CHROMIUM is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    settings = load_settings()
    run.require_current(Database(settings.database_address))
    SCREENS.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        empty, crowded = (settings.model_copy(update={"data_dir": folder / name}) for name in ("empty", "crowded"))
        run.upgrade(Database(empty.database_address))
        crowded.data_dir.mkdir()
        shutil.copy(settings.data_dir / "techex.db", crowded.data_dir / "techex.db")
        crowd(crowded)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        main_address = stack.enter_context(served(settings))
        shoot(browser, main_address, pages_of(settings), sys.stdout.write)
        shoot(
            browser, stack.enter_context(served(empty)), [("empty", "/"), ("empty-needs", "/needs")], sys.stdout.write
        )
        shoot(browser, stack.enter_context(served(crowded)), [("crowd", "/needs?page=3")], sys.stdout.write)
        README_PICTURE.parent.mkdir(exist_ok=True)
        page = browser.new_page(base_url=main_address, locale="vi", viewport={"width": 1280, "height": 1000})
        page.goto(f"/matches?text={PROBLEM}")
        page.screenshot(path=README_PICTURE)
        tour(browser, main_address)
        browser.close()


if __name__ == "__main__":
    main()
