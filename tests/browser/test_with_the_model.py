"""The whole of it: default model, real index, real browser. A problem finds its answer in another language."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from techex import paths
from techex.app import create_app
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.embedding.cards import load_card
from techex.embedding.prepare import prepare
from techex.interchange.demo import demo_exchange
from techex.interchange.service import store
from techex.listings.tables import Listing
from techex.matching.views import EXAMPLES
from techex.organisations import service as organisations
from techex.search import service as search
from techex.settings import Settings

# The results that answer the examples of the first page (Chinese, Vietnamese), and every fifth of the others.
ANSWERS = {"vi": "en-o-04", "en": "en-o-61"}
STEP = 5

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def settings(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A part of the demo exchange with the vectors of the default model."""
    folder = tmp_path_factory.mktemp("with-model")
    shutil.copy(migrated, folder / "techex.db")
    settings = Settings(data_dir=folder, database_url="", indexes_dir=folder, secret_key="x", threads=2)
    prepare(load_card(settings.card), paths.CHECKOUT / "models")
    exchange, context = demo_exchange(), Context(COMMAND_LINE, datetime(2026, 11, 21, tzinfo=UTC))
    database = Database(settings.database_address)
    with database.transaction() as session:
        owners = {draft.slug: organisations.upsert(session, context, draft)[0] for draft in exchange.organisations}
        for number, listing in enumerate(exchange.listings):
            if number % STEP == 0 or listing.key in ANSWERS.values():
                store(session, context, owners[listing.organisation], listing.draft)
    search.embed_pending(settings, database)
    database.close()
    return settings


@pytest.fixture(scope="module")
def served(settings: Settings) -> Iterator[str]:
    app = create_app(settings, testing=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["techex.database"].close()


@pytest.mark.parametrize("language", ANSWERS)
def test_an_example_of_the_first_page_finds_its_answer_in_another_language(
    chromium: Browser, served: str, settings: Settings, language: str
) -> None:
    database = Database(settings.database_address)
    with database.reading() as session:
        answer = session.scalars(select(Listing).where(Listing.external_id == ANSWERS[language])).unique().one()
    database.close()
    context = chromium.new_context(base_url=served, locale=language)
    page = context.new_page()
    page.goto("/")
    page.locator("#text").fill(dict(EXAMPLES)[language])
    page.locator("form:has(#text) button").first.click()
    expect(page.locator(".match .card-title a").first).to_have_text(answer.title)
    expect(page.locator(".match").first.locator(".pair")).to_be_visible()
    context.close()
