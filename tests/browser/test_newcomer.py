"""A firm comes to the exchange: registers, posts, is sent back, amends, is published, and finds its matches.

In Vietnamese, on a phone, without scripts and without a mouse; the operators sit at a desk.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.test_accounts import PASSWORD
from tests.browser.test_whole_path import _pass, _press

Open = Callable[..., Page]
EMAIL = "moi@xuong-moi.example"
FIRM = "Xưởng nhuộm Mới Phố Hiến"
TITLE = "Khử màu nước thải nhuộm 300 m³ mỗi ngày mà không sinh thêm bùn"
SUMMARY = (
    "Xưởng nhuộm thải 300 m³ mỗi ngày, độ màu sau bể sinh học còn 280 Pt-Co trong khi chỉ được phép 50. "
    "Cần hạ độ màu mà không sinh thêm bùn."
)
RESULT = "Độ màu dưới 50 Pt-Co ở lưu lượng 300 m³ mỗi ngày, lượng bùn không tăng."
_shots = count(1)


def look(page: Page, name: str) -> None:
    """Keep a picture, and see that nothing scrolls sideways (axe needs scripts: other tests ask it of these pages)."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"newcomer-{next(_shots):02}-{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth"), name


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus, and see that one sees it."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => !!document.activeElement && document.activeElement.matches(s)", selector):
            outline = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement);"
                " return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
            )
            assert outline, f"{selector} shows no focus"
            return
    raise AssertionError(f"Tab never reaches {selector}")


def write(page: Page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def choose(page: Page, selector: str, value: str) -> None:
    tab_to(page, selector)
    for _ in range(300):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{selector} has no {value}")


def press(page: Page, selector: str) -> None:
    tab_to(page, selector)
    _enter(page)


def _enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _register(page: Page) -> None:
    look(page, "register")
    write(page, "#name", "Trần Thị Mới")
    write(page, "#email", EMAIL)
    _enter(page)
    look(page, "look-in-your-mail")
    page.goto("/demo/letters")
    link = page.locator("article", has_text=EMAIL).locator("a").first.get_attribute("href")
    assert link
    page.goto(link)
    for password in ("xuong nhuom moi 12", PASSWORD):
        write(page, "#password", password)
        write(page, "#password_again", password)
        _enter(page)
        look(page, "password" if password != PASSWORD else "account")
    expect(page).to_have_url(re.compile("/account$"))


def _found_organisation(page: Page) -> str:
    page.goto("/your-organisations")
    look(page, "your-organisations")
    press(page, "main a[href='/register-organisation']")
    write(page, "#name", FIRM)
    choose(page, "#kind", "enterprise")
    choose(page, "#place", "VN-33")
    look(page, "register-organisation")
    press(page, "main form button[type=submit]")
    look(page, "organisation")
    return re.sub(r"^https?://[^/]+", "", page.url)


def _post(page: Page) -> str:
    page.goto("/post")
    look(page, "post")
    press(page, "form.begin button")
    write(page, "#f-title", "Khử màu")
    press(page, "button[value=next]")
    look(page, "first-step-wrong")
    write(page, "#f-title", TITLE)
    write(page, "#f-summary", SUMMARY)
    press(page, "button[value=next]")
    look(page, "second-step")
    for _ in range(4):
        press(page, "button[value=next]")
    look(page, "check")
    expect(page.locator(".preview-frame")).to_contain_text(TITLE)
    press(page, "form[action$='/submit'] button")
    look(page, "submitted")
    found = re.search(r"/needs/(\d+)", page.url)
    assert found, page.url
    return found[1]


def test_a_newcomer_posts_is_sent_back_amends_and_finds_matches(open_page: Open) -> None:
    firm = open_page("/register", language="vi", width=390, script=False)
    _register(firm)
    organisation = _found_organisation(firm)
    number = _post(firm)
    operator = open_page(f"/review/{number}", person="operator")
    _press(operator, "/take_up")
    operator.goto(f"/review/{number}")
    operator.locator("#comment-general").fill("Xin nêu kết quả cần đạt bằng số đo.")
    _press(operator, "/return")
    firm.goto("/my/listings")
    look(firm, "returned-list")
    press(firm, f"main a[href='/needs/{number}']")
    look(firm, "returned")
    expect(firm.locator("main")).to_contain_text("Xin nêu kết quả cần đạt")
    press(firm, f"a[href='/listings/{number}/edit']")
    look(firm, "edit")
    press(firm, f"form[action='/listings/{number}/edit'] button")
    press(firm, "button[value=next]")
    write(firm, "#f-required_result", RESULT)
    for _ in range(4):
        press(firm, "button[value=next]")
    press(firm, "form[action$='/submit'] button")
    for reader in ("operator", "other_operator", "operator"):
        _pass(open_page("/review", person=reader), number)
    visitor = open_page(f"/needs/{number}", language="vi", width=390, script=False)
    expect(visitor.locator("main")).to_contain_text(RESULT)
    look(visitor, "published")
    firm.goto(f"/matches/{number}")
    expect(firm.locator("main article").first).to_be_visible()
    look(firm, "matches")
    firm.goto(organisation)
    expect(firm.locator("main")).to_contain_text(TITLE)
    look(firm, "organisation-published")
