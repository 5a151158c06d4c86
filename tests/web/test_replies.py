from __future__ import annotations

import gzip

from flask import Flask, url_for
from flask.testing import FlaskClient

from techex.web import replies


def test_texts_travel_compressed_to_those_who_can_read_it(client: FlaskClient) -> None:
    packed = client.get("/static/site.css", buffered=True, headers={"Accept-Encoding": "gzip"})
    plain = client.get("/static/site.css", buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_fonts_are_left_as_they_are(client: FlaskClient) -> None:
    path = "/static/vendor/be-vietnam-pro@5.3.0/be-vietnam-pro-latin-400-normal.woff2"
    assert "Content-Encoding" not in client.get(path, buffered=True, headers={"Accept-Encoding": "gzip"}).headers


def test_assets_are_kept_for_a_year_and_pages_are_asked_for_again(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    address = page.text.split('rel="stylesheet" href="')[3].split('"')[0]
    assert "?v=" in address
    assert "immutable" in client.get(address, buffered=True).headers["Cache-Control"]
    assert "immutable" not in client.get(address.split("?")[0], buffered=True).headers["Cache-Control"]


def test_an_unchanged_asset_is_not_sent_twice(client: FlaskClient) -> None:
    first = client.get("/static/site.css", buffered=True)
    again = client.get("/static/site.css", buffered=True, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_an_address_with_a_query_is_that_of_the_framework(app: Flask) -> None:
    query = {"text": "Xử lý nước: 80 °C & 5 m³/h? 'a'+b/c~d$(e)*", "field": ["201", "4 ü"], "page": 2, "lang": "vi"}
    with app.test_request_context("/"):
        assert replies.address("matching.search", query) == url_for("matching.search", **query)
        assert replies.address("matching.search", {}) == url_for("matching.search")
        known = replies.address("matching.text_pair", query, listing_id=7)
        assert known == url_for("matching.text_pair", listing_id=7, **query)
