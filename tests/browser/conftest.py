"""A real browser against a real server. Skipped where Chromium is not installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import make_server

from techex import paths
from techex.app import create_app
from techex.settings import Settings
from tests.cast import sign_in
from tests.matching.second_matcher import WordMatcher

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Milliseconds. A machine that does other work too, or shares its cores, is not a failed test.
WAIT = 90_000
expect.set_options(timeout=20_000)
ARTEFACTS = paths.CHECKOUT / "tests" / "artefacts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed: apt-get install chromium"))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, demo_file: Path) -> Iterator[Flask]:
    """The demo exchange, matched by shared words."""
    data = tmp_path_factory.mktemp("served")
    shutil.copy(demo_file, data / "techex.db")
    matcher = WordMatcher()
    app = create_app(Settings(data_dir=data, database_url="", secret_key=""), testing=True, matcher=lambda: matcher)
    yield app
    app.extensions["techex.database"].close()


@pytest.fixture(scope="session")
def address(served: Flask) -> Iterator[str]:
    """Where the demo exchange is served."""
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


def _is_complaint(message: ConsoleMessage) -> bool:
    """True for an error on the console; that a form was refused (409, 422) is none."""
    return message.type == "error" and not any(f"status of {status}" in message.text for status in (409, 422))


@pytest.fixture
def open_page(chromium: Browser, address: str, served: Flask) -> Iterator[Callable[..., Page]]:
    """`open_page(path, language=, width=, scheme=, script=, person=)`: a page of a fresh visitor, or of the cast.

    The test fails where a page writes an error to the console, asks another host or is refused by its own policy.
    """
    contexts, complaints = [], []

    def opened(
        path: str,
        *,
        language: str = "en",
        width: int = 1280,
        scheme: str = "light",
        script: bool = True,
        person: str = "",
    ) -> Page:
        context = chromium.new_context(
            base_url=address,
            locale=language,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAIT)
        contexts.append(context)
        if person:
            name = served.config["SESSION_COOKIE_NAME"]
            cookie = sign_in(served, person).get_cookie(name)
            assert cookie is not None
            context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith(address) else complaints.append(f"asks {request.url}"),
        )
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
