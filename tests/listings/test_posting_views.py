"""Writing a listing in the browser: drafts that keep what was typed, advice, files, submission, further languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from techex.core.context import COMMAND_LINE, Context
from techex.listings.posting_tables import Attachment, SavedDraft
from techex.listings.rules import Kind
from techex.listings.service import publish
from techex.listings.steps import STEPS
from techex.listings.tables import Listing
from techex.web import identity
from tests.cast import Browser
from tests.listings.test_attachments import a_pdf, a_picture

SignedIn = Callable[[str], Browser]

TITLE = "Khử màu 400 m³ nước thải dệt nhuộm mỗi ngày"
SUMMARY = "Xưởng nhuộm thải 400 m³ mỗi ngày, độ màu còn 300 Pt-Co sau bể sinh học, cần xuống dưới 50 Pt-Co."


def _begin(browser: Browser, kind: str = "need", organisation: str = "det-may-song-hong") -> str:
    reply = browser.post("/post", data={"kind": kind, "organisation": organisation})
    assert reply.status_code == 303, reply.text
    return str(reply.location)


def _draft_id(address: str) -> int:
    found = re.search(r"/drafts/(\d+)/", address)
    assert found
    return int(found.group(1))


def _fill(browser: Browser, address: str, **values: Any) -> Any:
    return browser.post(address, data={"language": "vi", "title": TITLE, "summary": SUMMARY, "go": "next"} | values)


def _stored(app: Flask, table: type[Any]) -> list[Any]:
    with app.app_context(), identity.database().reading() as session:
        return list(session.scalars(select(table).order_by(table.id)).unique())


def test_a_viewer_and_a_stranger_write_nothing(demo_app: Flask, signed_in: SignedIn) -> None:
    signed_in("engineer")
    assert "belongs to none yet" in signed_in("stranger").get("/post").text
    for name in ("viewer", "stranger", "rival"):
        reply = signed_in(name).post("/post", data={"kind": "need", "organisation": "det-may-song-hong"})
        assert reply.status_code == 403, name
    assert _stored(demo_app, SavedDraft) == []


def test_what_one_types_is_kept_and_colleagues_may_go_on_with_it(demo_app: Flask, signed_in: SignedIn) -> None:
    address = _begin(signed_in("engineer"))
    reply = signed_in("engineer").post(address, data={"language": "vi", "title": "Khử màu"})
    assert reply.status_code == 303
    assert reply.location == address
    page = signed_in("editor").get(address).text
    assert 'value="Khử màu"' in page
    assert "of 100 complete" in page
    for name in ("viewer", "rival", "operator", "administrator", "stranger"):
        assert signed_in(name).get(address).status_code == 404, name


def test_an_error_stands_beside_its_field_in_the_readers_language_with_what_was_typed(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "vi"
    browser.set_cookie("lang", "vi")
    reply = _fill(browser, address, title="ngắn")
    assert reply.status_code == 422
    assert 'value="ngắn"' in reply.text
    assert "Tên gọi: có 4 ký tự; cần từ 10 đến 160. Hãy viết thêm." in reply.text
    assert 'aria-invalid="true"' in reply.text
    assert _fill(browser, address).status_code == 303


def test_each_step_of_both_kinds_opens_and_leads_to_the_next(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("engineer")
    for kind in Kind:
        draft = _draft_id(_begin(browser, kind.value))
        for step in STEPS[kind]:
            page = browser.get(f"/drafts/{draft}/{step.name}")
            assert page.status_code == 200, step.name
            assert browser.get(f"/drafts/{draft}/{step.name}?checked=1").status_code == 200
            for name in step.fields:
                assert f'name="{name}"' in page.text, (step.name, name)
        assert browser.get(f"/drafts/{draft}/elsewhere").status_code == 404


def test_a_draft_with_errors_cannot_be_submitted_and_the_check_leads_to_each_field(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    draft = _draft_id(_begin(browser))
    browser.post(f"/drafts/{draft}/terms", data={"trl": "5", "budget_max": "1.000,50", "transfer_forms": "assignment"})
    page = browser.get(f"/drafts/{draft}/check").text
    assert f"/drafts/{draft}/need?checked=1#f-title" in page
    assert f"/drafts/{draft}/terms?checked=1#f-budget_max" in page
    reply = browser.post(f"/drafts/{draft}/submit")
    assert reply.status_code == 422
    assert "Correct what is named below first." in reply.text
    assert len(_stored(demo_app, SavedDraft)) == 1


def test_a_whole_draft_becomes_a_listing_that_waits_for_its_review(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    _fill(browser, address)
    browser.post(f"/drafts/{draft}/terms", data={"trl": "6", "transfer_forms": ["assignment", "joint_research"]})
    browser.post(f"/drafts/{draft}/place", data={"place": "VN-33", "fields": ["207", "", ""], "sdg": ["6", "12"]})
    browser.post(f"/drafts/{draft}/readers", data={"visibility": "members", "contact": "Lan, 0912 345 678"})
    reply = browser.post(f"/drafts/{draft}/submit")
    assert reply.status_code == 303, reply.text
    listing = _stored(demo_app, Listing)[-1]
    assert (listing.title, listing.state, listing.visibility) == (TITLE, "submitted", "members")
    assert (listing.trl, listing.fields, listing.province) == (6, ["207"], "33")
    assert listing.transfer_forms == ["assignment", "joint_research"]
    assert listing.body["sdg"] == [6, 12]
    assert _stored(demo_app, SavedDraft) == []
    assert browser.get(reply.location).status_code == 200


def test_an_anonymous_listing_that_names_its_owner_is_held_back_until_it_does_not(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    _fill(browser, address, summary=SUMMARY + " Liên hệ chị Lan, Dệt may Sông Hồng, lan@song-hong.example")
    browser.post(f"/drafts/{draft}/readers", data={"visibility": "public", "anonymous": "1"})
    page = browser.get(f"/drafts/{draft}/check").text
    assert "gives away whose listing it is" in page
    for excerpt in ("chị Lan", "Sông Hồng", "lan@song-hong.example"):
        assert excerpt in page
    assert browser.post(f"/drafts/{draft}/submit").status_code == 422
    _fill(browser, address)
    reply = browser.post(f"/drafts/{draft}/submit")
    assert reply.status_code == 303
    listing = _stored(demo_app, Listing)[-1]
    assert listing.anonymous
    assert "Sông Hồng" not in demo_app.test_client().get(reply.location).text


def test_a_copy_of_what_is_listed_is_pointed_out_before_it_is_submitted(demo_app: Flask, signed_in: SignedIn) -> None:
    listed = next(one for one in _stored(demo_app, Listing) if one.is_need and one.language == "vi")
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    _fill(browser, address, title=listed.title, summary=listed.summary)
    texts = {name: listed.body.get(name, "") for name in ("problem", "required_result", "tried", "constraints")}
    browser.post(f"/drafts/{draft}/problem", data=texts)
    page = browser.get(f"/drafts/{draft}/check").text
    assert "looks like what is listed already" in page
    assert f"/needs/{listed.id}" in page


def test_matches_change_while_one_writes_and_are_a_page_of_their_own_without_scripts(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    assert "appear here as you write" in browser.get(f"/drafts/{draft}/matches").text
    reply = _fill(browser, address, go="matches")
    assert reply.location == f"/drafts/{draft}/matches?step=need"
    page = browser.get(reply.location).text
    assert 'id="draft-matches"' in page
    assert page.count("/results/") > 1
    assert f'hx-get="{reply.location}"' in browser.get(address).text


def test_texts_in_further_languages_are_kept_with_their_origin_and_published_with_the_listing(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    _fill(browser, address)
    reply = browser.post(f"/drafts/{draft}/readers", data={"go": "add_language", "add_language": "en"})
    assert reply.location == f"/drafts/{draft}/language/en"
    english = {"origin": "author", "title": "Colour", "summary": SUMMARY}
    wrong = browser.post(reply.location, data=english | {"go": "done"})
    assert wrong.status_code == 422
    assert "has 6 characters" in wrong.text
    done = browser.post(
        reply.location, data=english | {"title": "Removing colour from dyeing waste water", "go": "done"}
    )
    assert done.location == f"/drafts/{draft}/readers"
    assert browser.post(f"/drafts/{draft}/submit").status_code == 303
    listing = _stored(demo_app, Listing)[-1]
    assert listing.translations["en"]["origin"] == "author"
    assert "removing colour" in listing.keywords


def _add(browser: Browser, draft: int, content: bytes, name: str) -> Any:
    return browser.post(
        f"/drafts/{draft}/files", data={"file": (BytesIO(content), name)}, content_type="multipart/form-data"
    )


def test_a_file_is_cleaned_kept_and_handed_out_as_a_download_to_who_may_read_the_listing(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    _fill(browser, address)
    assert _add(browser, draft, a_pdf(), "Sơ đồ Sông Hồng.pdf").status_code == 303
    assert _add(browser, draft, a_picture(), "ảnh.png").status_code == 303
    refused = _add(browser, draft, b"<svg/>", "a.png")
    assert refused.status_code == 422
    assert "whatever its name says" in refused.text
    first, second = (file.id for file in _stored(demo_app, Attachment))
    page = browser.get(f"/drafts/{draft}/readers").text
    assert "Sơ đồ Sông Hồng.pdf" in page
    assert "ảnh.jpg" in page  # named by what it is

    reply = browser.get(f"/attachments/{first}")
    assert reply.status_code == 200
    assert reply.headers["Content-Disposition"].startswith("attachment;")
    assert reply.content_type == "application/pdf"
    for name in ("rival", "viewer", "stranger"):
        assert signed_in(name).get(f"/attachments/{first}").status_code == 404, name
    assert demo_app.test_client().get(f"/attachments/{first}").status_code == 404

    assert browser.post(f"/drafts/{draft}/submit").status_code == 303
    with demo_app.app_context(), identity.database().transaction() as session:
        publish(session, Context(COMMAND_LINE), session.get(Listing, _stored(demo_app, Listing)[-1].id))
    assert demo_app.test_client().get(f"/attachments/{second}").status_code == 200
    assert demo_app.test_client().get("/attachments/999999").status_code == 404


def test_the_files_of_an_anonymous_listing_do_not_bear_the_names_their_owner_gave_them(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    draft = _draft_id(address)
    _fill(browser, address)
    browser.post(f"/drafts/{draft}/readers", data={"visibility": "public", "anonymous": "1"})
    _add(browser, draft, a_pdf(), "Dệt may Sông Hồng.pdf")
    assert "is a file name that names your organisation" in browser.get(f"/drafts/{draft}/check").text
    file = _stored(demo_app, Attachment)[0].id
    assert browser.post(f"/drafts/{draft}/files/{file}/remove").status_code == 303
    _add(browser, draft, a_pdf(), "quy trình ở xưởng chúng tôi.pdf")
    file = _stored(demo_app, Attachment)[0].id
    assert browser.post(f"/drafts/{draft}/submit").status_code == 303
    with demo_app.app_context(), identity.database().transaction() as session:
        publish(session, Context(COMMAND_LINE), session.get(Listing, _stored(demo_app, Listing)[-1].id))
    named = demo_app.test_client().get(f"/attachments/{file}").headers["Content-Disposition"]
    assert f"attachment-{file}.pdf" in named


def test_a_published_listing_is_changed_through_a_draft_and_stands_until_it_is_accepted(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    _fill(browser, address)
    browser.post(f"/drafts/{_draft_id(address)}/submit")
    number = _stored(demo_app, Listing)[-1].id
    with demo_app.app_context(), identity.database().transaction() as session:
        publish(session, Context(COMMAND_LINE), session.get(Listing, number))
    assert browser.get(f"/listings/{number}/edit").status_code == 200
    assert signed_in("rival").post(f"/listings/{number}/edit").status_code == 403
    draft = _draft_id(browser.post(f"/listings/{number}/edit").location)
    assert f'value="{TITLE}"' in browser.get(f"/drafts/{draft}/need").text
    again = browser.post(f"/listings/{number}/edit").location
    assert _draft_id(again) == draft  # the one that was begun
    browser.post(f"/drafts/{draft}/need", data={"language": "vi", "title": TITLE + ", rẻ", "summary": SUMMARY})
    assert browser.post(f"/drafts/{draft}/submit").status_code == 303
    assert _stored(demo_app, Listing)[-1].title == TITLE


def test_rewriting_the_texts_of_a_restricted_listing_shows_it_to_nobody_else(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    _fill(browser, address)
    browser.post(f"/drafts/{_draft_id(address)}/readers", data={"visibility": "restricted", "anonymous": "1"})
    browser.post(f"/drafts/{_draft_id(address)}/submit")
    number = _stored(demo_app, Listing)[-1].id
    browser.post(f"/listings/{number}/recall")
    draft = _draft_id(browser.post(f"/listings/{number}/edit").location)
    browser.post(f"/drafts/{draft}/need", data={"language": "vi", "title": TITLE + ", rẻ", "summary": SUMMARY})
    # That part of the form is disabled where a listing is there, so a browser sends none of it.
    browser.post(f"/drafts/{draft}/readers", data={"contact": "Lan", "go": "next"})
    assert browser.post(f"/drafts/{draft}/submit").status_code == 303
    listing = _stored(demo_app, Listing)[-1]
    assert (listing.title, listing.visibility, listing.anonymous) == (TITLE + ", rẻ", "restricted", True)


def test_a_draft_can_be_thrown_away_with_its_files(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("engineer")
    draft = _draft_id(_begin(browser))
    _add(browser, draft, a_pdf(), "a.pdf")
    assert signed_in("rival").post(f"/drafts/{draft}/discard").status_code == 404
    assert browser.post(f"/drafts/{draft}/discard").status_code == 303
    assert _stored(demo_app, SavedDraft) == []
    assert _stored(demo_app, Attachment) == []


UNREADABLE = ["a\x00b" * 5, "‮" + TITLE, "🙂" * 20, "e\u0301\u0301\u0301\u0301\u0301\u0301" * 9]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_not_text_is_refused_beside_its_field_and_never_breaks_a_page(
    demo_app: Flask, signed_in: SignedIn, text: str
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    assert _fill(browser, address, title=text).status_code == 422
    for page in (
        address,
        f"{address}?checked=1",
        address.replace("/need", "/check"),
        address.replace("/need", "/matches"),
    ):
        assert browser.get(page).status_code == 200, page


def test_a_draft_beyond_all_limits_is_refused_whole(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    assert _fill(browser, address, title="a" * 200_000).status_code == 422
    assert _stored(demo_app, SavedDraft)[0].values.get("title") is None
