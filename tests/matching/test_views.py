from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from techex.listings.tables import Listing
from techex.matching.forms import LONGEST_ADDRESS, LONGEST_SHARED_TEXT, LONGEST_TEXT
from techex.matching.views import underlined
from techex.web import identity

DYE = "We must reduce the colour of textile dyeing wastewater without more sludge, 400 m³ a day"


def links(page: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'href="([^"]*)"', page)]


def titles(page: str) -> list[str]:
    return re.findall(r'<article class="match.*?href="[^"]*"[^>]*>(.*?)</a>', page, flags=re.DOTALL)


def some_need(app: Flask) -> Listing:
    with app.app_context(), identity.database().reading() as session:
        found = session.scalars(select(Listing).where(Listing.kind == "need", Listing.language == "en")).first()
        assert found is not None
        return found


@pytest.mark.parametrize(
    ("code", "words"),
    [("vi", ("Hãy mô tả vấn đề bằng lời của bạn", "nhu cầu đang mở", "Nhu cầu mới nhất")), ("en", ("needs open now",))],
)
def test_the_first_page_says_what_this_is_and_what_is_listed(
    visitor: FlaskClient, code: str, words: tuple[str, ...]
) -> None:
    page = visitor.get("/", headers={"Accept-Language": code}).text
    assert [word for word in words if word not in page] == []
    assert page.count("<h3") == 12
    assert page.count('class="example"') == 3


def test_an_empty_exchange_says_what_would_fill_it(client: FlaskClient) -> None:
    page = client.get("/", headers={"Accept-Language": "en"}).text
    assert "techex demo load" in page
    assert 'class="counts"' not in page


def test_a_described_problem_gets_an_address_that_can_be_shared(visitor: FlaskClient) -> None:
    reply = visitor.post("/matches", data={"text": DYE, "for": "offer"})
    assert reply.status_code == 303
    address = reply.headers["Location"]
    assert parse_qs(urlsplit(address).query)["text"] == [DYE]
    first, again = visitor.get(address).text, visitor.get(address).text
    assert titles(first) == titles(again) != []


def test_each_match_says_why(visitor: FlaskClient) -> None:
    page = visitor.get("/matches", query_string={"text": DYE}).text
    assert "Your words" in page
    assert "Their words" in page
    assert '<mark class="shared">' in page
    assert "Figures</dt><dd>400 m³" in page


def test_a_quote_keeps_its_language(visitor: FlaskClient) -> None:
    page = visitor.get("/matches", query_string={"text": "Phân loại ảnh bằng mạng nơ-ron trong nhà máy"}).text
    assert re.search(r'<blockquote class="quote" lang="vi">', page)
    assert 'lang="vi">Tiếng Việt</span>' in page


def test_a_long_text_stays_in_its_page_and_can_still_be_filtered(visitor: FlaskClient) -> None:
    text = (DYE + ". ") * 30
    assert LONGEST_SHARED_TEXT < len(text) < LONGEST_TEXT
    reply = visitor.post("/matches", data={"text": text})
    assert reply.status_code == 200
    assert 'method="post" action="/matches"' in reply.text
    page = visitor.post("/matches", data={"text": text, "country": ["NL", "VN"], "without": "country=VN"}).text
    assert re.search(r'value="NL"\s+checked', page)
    assert not re.search(r'value="VN"\s+checked', page)
    assert 'name="without" value="country=NL"' in page


def test_an_over_long_text_is_cut_with_a_note(visitor: FlaskClient) -> None:
    page = visitor.post("/matches", data={"text": "sludge " * 1000}).text
    assert "longer than 5,000 characters" in page


def test_a_short_text_in_a_long_script_stays_within_what_addresses_hold(visitor: FlaskClient) -> None:
    reply = visitor.post("/matches", data={"text": "니켈 " * 450})
    assert reply.status_code == 200 or len(reply.headers["Location"]) <= LONGEST_ADDRESS


@pytest.mark.parametrize("text", ["", "   ", "?", "…—·", "\u200b"])
def test_a_search_without_words_shows_what_is_new(visitor: FlaskClient, text: str) -> None:
    reply = visitor.get("/matches", query_string={"text": text})
    assert reply.status_code == 200
    assert "There were no words to search for" in reply.text
    assert "card-listing" in reply.text


@pytest.mark.parametrize(
    "text",
    [
        '" * ( ) : ^ - NEAR AND OR col:x {x}:y',
        "<script>alert(1)</script> sludge",
        "C++ .NET 5G A/B LiFePO₄",
        "so\u0302\u0323 nuoc",
        "ＳＬＵＤＧＥ",
        "🌾 sludge",
        "https://example.org/?q=1&r=2 a@b.example",
        "%s %(x)s {x} {{ 7*7 }}",
    ],
)
def test_odd_texts_are_just_texts(visitor: FlaskClient, text: str) -> None:
    reply = visitor.get("/matches", query_string={"text": text})
    assert reply.status_code == 200
    assert "<script>alert" not in reply.text
    assert ">49<" not in reply.text


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=999999999", "page=x", "trl=0", "trl=99", "trl=٣", "region=NOWHERE", "country=XX",
     "field=999", "lang=xx", "place=VN-00", "place=--", "for=everything", "without=", "without=a=b=c",
     "&".join(f"country={n}" for n in range(1000))],
)  # fmt: skip
def test_a_mistyped_address_still_answers(visitor: FlaskClient, query: str) -> None:
    assert visitor.get(f"/matches?text=sludge+treatment&{query}").status_code == 200


def test_filters_narrow_and_their_chips_take_them_off(visitor: FlaskClient) -> None:
    everything = visitor.get("/matches", query_string={"text": DYE}).text
    address = "/matches?" + "&".join((f"text={DYE}", "country=NL", "trl=6"))
    page = visitor.get(address).text
    assert 0 < len(titles(page)) < len(titles(everything))
    assert "TRL ≥ 6" in page
    off = [link for link in links(page) if "country" not in link and "trl=6" in link]
    assert off
    assert len(titles(visitor.get(off[0]).text)) >= len(titles(page))


def test_filters_that_leave_nothing_say_how_to_go_on(visitor: FlaskClient) -> None:
    page = visitor.get("/matches", query_string={"text": DYE, "country": "FJ"}).text
    assert "Nothing is listed that passes these filters" in page
    assert "Take all filters off" in page


def test_when_nothing_fits_the_page_says_so_and_shows_the_closest(visitor: FlaskClient) -> None:
    text = "wastewater " + " ".join(f"unheard{number}of" for number in range(60))
    page = visitor.get("/matches", query_string={"text": text}).text
    assert "Nothing listed fits. These come closest" in page
    assert "what each of these lacks" in page
    assert titles(page)


def test_pages_go_on_and_back(visitor: FlaskClient) -> None:
    first = visitor.get("/matches", query_string={"text": DYE}).text
    following = next(link for link in links(first) if "page=2" in link)
    second = visitor.get(following).text
    assert set(titles(first)) & set(titles(second)) == set()
    assert any("page=" not in link and link.startswith("/matches?") for link in links(second))


def test_needs_can_be_looked_for_too(visitor: FlaskClient) -> None:
    page = visitor.get("/matches", query_string={"text": DYE, "for": "need"}).text
    assert "Needs for your technology" in page
    assert 'class="match edge-offer"' not in page
    assert 'class="match edge-need"' in page


def test_language_and_place_can_be_corrected(visitor: FlaskClient) -> None:
    page = visitor.get("/matches", query_string={"text": DYE, "lang": "nl", "place": "VN-33"}).text
    assert "Nederlands</dd>" in page
    assert "Hung Yen</dd>" in page
    assert " km</span>" in page


def test_the_matches_of_a_listing_have_an_address_of_their_own(demo_app: Flask, visitor: FlaskClient) -> None:
    need = some_need(demo_app)
    page = visitor.get(f"/matches/{need.id}").text
    assert "Results for this need" in page
    assert "This need" in page
    assert titles(page)
    narrowed = visitor.get(f"/matches/{need.id}?trl=9").text
    assert 'action="/matches/' in narrowed
    assert "TRL ≥ 9" in narrowed


def test_the_matches_of_a_listing_that_is_not_there_are_not_there(visitor: FlaskClient) -> None:
    assert visitor.get("/matches/999999").status_code == 404


def test_without_a_model_a_banner_says_what_search_can_do(visitor: FlaskClient) -> None:
    assert "Search goes by keywords" in visitor.get("/matches", query_string={"text": DYE}).text


def test_shared_notions_are_underlined_and_nothing_else_becomes_markup() -> None:
    shown = underlined("Màu <b>nước</b> thải & màu", ["màu", "nước", "x"])
    assert shown == (
        '<mark class="shared">Màu</mark> &lt;b&gt;<mark class="shared">nước</mark>&lt;/b&gt; thải &amp; '
        '<mark class="shared">màu</mark>'
    )


def test_a_results_page_is_light(visitor: FlaskClient) -> None:
    """At most 150 KB travel for a results page at a first visit, fonts included."""
    taken = 0
    packed = {"Accept-Encoding": "gzip", "Accept-Language": "vi"}
    page = visitor.get("/matches", query_string={"text": DYE}, headers=packed)
    taken += len(page.data)
    html = visitor.get("/matches", query_string={"text": DYE}).text
    assets = [link for link in links(html) if link.startswith("/static/")] + re.findall(r'src="(/static/[^"]*)"', html)
    fonts = [
        f"/static/vendor/be-vietnam-pro@5.3.0/be-vietnam-pro-{subset}-{weight}-normal.woff2"
        for subset in ("latin", "vietnamese")
        for weight in (400, 600)
    ]
    for address in {*assets, *fonts}:
        reply = visitor.get(address, headers=packed, buffered=True)
        assert reply.status_code == 200, address
        taken += len(reply.data)
    assert taken <= 150_000
