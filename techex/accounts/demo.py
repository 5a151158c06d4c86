"""The people of the demo exchange, whose passwords stand on its sign-in page.

They exist only where `techex demo` made the installation a demo, which it refuses where real people are registered.
The first real administrator ends it: the demo's people can no longer sign in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.accounts import factors, passwords, service, sessions
from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.core import installation
from techex.core.context import Context
from techex.core.vocabulary import N_

FACT = "demo"
DOMAIN = "demo.techex.example"


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as: what they are, and what they come for."""

    key: str
    name: str
    what: str
    password: str
    administrator: bool = False
    second_factor: bool = False

    @property
    def email(self) -> str:
        """Their invented address."""
        return f"{self.key}@{DOMAIN}"


PEOPLE = (
    DemoPerson(
        key="engineer",
        name="Nguyễn Thị Lan",
        what=N_("an engineer of a firm, with a problem to solve"),
        password="demo: engineer, wet fabric",  # noqa: S106 - stands on the page
    ),
    DemoPerson(
        key="officer",
        name="Lê Minh Châu",
        what=N_("a transfer officer of a university, with results to place"),
        password="demo: officer, green leaf",  # noqa: S106
    ),
    DemoPerson(
        key="operator",
        name="Hoàng Mai",
        what=N_("an operator of the exchange, who serves several provinces"),
        password="demo: operator, long bridge",  # noqa: S106
        second_factor=True,
    ),
    DemoPerson(
        key="administrator",
        name="Đặng Phương",
        what=N_("an administrator, who runs this installation"),
        password="demo: administrator, tall roof",  # noqa: S106
        administrator=True,
        second_factor=True,
    ),
)


def is_demo(session: Session) -> bool:
    """True for a demo exchange."""
    return bool(installation.recall(session, FACT))


def people(session: Session) -> Sequence[DemoPerson]:
    """Whom the sign-in page offers; nobody where this is no demo."""
    if not is_demo(session):
        return ()
    keys = [checked_address(person.email).key for person in PEOPLE]
    there = set(
        session.scalars(select(Person.email_key).where(Person.email_key.in_(keys), Person.disabled_at.is_(None)))
    )
    return [person for person in PEOPLE if person.email in there]


def may_begin(session: Session) -> bool:
    """True where nobody real has an account yet."""
    real = select(func.count()).select_from(Person).where(Person.illustrative.is_(False), Person.deleted_at.is_(None))
    return is_demo(session) or not session.scalar(real)


def begin(session: Session, context: Context) -> dict[str, int]:
    """Make this installation a demo with its people; returns their numbers by key, none where real people are."""
    if not may_begin(session):
        return {}
    installation.remember(session, FACT, True)
    numbers = {}
    for invented in PEOPLE:
        address = checked_address(invented.email)
        person = service.by_key(session, address.key)
        if person is None:
            person = service.add_person(session, context, address, invented.name, "")
            person.illustrative, person.administrator = True, invented.administrator
            person.password_hash, person.confirmed_at = passwords.hashed(invented.password), context.now
            if invented.second_factor:
                factors.propose(person)
                person.factor_since = context.now
        person.disabled_at = None
        numbers[invented.key] = person.id
    session.flush()
    return numbers


def end(session: Session, context: Context) -> bool:
    """This is no demo any more: its people are signed out and stay out. Returns whether it was one."""
    if not is_demo(session):
        return False
    installation.forget(session, FACT)
    for person in session.scalars(select(Person).where(Person.illustrative)):
        person.disabled_at = context.now
        sessions.end_all(session, person.id)
    return True
