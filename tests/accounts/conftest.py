"""What people do with accounts, as functions: read the last letter, register, sign in with what they know."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from techex.core.database import Database
from techex.core.mail import Letter
from tests.cast import CAST, PASSWORD, Browser, person_of

ReadLetter = Callable[[str], Letter]


def link_in(letter: Letter) -> str:
    """The path of the link in a letter."""
    found = re.search(r"https?://[^/\s]+(/\S*)", letter.text)
    assert found, letter.text
    return found[1]


def try_password(browser: Browser, email: str, password: str, **values: object) -> TestResponse:
    """Type an address and a password."""
    return browser.post("/sign-in", data={"email": email, "password": password}, **values)


@pytest.fixture
def last_letter(app: Flask, database: Database) -> ReadLetter:
    """The letter that an address got last."""

    def read(to: str) -> Letter:
        with database.reading() as session:
            letter = session.scalar(select(Letter).where(Letter.recipient == to).order_by(Letter.id.desc()).limit(1))
            assert letter is not None, f"nothing was written to {to}"
            return letter

    return read


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser of somebody new, who reads English."""
    made = Browser(app, app.response_class, use_cookies=True)
    made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return made


@pytest.fixture
def typed_in(browser: Browser, database: Database) -> Callable[[str], Browser]:
    """`typed_in("engineer")`: one of the cast signs in by the pages, with address and password."""

    def sign_in(name: str) -> Browser:
        with database.transaction() as session:
            person_of(session, name)
        assert try_password(browser, CAST[name].email, PASSWORD).status_code == 303
        return browser

    return sign_in
