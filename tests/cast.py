"""The cast: people with names who appear in tests all over. What each may do is said here and nowhere else.

Memberships and places follow from ORGANISATIONS and from what each member of the cast says of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts import factors, passwords, sessions
from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import OperatorPlace, OrganisationMember

PASSWORD = "cá mè hoa sông Đà 7"  # noqa: S105 - everybody's here


@dataclass(frozen=True)
class Member:
    """One of the cast."""

    name: str  # how tests call them
    called: str
    email: str
    administrator: bool = False
    second_factor: bool = False
    disabled: bool = False
    organisation: str = ""  # short name, one of ORGANISATIONS
    role: str = "manager"
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Firm:
    """An organisation of the cast; who is not verified is not in the directory either."""

    draft: OrganisationDraft
    verified: bool = True


ORGANISATIONS = {
    firm.draft.slug: firm
    for firm in (
        Firm(OrganisationDraft("Công ty Dệt may Sông Hồng", province="33", slug="det-may-song-hong")),
        Firm(OrganisationDraft("Công ty Đối Thủ", province="79", slug="doi-thu")),
        Firm(OrganisationDraft("Đại học Phương Nam", "university", province="79", slug="dai-hoc-phuong-nam")),
        Firm(OrganisationDraft("Công ty Mới", province="33", slug="cong-ty-moi"), verified=False),
    )
}

CAST = {
    member.name: member
    for member in (
        Member("engineer", "Nguyễn Thị Lan", "lan@det-may-song-hong.example", organisation="det-may-song-hong"),
        Member(
            "editor", "Phạm Quốc Huy", "huy@det-may-song-hong.example", organisation="det-may-song-hong", role="editor"
        ),
        Member("viewer", "Đỗ Thu Hà", "ha@det-may-song-hong.example", organisation="det-may-song-hong", role="viewer"),
        Member("rival", "Trần Văn Bình", "binh@doi-thu.example", organisation="doi-thu"),
        Member("officer", "Lê Minh Châu", "chau@dai-hoc-phuong-nam.example", organisation="dai-hoc-phuong-nam"),
        Member("unverified", "Vũ Đức Anh", "anh@cong-ty-moi.example", organisation="cong-ty-moi"),
        Member("stranger", "Kim Ji-woo", "jiwoo@nowhere.example"),
        Member("operator", "Hoàng Mai", "mai@so-khcn-hung-yen.example", second_factor=True, places=("VN-33",)),
        Member("other_operator", "Bùi Quang", "quang@so-khcn-tay-ninh.example", second_factor=True, places=("VN-80",)),
        Member("unarmed_operator", "Ngô Thanh", "thanh@so-khcn-hung-yen.example", places=("VN-33",)),
        Member("administrator", "Đặng Phương", "phuong@san-giao-dich.example", administrator=True, second_factor=True),
        Member("unarmed_administrator", "Lý Hải", "hai@san-giao-dich.example", administrator=True),
        Member("suspended", "Tạ Văn Nam", "nam@da-nghi.example", disabled=True),
    )
}


@cache
def _password_hash() -> str:
    return passwords.hashed(PASSWORD)


def enter(session: Session, context: Context, *names: str) -> dict[str, Person]:
    """Bring the cast (or those named) into the database; people who are there stay as they are."""
    people = {}
    for member in [CAST[name] for name in names] or CAST.values():
        address = checked_address(member.email)
        person = Person(
            email=address.written,
            email_key=address.key,
            name=member.called,
            language="en",
            password_hash=_password_hash(),
            confirmed_at=context.now,
            administrator=member.administrator,
            created_at=context.now,
            disabled_at=context.now if member.disabled else None,
        )
        if member.second_factor:
            factors.propose(person)
            person.factor_since = context.now
        session.add(person)
        session.flush()
        _belong(session, context, member, person)
        people[member.name] = person
    session.flush()
    return people


def _belong(session: Session, context: Context, member: Member, person: Person) -> None:
    for code in member.places:
        session.add(OperatorPlace(person_id=person.id, place_code=code, granted_at=context.now))
    if not member.organisation:
        return
    firm = ORGANISATIONS[member.organisation]
    organisation, new = organisations.upsert(session, context, firm.draft)
    if new and firm.verified:
        organisations.verify(session, context, organisation)
    organisation.listed = firm.verified
    session.add(
        OrganisationMember(
            organisation_id=organisation.id,
            person_id=person.id,
            role=member.role,
            shown=False,
            position="",
            since=context.now,
        )
    )


def person_of(session: Session, name: str) -> Person:
    """The row of one of the cast, who enters if they are not there yet."""
    key = checked_address(CAST[name].email).key
    found = session.scalar(select(Person).where(Person.email_key == key))
    return found or enter(session, Context(COMMAND_LINE), name)[name]


class Browser(FlaskClient):
    """A browser without JavaScript that sends the hidden field which every form of ours carries."""

    def post(self, *args: Any, **values: Any) -> Any:
        """As the button of a form would; `csrf=False` forgets the field."""
        if values.pop("csrf", True) and "json" not in values:
            data = dict(values.get("data") or {})
            values["data"] = data | {"csrf_token": self.csrf_token()}
        return super().post(*args, **values)

    def csrf_token(self) -> str:
        """A token of this browser's cookie."""
        with self.session_transaction() as session:
            raw = session.get("csrf_token")
            with self.application.test_request_context():
                from flask import session as fresh

                if raw:
                    fresh["csrf_token"] = raw
                token = generate_csrf()
                session["csrf_token"] = fresh["csrf_token"]
        return token


def sign_in(app: Flask, name: str) -> Browser:
    """A browser in which one of the cast has signed in, with a second factor where they have one."""
    database: Database = app.extensions["techex.database"]
    with database.transaction() as session:
        person = person_of(session, name)
        token = sessions.start(session, Context(COMMAND_LINE), person, second_factor=CAST[name].second_factor)
    browser = Browser(app, app.response_class, use_cookies=True)
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    with browser.session_transaction() as cookie:
        cookie.update(_user_id=token, _fresh=True)
        cookie.permanent = True
    return browser
