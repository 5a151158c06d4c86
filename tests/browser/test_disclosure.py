"""Two sides go up the ladder of disclosure, in Vietnamese: the firm on a phone without scripts, the other at a desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect

from techex.brokering import deals
from techex.brokering.pipeline import Verb
from techex.core.context import Context, command_line_context
from techex.core.database import Database
from tests.brokering.stage import actor_of, posted
from tests.brokering.test_deals import agreed
from tests.browser.conftest import ARTEFACTS
from tests.cast import CAST, person_of

Open = Callable[..., Page]


def _introduced(app: Flask) -> int:
    database: Database = app.extensions["techex.database"]
    context = command_line_context()
    with database.transaction() as session:
        for name in CAST:
            person_of(session, name)
        deal = agreed(session, context, posted(session, context))
        deals.take(session, Context(actor_of(session, "operator"), context.now), deal.id, Verb.INTRODUCE)
        return deal.id


def _accept(page: Page, name: str, capacity: str) -> None:
    """Read what lies there and accept it, by what the pages offer."""
    with page.expect_download() as waited:
        page.locator("section[aria-labelledby='text'] a.btn").click()
    assert waited.value.suggested_filename.endswith(".pdf")
    page.locator("#name").fill(name)
    page.locator("#capacity").fill(capacity)
    page.locator("form[action$='/accept'] button").click()
    expect(page.locator("main")).to_contain_text(f"{name}, {capacity}")


def _narrow(page: Page) -> bool:
    """True where nothing sticks out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_from_the_introduction_to_papers_under_an_agreement(served: Flask, open_page: Open, tmp_path: Path) -> None:
    number = _introduced(served)
    university = open_page(f"/deals/{number}/agreement", person="officer", language="vi")
    firm = open_page(f"/deals/{number}", person="engineer", language="vi", width=390, script=False)
    expect(firm.locator(".turn")).to_contain_text("Trao đổi với nhau")

    university.locator("#place").fill("Hưng Yên")
    for name, value in (("capacity_a", "Phó hiệu trưởng"), ("capacity_b", "Giám đốc kỹ thuật")):
        university.locator(f"#{name}").fill(value)
    university.locator("form[action$='/template'] button").click()
    expect(university.locator("main")).to_contain_text("0 trên 2")
    university.screenshot(path=ARTEFACTS / "agreement-vi-1280.png", full_page=True)

    firm.reload()
    expect(firm.locator(".turn")).to_contain_text("Đến lượt quý vị")
    firm.locator("a[href$='/agreement']").click()
    _accept(firm, "Nguyễn Thị Lan", "Giám đốc kỹ thuật")
    firm.screenshot(path=ARTEFACTS / "agreement-last-look-vi-390.png", full_page=True)
    assert _narrow(firm)
    firm.locator("form[action$='/accept'] button").click()
    expect(firm.locator("main")).to_contain_text("1 trên 2")
    firm.screenshot(path=ARTEFACTS / "agreement-vi-390.png", full_page=True)
    assert _narrow(firm)

    firm.goto(f"/deals/{number}/papers")
    picture = tmp_path / "Bể nhuộm số 2.png"
    Image.new("RGB", (40, 30), "navy").save(picture)
    firm.locator("#file-0").set_input_files(picture)
    firm.locator("#note-0").fill("Ảnh bể nhuộm tại xưởng Thái Bình")
    firm.locator("form[action$='/papers'] button").click()
    expect(firm.locator("article.paper h3")).to_have_text("Bể nhuộm số 2")
    university.goto(f"/deals/{number}/papers")
    expect(university.locator("main")).not_to_contain_text("Bể nhuộm số 2")

    university.goto(f"/deals/{number}/agreement")
    _accept(university, "Lê Minh Châu", "Phó hiệu trưởng")
    university.locator("form[action$='/accept'] button").click()
    expect(university.locator("main")).to_contain_text("Đã có hiệu lực")
    university.goto(f"/deals/{number}/papers")
    with university.expect_download() as waited:
        university.locator("ul.versions a").click()
    assert waited.value.suggested_filename == "Bể nhuộm số 2.png"
    university.goto(f"/deals/{number}")
    university.locator("#text").fill("Đã xem ảnh bể nhuộm; mức nước ổn.")
    university.locator("#rung").select_option("under_nda")
    university.locator("form[action$='/messages'] button").click()

    firm.goto(f"/deals/{number}")
    expect(firm.locator("main")).to_contain_text("mức nước ổn")
    expect(firm.locator(".stages [aria-current]")).to_have_text("Đã cam kết bảo mật")
    assert _narrow(firm)
    firm.screenshot(path=ARTEFACTS / "deal-disclosed-vi-390.png", full_page=True)
    firm.goto(f"/deals/{number}/papers")
    expect(firm.locator("details.seen summary")).to_contain_text("Đã tải về 1 lần")
    assert _narrow(firm)
    firm.screenshot(path=ARTEFACTS / "papers-vi-390.png", full_page=True)
    firm.goto("/deals/search?q=be+nhuom")
    assert len(re.findall("Bể nhuộm|bể nhuộm", firm.locator("ol.messages").inner_text())) == 2
    firm.screenshot(path=ARTEFACTS / "deal-search-vi-390.png", full_page=True)
    university.goto(f"/deals/{number}")
    university.screenshot(path=ARTEFACTS / "deal-disclosed-vi-1280.png", full_page=True)
