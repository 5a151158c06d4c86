"""The cast acting for organisations, without a browser."""

from __future__ import annotations

from sqlalchemy.orm import Session

from techex.core.context import Actor, Context, Role
from techex.organisations import service
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation
from tests.cast import CAST, person_of
from tests.conftest import NOW

MILL = OrganisationDraft("Nhà máy Giấy Sông Đáy", province="33", identifiers={"tax_code": "0100109106"})


def acting(session: Session, name: str, second_factor: bool = True) -> Context:
    """What a request of one of the cast would bring, read from the database."""
    person = person_of(session, name)
    memberships, places = service.belonging(session, person.id)
    role = Role.ADMINISTRATOR if person.administrator else Role.PERSON
    return Context(Actor(person.name, role, person.id, memberships, places, second_factor), NOW)


def firm_of(session: Session, name: str) -> Organisation:
    """The organisation of one of the cast."""
    person_of(session, name)
    return service.get_organisation(session, CAST[name].organisation)
