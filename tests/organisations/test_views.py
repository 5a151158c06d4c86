"""The directory, and the page of an organisation with its needs and results side by side."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from techex.listings.tables import Listing
from techex.organisations.tables import Organisation
from techex.web import identity


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row">\s*<a href="/organisations/([^"]+)"', page)


def test_the_directory_counts_what_each_seeks_and_offers(demo_app: Flask, visitor: FlaskClient) -> None:
    page = visitor.get("/organisations?q=y+sinh+to+lich").text
    assert names(page) == ["ha-noi-to-lich"]
    with demo_app.app_context(), identity.database().reading() as session:
        owner = session.scalars(select(Organisation).where(Organisation.slug == "ha-noi-to-lich")).one()
        kinds = session.scalars(select(Listing.kind).where(Listing.organisation_id == owner.id)).all()
    row = re.search(r"<tr>\s*<th scope=\"row\">.*?</tr>", page, flags=re.DOTALL)
    assert row
    offers = re.search(r'href="/results\?organisation=ha-noi-to-lich".*?(\d+)</a>', row[0], flags=re.DOTALL)
    assert offers
    assert int(offers[1]) == list(kinds).count("offer")


def test_the_directory_is_filtered_and_paged(visitor: FlaskClient) -> None:
    first, second = (names(visitor.get(f"/organisations?page={number}").text) for number in (1, 2))
    assert first
    assert second
    assert set(first) & set(second) == set()
    page = visitor.get("/organisations?org=university&country=VN").text
    assert names(page)
    assert page.count('class="chip"') == 2
    assert "Take all filters off" in visitor.get("/organisations?q=zzzz").text


def test_an_organisation_shows_who_it_is_and_both_sides(visitor: FlaskClient) -> None:
    page = visitor.get("/organisations/ha-noi-to-lich").text
    assert re.search(r"<h1>[^<]*To Lich[^<]*</h1>", page)
    assert "University" in page
    assert 'href="/places/VN-01"' in page
    assert page.index('id="side-need"') < page.index('id="side-offer"')
    assert "It has no need listed now." in page
    assert "illustrative" in page


def test_an_invented_website_is_not_a_link(visitor: FlaskClient) -> None:
    page = visitor.get("/organisations/ha-noi-to-lich").text
    assert ".example" in page
    assert not re.search(r'href="https?://[^"]*\.example', page)


def test_an_unknown_organisation_is_not_there(visitor: FlaskClient) -> None:
    assert visitor.get("/organisations/nobody").status_code == 404


def test_an_empty_directory_says_what_would_fill_it(client: FlaskClient) -> None:
    page = client.get("/organisations", headers={"Accept-Language": "en"}).text
    assert "Organisations come with their listings" in page
