"""Places: what is sought and offered, where matches lie, what is missing; on a map and in a table that say the same."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from techex.regions.service import province_map, provinces
from techex.web import identity
from tests.cast import sign_in


def part(page: str, start: str, end: str) -> str:
    return page[page.index(start) : page.index(end, page.index(start))]


def test_the_overview_draws_every_province_twice_and_names_each_in_a_table(visitor: FlaskClient) -> None:
    page = visitor.get("/places").text
    assert page.count('class="map"') == 2
    for code in provinces():
        assert page.count(f'href="/places/VN-{code}"') == 3
    assert page.count("<caption>") == 7
    assert re.search(r"Needs come from \d+ of 34 provinces", page)


def test_the_map_and_the_table_say_the_same(visitor: FlaskClient) -> None:
    page = visitor.get("/places").text
    said = dict(re.findall(r'href="/places/(VN-\d\d)" aria-label="[^"]*?: (\d+) results?"', page))
    table = dict(re.findall(r'scope="row"><a href="/places/(VN-\d\d)">.*?</tr>', page, flags=re.DOTALL) and [
        (code, cells[-1])
        for code, rest in re.findall(r'scope="row"><a href="/places/(VN-\d\d)">(.*?)</tr>', page, flags=re.DOTALL)
        if (cells := re.findall(r'>(\d+)<', rest))
    ])  # fmt: skip
    assert said == table
    assert len(said) == 34


def test_an_empty_exchange_still_has_its_map(client: FlaskClient) -> None:
    page = client.get("/places", headers={"Accept-Language": "en"}).text
    assert "No need comes from a province yet" in page
    assert page.count("offer-0") == 35 + sum(len(shape.islands) for shape in province_map().provinces.values())


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/places/VN-01", "Ha Noi"),
        ("/places/VN-92", "Can Tho"),
        ("/places/NL", "Netherlands"),
        ("/places/VN", "Vietnam"),
        ("/places/FJ", "Fiji"),
        ("/regions/RED_RIVER_DELTA", "Red River Delta"),
    ],
)
def test_a_place_shows_needs_left_results_right_and_a_map_between(
    visitor: FlaskClient, path: str, heading: str
) -> None:
    page = visitor.get(path).text
    assert f"<h1>{heading}</h1>" in page
    assert page.index('id="side-need"') < page.index("map-flows") < page.index('id="side-offer"')
    assert "Asked for and not offered here" in page


def test_every_arrow_has_its_row_in_the_table(visitor: FlaskClient) -> None:
    page = visitor.get("/places/VN-01").text
    drawing = part(page, "map-flows", 'class="legend')
    table = part(page, 'id="flows-title"', "</section>")
    in_map = set(re.findall(r'href="/places/([^"]+)"', drawing))
    in_table = set(re.findall(r'href="/places/([^"]+)"', table))
    assert in_map == in_table != set()
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", table, flags=re.DOTALL)
    figures = [re.findall(r">(\d+)<", row)[:2] for row in rows]
    assert drawing.count('class="stroke') == sum(int(a) > 0 for a, _ in figures) + sum(int(b) > 0 for _, b in figures)


def test_a_gap_is_a_field_with_needs_and_without_results(demo_app: Flask, visitor: FlaskClient) -> None:
    from techex.listings import queries
    from techex.regions.rules import Place

    page = visitor.get("/places/VN-01").text
    gaps = set(re.findall(r"/needs\?field=(\d+)&amp;province=01", part(page, 'id="gaps-title"', "</section>")))
    with demo_app.test_request_context(), identity.database().reading() as session:
        counts = queries.counts_by_field(session, identity.context(), [Place("VN", "01")])
    assert gaps == {code for code, count in counts.items() if count.needs and not count.offers}


@pytest.mark.parametrize("path", ["/places/XX", "/places/VN-99", "/places/NL-33", "/places/vn-33-", "/regions/NOWHERE"])
def test_an_unknown_place_is_not_there(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_maps_carry_no_colour_of_their_own(visitor: FlaskClient) -> None:
    for path in ("/places", "/places/VN-01"):
        page = visitor.get(path).text
        assert not re.search(r'\s(?:fill|stroke|style)="', page)


def _file(visitor: FlaskClient, query: str = "") -> list[dict[str, str]]:
    reply = visitor.get(f"/places.csv{query}")
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def test_the_file_of_places_holds_the_counts_of_the_page(visitor: FlaskClient) -> None:
    page, rows = visitor.get("/places").text, _file(visitor)
    shown = [
        (name, *re.findall(r">(\d+)<", cells))
        for name, cells in re.findall(
            r'scope="row"><a href="/places/[^"]+">([^<]+)</a></th>(.*?)</tr>', page, re.DOTALL
        )
    ]
    assert [(row["Place"], row["Needs"], row["Results"]) for row in rows] == shown, "in the order of the page"
    assert [row["Kind"] for row in rows].count("Province") == 34
    assert {row["Region"] for row in rows if row["Kind"] == "Country"} == {""}


def test_places_are_narrowed_and_put_in_another_order_on_the_page_and_in_the_file(visitor: FlaskClient) -> None:
    asked = "?region=SOUTHEAST&sort=needs"
    page, rows = visitor.get(f"/places{asked}").text, _file(visitor, asked)
    assert re.findall(r'data-line href="/places/[^"]+">([^<]+)</a>', page) == [row["Place"] for row in rows]
    assert {row["Region"] for row in rows} == {"Southeast"}
    counts = [int(row["Needs"]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert page.count('class="map"') == 2, "the maps stay whole"
    assert page.count('href="/places/VN-01"') == 2
    assert [row["Place"] for row in _file(visitor, "?q=ha+noi")] == ["Ha Noi"]
    assert {row["Kind"] for row in _file(visitor, "?what=country")} == {"Country"}
    assert "No line is like that" in visitor.get("/places?q=zzz").text
    assert 'rel="next"' in visitor.get("/places?sort=name").text


def test_the_file_of_places_counts_for_each_reader_what_they_may_see(demo_app: Flask, visitor: FlaskClient) -> None:
    from techex.listings.tables import Listing

    def results(client: FlaskClient) -> int:
        return sum(int(row["Results"]) for row in _file(client, "?what=province"))

    member, before = sign_in(demo_app, "rival"), results(visitor)
    assert results(member) >= before
    with demo_app.app_context(), identity.database().transaction() as session:
        query = select(Listing).where(
            Listing.kind == "offer",
            Listing.state == "published",
            Listing.visibility == "public",
            Listing.country == "VN",
        )
        session.scalars(query.where(Listing.province.is_not(None)).limit(1)).one().visibility = "members"
    seen = results(member)
    assert results(visitor) == before - 1
    assert seen >= before, "a member of a verified organisation still sees it"
