"""Administrators grant places to operators; what waits for an operator lies in their places."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.errors import BadInput, NotAllowed, NotFound
from techex.organisations import operators, queries, service
from techex.organisations.rules import OrganisationDraft
from tests.cast import CAST, person_of
from tests.conftest import NOW
from tests.organisations.acting import MILL, acting, firm_of


def test_an_administrator_grants_places_and_regions_and_takes_them_away(each_database: Database) -> None:
    with each_database.transaction() as session:
        administrator, person = acting(session, "administrator"), person_of(session, "stranger")
        assert operators.find_person(session, "JIWOO@nowhere.example") is person
        assert operators.grant(session, administrator, person, "vn-33") == ["VN-33"]
        assert operators.grant(session, administrator, person, "VN-33") == []
        assert operators.grant(session, administrator, person, "NL") == ["NL"]
        region = operators.grant(session, administrator, person, "RED_RIVER_DELTA")
        assert "VN-33" not in region
        assert len(region) > 3
        assert acting(session, "stranger").actor.operates_in("VN-01")
        assert not acting(session, "stranger", second_factor=False).actor.operates_in("VN-01")
        assert "VN-33" in operators.take_away(session, administrator, person, "RED_RIVER_DELTA")
        assert service.belonging(session, person.id)[1] == {"NL"}


@pytest.mark.parametrize("name", ["operator", "unarmed_administrator", "engineer"])
def test_nobody_else_grants_places(session: Session, name: str) -> None:
    context = acting(session, name, CAST[name].second_factor)
    with pytest.raises(NotAllowed):
        operators.grant(session, context, person_of(session, "stranger"), "VN-33")


@pytest.mark.parametrize("code", ["", "VN-02", "XX", "VN-33; VN-34"])
def test_a_place_that_is_none_is_refused(session: Session, code: str) -> None:
    with pytest.raises(BadInput):
        operators.grant(session, acting(session, "administrator"), person_of(session, "stranger"), code)


def test_an_address_without_an_account_cannot_be_an_operator(session: Session) -> None:
    with pytest.raises(NotFound, match="register first"):
        operators.find_person(session, "nobody@unknown.example")
    assert session.scalars(select(Person)).all() == []


def test_what_waits_for_an_operator_is_what_lies_in_their_places(session: Session) -> None:
    registered = service.register(session, acting(session, "stranger"), MILL)
    firm_of(session, "rival")
    imported, _ = service.upsert(session, Context(COMMAND_LINE, NOW), OrganisationDraft("Imported", province="33"))
    service.upsert(session, Context(COMMAND_LINE, NOW), OrganisationDraft("Elsewhere", province="79"))
    found = queries.waiting(session, {"VN-33"})
    assert [o.id for o in found.organisations] == [registered.id, imported.id]
    assert (found.managers, found.total) == ({registered.id: 1}, 2)
    assert queries.waiting(session, frozenset()).total == 0
