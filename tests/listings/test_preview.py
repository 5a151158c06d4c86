"""Before a listing is handed in its owner sees it as each sort of reader will: by the rules that pages go by."""

from __future__ import annotations

import html
import re

from flask import Flask

from techex.core.context import COMMAND_LINE, Context
from techex.listings.service import publish
from techex.listings.tables import Listing
from techex.web import identity
from tests.cast import Browser
from tests.listings.test_attachments import a_pdf
from tests.listings.test_posting_views import SUMMARY, TITLE, SignedIn, _add, _begin, _draft_id, _stored

RESULT = {
    "result": {"language": "vi", "title": TITLE, "summary": SUMMARY},
    "benefit": {"description": "Bể lọc hai bậc giữ màu trên than, hoàn nguyên tại chỗ bằng hơi nước. " * 3},
    "rights": {"ip_status": "granted", "ip_numbers": "1-0023456"},
    "transfer": {"price": "123456789", "currency": "VND", "transfer_forms": "joint_research"},
    "place": {"place": "VN-33", "fields": "207"},
}


def written(browser: Browser, **readers: str) -> int:
    draft = _draft_id(_begin(browser, "offer"))
    for step, values in RESULT.items():
        browser.post(f"/drafts/{draft}/{step}", data=values)
    browser.post(f"/drafts/{draft}/readers", data={"contact": "Lan, 0912 345 678"} | readers)
    return draft


def shown(browser: Browser, draft: int, reader: str = "everyone") -> str:
    page = html.unescape(browser.get(f"/drafts/{draft}/check?as={reader}").text)
    return page.partition('class="preview-frame"')[2].partition("</main>")[0]


def sheet(page: str) -> str:
    found = re.search(r'<article class="sheet.*?</article>', html.unescape(page), re.DOTALL)
    assert found
    # Its page adds when it was published, and its title is the heading there.
    history = r'<table class="table facts-table">\s*<caption>History</caption>.*?</table>'
    bare = re.sub(history, "", found[0], flags=re.DOTALL)
    bare = re.sub(r"<(h1|p class=\"h1\")( [^>]*)>(.*?)</(h1|p)>", r"\3", bare)
    bare = re.sub(r'<p><a class="btn[^>]*>.*?</a></p>', "", bare)
    return " ".join(bare.split())


def test_the_preview_says_what_the_page_will_say_to_each_reader(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("engineer")
    draft = written(browser, visibility="public")
    before = {reader: shown(browser, draft, reader) for reader in ("everyone", "members", "operators")}
    assert browser.post(f"/drafts/{draft}/submit").status_code == 303
    number = _stored(demo_app, Listing)[-1].id
    with demo_app.app_context(), identity.database().transaction() as session:
        publish(session, Context(COMMAND_LINE), session.get(Listing, number))
    outside = Browser(demo_app, demo_app.response_class, use_cookies=True)
    outside.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    for reader, visitor in (("everyone", outside), ("members", signed_in("rival"))):
        assert sheet(before[reader]) == sheet(visitor.get(f"/results/{number}").text), reader
    assert "123,456,789" not in before["everyone"]
    assert "123,456,789" in before["members"]
    assert "1-0023456" not in before["members"]
    assert "1-0023456" in before["operators"]
    assert "0912 345 678" in before["operators"]


def test_an_anonymous_listing_is_previewed_without_its_owner_and_the_names_of_its_files(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    draft = written(browser, visibility="public", anonymous="1")
    _add(browser, draft, a_pdf(), "Sông Hồng.pdf")
    seen = shown(browser, draft)
    assert "Anonymous organisation" in seen
    assert "Sông Hồng" not in seen
    assert "Sông Hồng" in shown(browser, draft, "operators")


def test_a_restricted_listing_is_previewed_as_nothing_or_as_what_its_owner_tells(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    draft = written(browser, visibility="restricted")
    for reader in ("everyone", "members"):
        assert TITLE not in shown(browser, draft, reader)
        assert "do not learn that it is there" in shown(browser, draft, reader)
    assert TITLE in shown(browser, draft, "operators")
    browser.post(f"/drafts/{draft}/submit")
    number = _stored(demo_app, Listing)[-1].id
    told = "Một cách khử màu nước thải dệt nhuộm, đã chạy thử một năm."
    browser.post(f"/listings/{number}/recall")
    browser.post(
        f"/listings/{number}/visibility",
        data={"visibility": "restricted", "teaser": "members", "teaser_text": told},
    )
    draft = _draft_id(browser.post(f"/listings/{number}/edit").location)
    assert told not in shown(browser, draft)
    assert told in shown(browser, draft, "members")


def test_what_has_errors_has_no_preview_yet(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("engineer")
    draft = _draft_id(_begin(browser))
    page = browser.get(f"/drafts/{draft}/check").text
    assert "as soon as what is named above is corrected" in page
    assert "preview-frame" not in page
