"""A list leaves as a file: the rows of all its pages, in its order, and no word that its reader may not see."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.listings import list_file, service
from techex.listings.queries import PAGE_SIZE
from techex.listings.rules import Kind, State, Visibility
from techex.listings.tables import ListingGrant
from techex.listings.validation import checked_draft
from techex.organisations.service import get_organisation
from techex.web import identity
from tests.cast import CAST, Browser
from tests.listings.test_views import counted

SUMMARY = "Cần hệ thống sấy giữ màu và mùi của quả, dùng điện mặt trời mái nhà."
SignedIn = Callable[[str], Browser]


def lines(reply: Any) -> list[dict[str, str]]:
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def titles(browser: FlaskClient, address: str = "/needs.csv") -> list[str]:
    return [line["Title"] for line in lines(browser.get(address, headers={"Accept-Language": "en"}))]


@pytest.fixture
def database(app: Flask) -> Database:
    with app.app_context():
        return identity.database()


@pytest.fixture
def post(database: Database, context: Context, signed_in: SignedIn) -> Callable[..., int]:
    signed_in("engineer")  # brings the firm and its people

    def one(words: str, **over: Any) -> int:
        with database.transaction() as session:
            firm = get_organisation(session, CAST["engineer"].organisation)
            draft = checked_draft(
                Kind.NEED,
                {"title": words, "summary": SUMMARY, "fields": ["211"]},
                language="vi",
                country="VN",
                province="33",
            )
            listing = service.post(session, Context(COMMAND_LINE, context.now), firm, draft)
            service.publish(session, Context(COMMAND_LINE, context.now), listing)
            for name, value in over.items():
                setattr(listing, name, value)
            return listing.id

    return one


def test_a_file_holds_the_rows_of_all_pages_in_the_order_and_under_the_filters_of_the_list(
    visitor: FlaskClient,
) -> None:
    whole = lines(visitor.get("/results.csv?sort=title&field=211"))
    page = visitor.get("/results?sort=title&field=211").text
    assert f"{len(whole)} results" in page
    places = [page.index(f'href="{line["Address"].removeprefix("http://localhost")}"') for line in whole[:PAGE_SIZE]]
    assert places == sorted(places)
    assert all("Food and beverage technology" in line["Field"].split(";") for line in whole)
    every = titles(visitor, "/results.csv")
    assert len(every) > PAGE_SIZE
    assert len(set(every)) == len(every)
    assert {line["Title"] for line in whole} < set(every)
    assert titles(visitor, "/results.csv?page=2") == every, "a file has no pages"


def test_a_file_speaks_the_language_of_its_reader(visitor: FlaskClient) -> None:
    reply = visitor.get("/needs.xlsx", headers={"Accept-Language": "vi"})
    assert reply.headers["Content-Disposition"] == "attachment; filename=techex-needs.xlsx"
    head, first = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(reply.data)).active["A1:L2"]]
    assert head[0] == "Tên gọi"
    assert {"Tóm tắt", "Tổ chức", "Minh họa"} < set(head)
    assert first[1] in ("Tiếng Việt", "English")


def test_no_listing_that_is_hidden_from_its_reader_is_in_the_file_nor_moves_what_is(
    app: Flask, post: Callable[..., int], signed_in: SignedIn, client: FlaskClient, database: Database
) -> None:
    for number in range(3):
        post(f"Nhu cầu công khai {number}")
    before = client.get("/needs.csv").data
    hidden = {
        "Nhu cầu của thành viên": {"visibility": Visibility.MEMBERS.value},
        "Nhu cầu hạn chế ở đây": {"visibility": Visibility.RESTRICTED.value},
        "Nhu cầu bị tạm giữ": {"state": State.ON_HOLD.value},
        "Nhu cầu còn là bản nháp": {"state": State.DRAFT.value},
    }
    for title, over in hidden.items():
        post(title, **over)
    for sort in ("", "?sort=title", "?sort=trl", "?sort=deadline"):
        assert not set(hidden) & set(titles(client, f"/needs.csv{sort}"))
    assert client.get("/needs.csv").data == before
    assert set(hidden) & set(titles(signed_in("rival"))) == {"Nhu cầu của thành viên"}
    assert set(hidden) & set(titles(signed_in("operator"))) == {"Nhu cầu của thành viên", "Nhu cầu hạn chế ở đây"}


def test_a_file_names_the_owner_of_an_anonymous_listing_to_those_alone_who_may_know(
    post: Callable[..., int], signed_in: SignedIn, client: FlaskClient, database: Database, context: Context
) -> None:
    number = post("Nhu cầu không nêu tên", anonymous=True)
    with database.reading() as session:
        firm = get_organisation(session, CAST["engineer"].organisation)
        name, slug = firm.name, firm.slug

    def owner(browser: FlaskClient) -> list[str]:
        return [line["Organisation"] for line in lines(browser.get("/needs.csv", headers={"Accept-Language": "en"}))]

    assert owner(client) == owner(signed_in("rival")) == ["Anonymous organisation"]
    assert owner(signed_in("operator")) == owner(signed_in("viewer")) == [name]
    assert lines(client.get(f"/needs.csv?organisation={slug}")) == []
    assert lines(client.get(f"/needs.csv?q={name.split()[0]}&verified=yes")) == []
    rival = signed_in("rival")
    with database.transaction() as session:
        other = get_organisation(session, CAST["rival"].organisation)
        session.add(
            ListingGrant(
                listing_id=number, organisation_id=other.id, introduced=True, granted_at=context.now, granted_by="x"
            )
        )
    assert owner(rival) == [name]


def test_no_cell_of_a_file_comes_alive(post: Callable[..., int], client: FlaskClient) -> None:
    title = '=HYPERLINK("http://x";"y")'
    post("Nhu cầu có công thức", title=title)
    assert titles(client) == ["'" + title]
    cell = load_workbook(io.BytesIO(client.get("/needs.xlsx").data)).active["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (title, "s", True)


def test_a_long_list_says_that_its_file_is_cut(
    post: Callable[..., int], client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        post(f"Nhu cầu công khai {number}")
    said = "The file holds the first 2 in this order"
    assert said not in client.get("/needs", headers={"Accept-Language": "en"}).text
    monkeypatch.setattr(list_file, "MOST_ROWS", 2)
    assert said in client.get("/needs", headers={"Accept-Language": "en"}).text
    assert titles(client, "/needs.csv?sort=title") == ["Nhu cầu công khai 0", "Nhu cầu công khai 1"]


def test_a_file_of_an_organisation_that_is_not_listed_is_no_file(client: FlaskClient) -> None:
    assert (
        client.get("/needs.csv?organisation=nobody").status_code == client.get("/needs?organisation=nobody").status_code
    )
    assert client.get("/needs.csv?organisation=nobody").status_code == 404


def test_a_file_asks_the_database_as_often_for_two_rows_as_for_hundreds(demo_app: Flask, visitor: FlaskClient) -> None:
    asked = []
    for address in ("/results.csv?field=503", "/results.csv"):
        with counted(demo_app) as statements:
            assert visitor.get(address).status_code == 200
        asked.append(len(statements))
    assert asked[0] == asked[1]
