"""Pair pages and "why not": without scripts, in both languages, and nothing told about what is hidden."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from techex.core.context import COMMAND_LINE, Context
from techex.listings import service as listings
from techex.listings.tables import Listing
from techex.matching.forms import LONGEST_SHARED_TEXT
from techex.matching.pair_views import _number, say
from techex.matching.table import GAP, Message
from techex.web import identity
from tests.conftest import NOW
from tests.matching.test_views import DYE, some_need

PAIR = re.compile(r'href="(/pairs/[^"]*)"')
ABSENT = "No listing with this number is open to you"


def first_pair(visitor: FlaskClient, address: str) -> str:
    found = PAIR.search(visitor.get(address).text)
    assert found is not None
    return unescape(found.group(1))


def hide(app: Flask, listing_id: int) -> None:
    with app.app_context(), identity.database().transaction() as session:
        listings.withdraw(session, Context(COMMAND_LINE, NOW), session.get_one(Listing, listing_id))


def numbers(address: str) -> tuple[int, int]:
    need, offer = re.findall(r"\d+", address)
    return int(need), int(offer)


def test_a_card_leads_to_both_sides_and_their_evidence(demo_app: Flask, visitor: FlaskClient) -> None:
    page = visitor.get(first_pair(visitor, f"/matches/{some_need(demo_app).id}")).text
    for words in ("Requirement by requirement", "Facts of both sides", "What speaks for this pair", "Holds?"):
        assert words in page
    assert page.count('<article class="pair-side') == 2
    assert re.search(r'<th scope="row"><span lang="\w\w">', page)
    assert re.search(r'<blockquote class="quote" lang="\w\w">', page)


def test_a_pair_reads_in_vietnamese(demo_app: Flask, visitor: FlaskClient) -> None:
    address = first_pair(visitor, f"/matches/{some_need(demo_app).id}")
    page = visitor.get(address, headers={"Accept-Language": "vi"}).text
    assert "Nhu cầu và kết quả đặt cạnh nhau" in page
    assert "Đối chiếu từng yêu cầu" in page


def test_the_strength_of_a_pair_is_that_of_the_list_it_was_opened_from(demo_app: Flask, visitor: FlaskClient) -> None:
    with demo_app.app_context(), identity.database().reading() as session:
        offer = session.scalars(select(Listing).where(Listing.kind == "offer")).first()
        assert offer is not None
        page = visitor.get(f"/matches/{offer.id}").text
    card = re.search(r'strength-number">(\d+)<', page)
    address = unescape(next(iter(PAIR.findall(page))))
    assert "from=offer" in address
    pair = re.search(r'strength-number">(\d+)<', visitor.get(address).text)
    assert card is not None
    assert pair is not None
    assert card.group(1) == pair.group(1)


def test_a_pair_with_one_side_hidden_is_not_there(demo_app: Flask, visitor: FlaskClient) -> None:
    address = first_pair(visitor, f"/matches/{some_need(demo_app).id}")
    need, offer = numbers(address)
    assert visitor.get(f"/pairs/{offer}/{need}").status_code == 404
    assert visitor.get(f"/pairs/{need}/999999").status_code == 404
    hide(demo_app, offer)
    assert visitor.get(address).status_code == 404


def test_the_words_of_a_search_have_a_pair_page(visitor: FlaskClient) -> None:
    address = first_pair(visitor, f"/matches?text={DYE}")
    assert address.startswith("/pairs/text/")
    page = visitor.get(address).text
    assert "Your words" in page
    assert DYE.split(",", maxsplit=1)[0] in page


def test_a_text_too_long_for_an_address_is_sent_by_a_button(visitor: FlaskClient) -> None:
    text = (DYE + ". ") * 30
    assert len(text) > LONGEST_SHARED_TEXT
    page = visitor.post("/matches", data={"text": text}).text
    action = re.search(r'formaction="(/pairs/text/\d+)"', page)
    assert action is not None
    assert "Requirement by requirement" in visitor.post(action.group(1), data={"text": text}).text
    assert 'method="post" action="/matches/why"' in page
    assert "Which one do you mean?" in visitor.post("/matches/why", data={"text": text, "other": "nuoc"}).text


def test_a_pair_page_without_words_goes_to_the_listing(demo_app: Flask, visitor: FlaskClient) -> None:
    need = some_need(demo_app)
    assert visitor.get(f"/pairs/text/{need.id}?text=...").headers["Location"] == f"/needs/{need.id}"


def test_a_page_of_matches_asks_what_is_missing(demo_app: Flask, visitor: FlaskClient) -> None:
    need = some_need(demo_app)
    for address in (f"/matches/{need.id}?trl=9", f"/needs/{need.id}"):
        page = visitor.get(address).text
        assert f'action="/matches/{need.id}/why"' in page
    assert '<input type="hidden" name="trl" value="9">' in visitor.get(f"/matches/{need.id}?trl=9").text


def test_what_is_listed_is_said_to_be_listed(demo_app: Flask, visitor: FlaskClient) -> None:
    need, offer = numbers(first_pair(visitor, f"/matches/{some_need(demo_app).id}"))
    page = visitor.get(f"/matches/{need}/why?other=https://x.example/results/{offer}?lang=vi").text
    assert "It is in the list" in page
    assert "Place 1 of" in page


def test_a_filter_that_leaves_it_out_is_named(demo_app: Flask, visitor: FlaskClient) -> None:
    need, offer = numbers(first_pair(visitor, f"/matches/{some_need(demo_app).id}"))
    page = visitor.get(f"/matches/{need}/why?other={offer}&country=FJ&country=NL").text
    assert "A filter leaves it out" in page
    assert "<b>Fiji, Netherlands</b>" in page
    assert "See the list without filters" in page


def test_below_the_mark_the_nearest_gap_or_what_is_open_is_said(demo_app: Flask, visitor: FlaskClient) -> None:
    need = some_need(demo_app)
    with demo_app.app_context(), identity.database().reading() as session:
        offers = session.scalars(select(Listing.id).where(Listing.kind == "offer")).all()
    pages = (visitor.get(f"/matches/{need.id}/why?other={offer}").text for offer in offers)
    page = next(page for page in pages if "It is below the mark" in page)
    assert "Nearest gap:" in page or "Point by point:" in page
    assert "usual here" in page


def test_another_need_is_not_matched_with_a_need(demo_app: Flask, visitor: FlaskClient) -> None:
    need = some_need(demo_app)
    page = visitor.get(f"/matches/{need.id}/why?other={need.id}").text
    assert "Both are of the same kind" in page


def test_what_is_hidden_and_what_is_absent_get_the_same_page(demo_app: Flask, visitor: FlaskClient) -> None:
    need, offer = numbers(first_pair(visitor, f"/matches/{some_need(demo_app).id}"))
    hide(demo_app, offer)
    hidden = visitor.get(f"/matches/{need}/why?other={offer}").text
    absent = visitor.get(f"/matches/{need}/why?other=999999").text
    assert ABSENT in hidden
    assert hidden.replace(str(offer), "N") == absent.replace("999999", "N")


def test_words_offer_listings_to_choose_from(demo_app: Flask, visitor: FlaskClient) -> None:
    need = some_need(demo_app)
    page = visitor.get(f"/matches/{need.id}/why?other=nuoc&trl=6").text
    assert "Which one do you mean?" in page
    chosen = re.search(r'href="(/matches/\d+/why\?[^"]*other=\d+[^"]*)"', page)
    assert chosen is not None
    assert "trl=6" in chosen.group(1)
    assert visitor.get(unescape(chosen.group(1))).status_code == 200


@pytest.mark.parametrize(
    ("named", "number"),
    [
        ("https://x.example/results/120", 120),
        ("/needs/7?a=1", 7),
        ("120", 120),
        ("No. 120", 120),
        ("số 45", 45),
        ("results", None),
        ("TRL 6 dryer", None),
        ("/results/1234567890123", None),
        ("", None),
    ],
)
def test_an_address_or_a_number_names_a_listing_and_words_do_not(named: str, number: int | None) -> None:
    assert _number(named) == number


def test_a_message_says_in_which_language_the_words_of_each_side_are(demo_app: Flask) -> None:
    message = Message(GAP, {"offered": "60 °C <b>", "asked": "ít nhất 80 °C"})
    with demo_app.test_request_context(headers={"Accept-Language": "en"}):
        assert say(message, asked="vi") == '60 °C &lt;b&gt; where <span lang="vi">ít nhất 80 °C</span> is asked'


@pytest.mark.parametrize("other", ["<script>alert(1)</script>", "%", "{{ 7*7 }}", "0", "-1", "٣"])
def test_odd_names_of_a_listing_are_just_words(demo_app: Flask, visitor: FlaskClient, other: str) -> None:
    reply = visitor.get(f"/matches/{some_need(demo_app).id}/why", query_string={"other": other})
    assert reply.status_code == 200
    assert "<script>alert" not in reply.text
