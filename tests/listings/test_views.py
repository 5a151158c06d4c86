"""Lists with filters and counts, and the page of each listing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from techex.listings.queries import PAGE_SIZE
from techex.listings.rules import FIELD_BY_NAME
from techex.listings.tables import Listing
from techex.web import identity


def titles(page: str) -> list[str]:
    return re.findall(r'<article class="card-listing.*?href="[^"]*"[^>]*>(.*?)</a>', page, flags=re.DOTALL)


def tally(page: str, box: str) -> int:
    found = re.search(rf'id="{box}".*?class="tally">([\d,.]+)', page, flags=re.DOTALL)
    assert found, f"no count beside {box}"
    return int(found[1])


def a_listing(app: Flask, *conditions: object) -> Listing:
    with app.app_context(), identity.database().reading() as session:
        found = session.scalars(select(Listing).where(*conditions)).unique().first()  # type: ignore[arg-type]
        assert found is not None
        return found


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that the database of an app is sent."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = app.extensions["techex.database"].engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(("path", "kind"), [("/needs", "need"), ("/results", "offer")])
def test_a_list_shows_a_page_of_its_kind_with_the_count_of_all(
    demo_app: Flask, visitor: FlaskClient, path: str, kind: str
) -> None:
    page = visitor.get(path).text
    assert len(titles(page)) == PAGE_SIZE
    assert f"edge-{'offer' if kind == 'need' else 'need'}" not in page
    with demo_app.app_context(), identity.database().reading() as session:
        total = len(session.scalars(select(Listing.id).where(Listing.kind == kind)).all())
    assert re.search(rf'id="found-title">\s*{total} ', page)


def test_the_count_beside_a_filter_is_what_one_finds_behind_it(visitor: FlaskClient) -> None:
    page = visitor.get("/results").text
    for box, query in (
        ("field-211", "field=211"),
        ("region-SOUTHEAST", "region=SOUTHEAST"),
        ("country-NL", "country=NL"),
        ("ip-granted", "ip=granted"),
        ("org-university", "org=university"),
        ("lang-vi", "lang=vi"),
    ):
        promised = tally(page, box)
        narrowed = visitor.get(f"/results?{query}").text
        assert re.search(rf'id="found-title">\s*{promised} results?', narrowed), query
        assert 'class="chip"' in narrowed


def test_a_chip_takes_its_filter_off(visitor: FlaskClient) -> None:
    page = visitor.get("/needs?country=NL&trl=6&q=water").text
    chips = re.findall(r'class="chip" href="([^"]*)"', page)
    assert [sorted(chip.replace("&amp;", "&").partition("?")[2].split("&")) for chip in chips] == [
        ["country=NL", "trl=6"],
        ["q=water", "trl=6"],
        ["country=NL", "q=water"],
    ]


def test_words_lead_on_to_a_search_by_meaning(visitor: FlaskClient) -> None:
    page = visitor.get("/needs", query_string={"q": "nuoc thai"}).text
    assert titles(page)
    assert "/matches?text=nuoc+thai&amp;for=need" in page


def test_pages_follow_each_other_and_keep_the_filters(visitor: FlaskClient) -> None:
    first = visitor.get("/results?lang=vi&sort=title")
    second = visitor.get("/results?lang=vi&sort=title&page=2")
    assert set(titles(first.text)) & set(titles(second.text)) == set()
    assert re.search(r'rel="next" href="/results\?lang=vi&amp;sort=title&amp;page=2"', first.text)
    assert titles(visitor.get("/results?lang=vi&sort=title&page=9999").text)


def test_a_list_that_a_filter_empties_says_how_to_go_on(visitor: FlaskClient) -> None:
    page = visitor.get("/needs?q=zzzz").text
    assert "Nothing is listed that passes these filters" in page
    assert "Take all filters off" in page


def test_an_empty_list_says_what_would_fill_it(client: FlaskClient) -> None:
    page = client.get("/needs", headers={"Accept-Language": "en"}).text
    assert "Nothing is listed yet" in page
    assert "techex demo load" in page


def test_the_listings_of_one_organisation_can_be_listed(visitor: FlaskClient) -> None:
    page = visitor.get("/results?organisation=ha-noi-to-lich").text
    assert re.search(r'class="chip".*?To Lich', page, flags=re.DOTALL)
    assert visitor.get("/results?organisation=nobody").status_code == 404


def test_a_result_reads_like_a_datasheet(demo_app: Flask, visitor: FlaskClient) -> None:
    listing = a_listing(
        demo_app, Listing.kind == "offer", Listing.language == "vi", Listing.ip_status == "granted", Listing.trl == 8
    )
    page = visitor.get(f"/results/{listing.id}").text
    for name in ("description", "advantages"):
        assert f"<h2>{FIELD_BY_NAME[name].label}</h2>" in page
        assert str(listing.body[name]).split("\n")[0][:40].replace("&", "&amp;").replace('"', "&#34;") in page
    assert f'<h1 lang="vi">{listing.title}</h1>' in page
    assert "TRL 8, Available for demonstration" in re.sub(r"\s+", " ", page)
    assert "Granted" in page
    assert f'href="/organisations/{listing.organisation.slug}"' in page
    assert 'class="matches-of"' in page
    assert "Other results in the same field" in page
    assert "Listed until" in page


def test_a_need_says_until_when_and_for_how_much(demo_app: Flask, visitor: FlaskClient) -> None:
    listing = a_listing(
        demo_app, Listing.kind == "need", Listing.budget_max.is_not(None), Listing.deadline.is_not(None)
    )
    page = visitor.get(f"/needs/{listing.id}").text
    assert re.search(r"<th scope=\"row\">Budget</th>", page)
    assert re.search(r"Deadline</th><td>.*?(days? left|passed)", page, flags=re.DOTALL)
    assert f'<time datetime="{listing.deadline}">' in page


def test_a_need_is_not_at_the_address_of_a_result(demo_app: Flask, visitor: FlaskClient) -> None:
    listing = a_listing(demo_app, Listing.kind == "need")
    assert visitor.get(f"/needs/{listing.id}").status_code == 200
    assert visitor.get(f"/results/{listing.id}").status_code == 404
    assert visitor.get("/needs/999999").status_code == 404


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_demo_listing_has_a_page(demo_app: Flask, visitor: FlaskClient, language: str) -> None:
    with demo_app.app_context(), identity.database().reading() as session:
        rows = session.execute(select(Listing.kind, Listing.id).where(Listing.id % 8 == 0)).all()
    for kind, number in rows:
        folder = "needs" if kind == "need" else "results"
        reply = visitor.get(f"/{folder}/{number}", headers={"Accept-Language": language})
        assert reply.status_code == 200, f"/{folder}/{number}"


@pytest.fixture
def statements(demo_app: Flask, visitor: FlaskClient) -> Callable[[str], int]:
    def count(path: str) -> int:
        with counted(demo_app) as found:
            assert visitor.get(path).status_code == 200
        return len(found)

    return count


def test_a_list_asks_the_database_as_often_for_two_rows_as_for_twenty(
    visitor: FlaskClient, statements: Callable[[str], int]
) -> None:
    few, many = "/needs?country=NL", "/needs"
    assert 2 <= len(titles(visitor.get(few).text)) < len(titles(visitor.get(many).text)) == PAGE_SIZE
    assert statements(few) == statements(many) <= 16
