from __future__ import annotations

from datetime import date, timedelta

import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from flask.testing import FlaskClient

from techex.translations import update
from techex.translations.build import compile_catalogues
from techex.web import identity, language


def test_the_browser_chooses_the_language_until_the_reader_does(client: FlaskClient) -> None:
    assert '<html lang="en">' in client.get("/", headers={"Accept-Language": "en-GB,vi;q=0.5"}).text
    assert '<html lang="vi">' in client.get("/", headers={"Accept-Language": "fr"}).text
    client.get("/language/en")
    assert '<html lang="en">' in client.get("/", headers={"Accept-Language": "vi"}).text


def test_switching_the_language_stays_on_the_page(visitor: FlaskClient) -> None:
    page = visitor.get("/matches?text=a+b&for=need", headers={"Accept-Language": "en"}).text
    link = page.split('lang="vi" hreflang')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    reply = visitor.get(link)
    assert reply.status_code == 303
    assert reply.headers["Location"] == "/matches?text=a+b&for=need"
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y", "evil", ""],
)
def test_the_language_switch_leads_nowhere_else(client: FlaskClient, elsewhere: str) -> None:
    reply = client.get("/language/vi", query_string={"next": elsewhere})
    assert reply.headers["Location"] == "/"


def test_a_language_without_pages_is_not_there(client: FlaskClient) -> None:
    assert client.get("/language/xx").status_code == 404


@pytest.fixture(scope="module")
def extracted() -> Catalog:
    return update.extract()


@pytest.mark.parametrize("code", update.LANGUAGES)
def test_every_message_has_its_translation(code: str, extracted: Catalog) -> None:
    """Fails where a new sentence has no Vietnamese yet: `python -m techex.translations.update` lists them."""
    wanted = {message.id for message in extracted if message.id}
    catalogue = update.read(code)
    assert wanted - {message.id for message in catalogue if message.id} == set()
    assert {message.id for message in catalogue if message.id} - wanted == set(), "messages that nobody uses"
    assert update.untranslated(catalogue) == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


@pytest.mark.parametrize("code", update.LANGUAGES)
def test_translations_keep_their_places_to_fill_in(code: str) -> None:
    wrong = []
    for message in update.read(code):
        if not message.id:
            continue
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        translations = message.string if isinstance(message.string, tuple) else (message.string,)
        for translation in translations:
            places = set(update.PLACES.findall(originals[-1]))
            if set(update.PLACES.findall(translation)) != places:
                wrong.append((originals, translation))
    assert wrong == []


def test_a_changed_catalogue_is_compiled_and_an_unchanged_one_left(tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "vi" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_bytes(update.catalogue_path("vi").read_bytes())
    assert compile_catalogues(tmp_path) == [folder / "messages.mo"]
    assert compile_catalogues(tmp_path) == []
    assert [path.name for path in folder.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize(
    ("code", "number", "dong", "euro", "day"),
    [
        ("vi", "1.234.567,5", "250.000.000\xa0₫", "1.234,50\xa0€", "21 tháng 11, 2026"),
        ("en", "1,234,567.5", "₫250,000,000", "€1,234.50", "November 21, 2026"),
    ],
)
def test_numbers_dates_and_money_are_written_as_the_reader_does(
    app: Flask, code: str, number: str, dong: str, euro: str, day: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": code}):
        assert language.number(1234567.5) == number
        assert language.money(250_000_000, "VND") == dong
        assert language.money(1234.5, "EUR") == euro
        assert day in language.day(date(2026, 11, 21))


def test_a_recent_moment_is_told_in_words_with_the_exact_one_beside(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        now = identity.context().now
        shown = language.ago(now - timedelta(days=3))
        assert "3 ngày trước" in shown
        assert 'title="' in shown
        assert "trước" not in language.ago(now - timedelta(days=90))


def test_what_acts_and_is_no_person_is_called_in_the_language_of_the_page(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        assert not set(map(language.who, language.ACTORS)) & set(language.ACTORS)
        assert language.who("demo exchange") == "sàn minh họa"
        assert language.who("Lê Minh Châu") == "Lê Minh Châu"


def test_commands_in_a_sentence_are_marked_up_and_nothing_else_is() -> None:
    assert language.commands("Run `techex import <file>` now.") == "Run <code>techex import &lt;file&gt;</code> now."
    assert language.commands("<b>` alone") == "&lt;b&gt;` alone"
