"""What is no table, or has a torn row, is refused in the words of whoever uploaded it."""

from __future__ import annotations

from flask import Flask

from techex.interchange import runs
from techex.settings import Settings
from tests.interchange.test_import_views import SignedIn, _columns, _upload, a_table


def test_what_is_no_table_is_refused_with_a_sentence_and_nothing_is_kept(
    demo_app: Flask, signed_in: SignedIn, settings: Settings
) -> None:
    browser = signed_in("officer")
    for file, sentence in (
        (b"", "at most 5 MB"),
        (b"PK\x03\x04", "damaged"),
        ("id,title\n1,Café\n".encode("cp1252"), "not UTF-8"),
        (a_table([]), "has 0 rows"),
        ("id,title\n1,a".encode("utf-16"), "UTF-16"),
    ):
        reply = _upload(browser, file)
        assert reply.status_code == 422
        assert sentence in reply.text
        assert str(settings.data_dir) not in reply.text
    assert not list((settings.data_dir / runs.FOLDER).glob("*"))


def test_a_file_that_cannot_be_read_is_named_as_its_owner_named_it_in_their_language(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("officer")
    browser.get("/language/vi")
    reply = _upload(browser, "id,title\n1,Café\n".encode("cp1252"), "Kết quả 2026.csv")
    assert reply.status_code == 422
    assert "Kết quả 2026.csv không phải UTF-8" in reply.text


def test_a_row_that_is_torn_is_explained_in_the_language_of_the_page(demo_app: Flask, signed_in: SignedIn) -> None:
    browser = signed_in("officer")
    browser.get("/language/vi")
    table = "Mã số,Tên công nghệ,Tóm tắt\nPN-1,Máy sấy bơm nhiệt cho long nhãn,Máy sấy, giữ màu\n"
    address = _upload(browser, table.encode(), "a.csv").headers["Location"]
    _columns(browser, address)
    assert "có 4 ô trong khi dòng tên cột có 3" in browser.get(address).text
