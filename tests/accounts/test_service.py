"""The verbs of accounts on both databases, without a page."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from techex.accounts import links, passwords, service, sessions
from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import Conflict, NotFound
from tests.conftest import NOW

CONTEXT = Context(ANONYMOUS, NOW)
LAN = checked_address("lan@firm.example")


def address_of(endpoint: str, **values: str) -> str:
    return f"https://exchange.example/{endpoint}/{values.get('token', '')}"


HOUSE = service.House("TechEx", address_of)


def last_token(session: Any, about: str) -> str:
    letter = session.scalars(select(Letter).where(Letter.key.startswith(f"account-{about}")).order_by(Letter.id)).all()
    found = re.search(r"https://\S+/([\w-]{43})", letter[-1].text)
    assert found
    return found[1]


def registered(database: Database) -> int:
    with database.transaction() as session:
        service.register(session, CONTEXT, HOUSE, LAN, "Nguyễn Thị Lan", "vi")
        token = last_token(session, "register")
    with database.transaction() as session:
        return service.choose_password(session, CONTEXT, HOUSE, token, passwords.hashed("a long enough password")).id


def test_an_account_from_its_first_letter_to_its_end(each_database: Database) -> None:
    number = registered(each_database)
    with each_database.transaction() as session:
        person = service.get(session, number)
        token = sessions.start(session, CONTEXT, person, second_factor=False)
        assert sessions.find(session, token, NOW)
        service.move(session, CONTEXT, HOUSE, person, checked_address("lan@new.example"))
    with each_database.transaction() as session:
        service.moved(session, CONTEXT, HOUSE, last_token(session, "email"))
        assert service.by_key(session, LAN.key) is None
    with each_database.transaction() as session:
        service.delete_account(session, CONTEXT, HOUSE, service.get(session, number), ())
    with each_database.reading() as session:
        assert sessions.find(session, token, NOW) is None
        assert service.names_of(session, [number]) == {}
        with pytest.raises(NotFound):
            service.get(session, number)


def test_a_letter_is_in_the_language_of_its_reader(database: Database) -> None:
    registered(database)
    with database.reading() as session:
        letter = session.scalars(select(Letter)).one()
    assert letter.subject == "Hoàn tất đăng ký tại TechEx"
    assert letter.text.startswith("Kính chào")


def test_a_link_is_used_once_however_many_try_at_once(each_database: Database) -> None:
    with each_database.transaction() as session:
        service.register(session, CONTEXT, HOUSE, LAN, "Nguyễn Thị Lan", "vi")
        token = last_token(session, "register")

    def open_it(_number: int) -> bool:
        try:
            with each_database.transaction() as session:
                service.choose_password(session, CONTEXT, HOUSE, token, "hash")
        except (NotFound, Conflict):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(open_it, range(8))) == 1
    with each_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1


def test_what_has_ended_by_itself_is_forgotten(database: Database) -> None:
    number = registered(database)
    with database.transaction() as session:
        person = service.get(session, number)
        sessions.start(session, CONTEXT, person, second_factor=False)
        links.issue(session, CONTEXT, "reset", person)
    service.tidy(None, database, Context(ANONYMOUS, NOW + timedelta(days=2)))
    with database.reading() as session:
        assert sessions.of_person(session, number, NOW) == []
        assert links.find(session, CONTEXT, "x", "reset") is None
