"""The imports of one's organisations as a list, as a page and as a file."""

from __future__ import annotations

import csv
import io
import re

from flask import Flask

from tests.cast import Browser
from tests.interchange.test_import_views import SignedIn, _columns, _result, _upload, a_table


def _rows(browser: Browser, address: str) -> list[dict[str, str]]:
    reply = browser.get(address)
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def _names(page: str) -> list[str]:
    return re.findall(r'data-line href="/imports/\d+">.*?</span>([^<]+)</a>', page)


def test_imports_are_filtered_sorted_and_taken_along_as_a_file(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    assert "Imports so far" not in browser.get("/imports").text
    first = _upload(browser, a_table([_result(2), _result(3)]), "máy sấy.xlsx").location
    _upload(browser, a_table([_result(2)]), "=1+1.xlsx")
    _columns(browser, first)
    page = browser.get("/imports").text
    assert _names(page) == ["=1+1.xlsx", "máy sấy.xlsx"], "the newest first"
    rows = _rows(browser, "/imports.csv")
    assert [row["Table"] for row in rows] == ["'=1+1.xlsx", "máy sấy.xlsx"]
    assert [row["State"] for row in rows] == ["uploaded", "checked, nothing stored yet"]
    assert (rows[1]["Kind"], rows[1]["Rows"], rows[1]["Organisation"]) == ("Result", "2", "Đại học Phương Nam")
    for asked in ("state=checked", "q=may+say"):
        assert _names(browser.get(f"/imports?{asked}").text) == ["máy sấy.xlsx"]
        assert [row["Table"] for row in _rows(browser, f"/imports.csv?{asked}")] == ["máy sấy.xlsx"]
    assert _names(browser.get("/imports?sort=rows").text)[0] == "máy sấy.xlsx"
    empty = browser.get("/imports?q=zzz").text
    assert "No line is like that" in empty
    assert "Upload and look at the columns" in empty, "the form stays"


def test_the_file_of_imports_holds_nothing_of_other_organisations(demo_app: Flask, signed_in: SignedIn) -> None:
    _upload(signed_in("officer"), a_table([_result(2)]))
    for name in ("engineer", "viewer", "stranger", "operator", "administrator"):
        assert _rows(signed_in(name), "/imports.csv") == [], name
        assert "Imports so far" not in signed_in(name).get("/imports").text
    assert demo_app.test_client().get("/imports.csv").status_code == 403


def test_a_table_that_is_refused_leaves_the_list_on_the_page(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    _upload(browser, a_table([_result(2)]), "gut.xlsx")
    reply = _upload(browser, b"")
    assert reply.status_code == 422
    assert _names(reply.text) == ["gut.xlsx"]
