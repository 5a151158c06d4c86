"""The demo exchange has people to sign in as, and nobody else's exchange has them."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from techex.accounts import demo as demo_people
from techex.accounts.tables import Person
from techex.cli import techex
from techex.core.context import Context
from techex.core.database import Database
from techex.interchange import demo
from techex.settings import Settings
from tests.cast import enter


def enter_as(visitor: FlaskClient, key: str) -> str:
    """Sign in as somebody of the demo with what its pages show; returns the page one arrives at."""
    page = visitor.get("/sign-in?next=/account").text
    person = next(person for person in demo_people.PEOPLE if person.key == key)
    assert person.email in page
    assert person.password in page
    data = {"email": person.email, "password": person.password, "next": "/account"}
    reply = visitor.post("/sign-in", data=data, follow_redirects=True)
    if code := re.search(r'name="code" value="(\d{6})"', reply.text):
        reply = visitor.post("/sign-in/code", data={"code": code[1], "next": "/account"}, follow_redirects=True)
    return reply.text


@pytest.mark.parametrize("key", [person.key for person in demo_people.PEOPLE])
def test_everybody_the_sign_in_page_of_the_demo_names_can_sign_in(visitor: FlaskClient, key: str) -> None:
    person = next(person for person in demo_people.PEOPLE if person.key == key)
    page = enter_as(visitor, key)
    assert "<h1>My account</h1>" in page
    assert person.name in page


def test_the_operator_of_the_demo_can_sign_in_twice_at_once(visitor: FlaskClient, demo_app: Flask) -> None:
    assert "<h1>My account</h1>" in enter_as(visitor, "operator")
    other = demo_app.test_client()
    other.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert "<h1>My account</h1>" in enter_as(other, "operator")


def test_an_exchange_that_is_no_demo_shows_neither_people_nor_letters(client: FlaskClient) -> None:
    page = client.get("/sign-in").text
    assert demo_people.DOMAIN not in page
    assert client.get("/demo/letters").status_code == 404


def test_where_real_people_are_the_demo_brings_nobody(database: Database, context: Context) -> None:
    with database.transaction() as session:
        enter(session, context, "engineer")
    demo.load(database, context)
    with database.reading() as session:
        assert not demo_people.is_demo(session)
        assert session.scalars(select(Person.name)).all() == ["Nguyễn Thị Lan"]


def test_loading_the_demo_twice_changes_nobody(database: Database, context: Context) -> None:
    demo.load(database, context)
    with database.reading() as session:
        before = session.execute(select(Person.id, Person.password_hash)).all()
    demo.load(database, context)
    with database.reading() as session:
        assert session.execute(select(Person.id, Person.password_hash)).all() == before


def test_the_first_real_administrator_ends_the_demo(
    demo_app: Flask, settings: Settings, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_as(visitor, "engineer")
    monkeypatch.setenv("TECHEX_DATA_DIR", str(settings.data_dir))
    done = CliRunner().invoke(techex, ["people", "administrator", "mai@exchange.example", "--name", "Hoàng Mai"])
    assert done.exit_code == 0, done.output
    assert "The demo has ended" in done.output
    assert visitor.get("/account").status_code == 403
    assert demo_people.DOMAIN not in visitor.get("/sign-in").text
    engineer = demo_people.PEOPLE[0]
    data = {"email": engineer.email, "password": engineer.password}
    assert visitor.post("/sign-in", data=data).status_code == 422


def test_nobody_can_change_the_people_of_the_demo_for_the_others(visitor: FlaskClient) -> None:
    enter_as(visitor, "engineer")
    new = "hàng cau bến nước 77"
    old = demo_people.PEOPLE[0].password
    changed = visitor.post("/account/password", data={"current_password": old, "password": new, "password_again": new})
    assert changed.status_code == 403
    assert visitor.post("/account/delete", data={"current_password": old}).status_code == 403
