"""People of an organisation invite each other, change roles and leave; the last manager stays."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.audit import AuditEntry
from techex.core.context import COMMAND_LINE, Context, MemberRole
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, TooMany
from techex.organisations import members, queries, service
from techex.organisations.rules import INVITATION_DAYS, OrganisationDraft
from techex.organisations.tables import Organisation
from tests.cast import CAST, person_of
from tests.conftest import NOW
from tests.organisations.acting import acting, firm_of


def invited(session: Session, manager: str, firm: Organisation, email: str, role: str = "editor") -> str:
    """Invite somebody and return the token of their letter."""
    tokens: list[str] = []

    def link(token: str) -> str:
        tokens.append(token)
        return f"https://exchange.example/invitations/{token}"

    context = acting(session, manager)
    members.invite(session, context, firm, email, role, link=link, language="en", exchange="TechEx")
    return tokens[0]


# ---- invitations ----


def test_an_invitation_makes_its_reader_a_member_once(each_database: Database) -> None:
    with each_database.transaction() as session:
        firm = firm_of(session, "engineer")
        token = invited(session, "engineer", firm, " JiWoo@NOWHERE.example ")
        letter = session.scalars(select(Letter)).one()
        assert token in letter.text
        assert letter.secret
        assert token not in str([i.__dict__ for i in members.open_invitations(session, acting(session, "rival"), firm)])
        found = members.find_invitation(session, acting(session, "stranger"), token)
        assert members.accept(session, acting(session, "stranger"), found).role == "editor"
        assert acting(session, "stranger").actor.belongs_to(firm.id, MemberRole.EDITOR)
        with pytest.raises(NotFound):
            members.find_invitation(session, acting(session, "stranger"), token)


def test_only_the_owner_of_the_address_accepts(session: Session) -> None:
    firm = firm_of(session, "engineer")
    found = members.find_invitation(
        session, acting(session, "rival"), invited(session, "engineer", firm, CAST["stranger"].email)
    )
    with pytest.raises(NotAllowed, match="another address"):
        members.accept(session, acting(session, "rival"), found)
    person_of(session, "stranger").confirmed_at = None
    with pytest.raises(NotAllowed):
        members.accept(session, acting(session, "stranger"), found)


def test_an_invitation_ends_is_replaced_and_is_taken_back(session: Session) -> None:
    firm, email = firm_of(session, "engineer"), CAST["stranger"].email
    first, second = (invited(session, "engineer", firm, email) for _ in range(2))
    context = acting(session, "stranger")
    with pytest.raises(NotFound):
        members.find_invitation(session, context, first)
    found = members.find_invitation(session, context, second)
    late = replace(context, now=NOW + timedelta(days=INVITATION_DAYS))
    with pytest.raises(NotFound):
        members.find_invitation(session, late, second)
    assert members.invitations_to(session, context, context.actor.person_id or 0) == [found]
    with pytest.raises(NotAllowed):
        members.take_back(session, acting(session, "editor"), firm, found.id)
    with pytest.raises(NotFound):
        members.take_back(session, acting(session, "rival"), firm_of(session, "rival"), found.id)
    members.take_back(session, acting(session, "engineer"), firm, found.id)
    with pytest.raises(NotFound):
        members.find_invitation(session, context, second)


def test_an_address_with_an_account_and_one_without_look_the_same_to_the_manager(session: Session) -> None:
    firm = firm_of(session, "engineer")
    for email in (CAST["stranger"].email, "nobody@unknown.example"):
        invited(session, "engineer", firm, email)
    rows = members.open_invitations(session, acting(session, "engineer"), firm)
    assert {(row.role, row.closed_at, row.accepted) for row in rows} == {("editor", None, False)}
    assert session.query(Letter).count() == 2


@pytest.mark.parametrize(
    "email", ["", "lan", "a@b.example, c@d.example", "Lan <lan@b.example>", "a\r\nBcc: c@d.example"]
)
def test_an_address_is_exactly_one_address(session: Session, email: str) -> None:
    with pytest.raises(BadInput):
        invited(session, "engineer", firm_of(session, "engineer"), email)


@pytest.mark.parametrize("name", ["editor", "viewer", "rival", "administrator", "operator"])
def test_only_managers_invite(session: Session, name: str) -> None:
    with pytest.raises(NotAllowed):
        invited(session, name, firm_of(session, "engineer"), CAST["stranger"].email)


def test_an_organisation_writes_to_no_more_strangers_than_it_has_staff(session: Session) -> None:
    firm = firm_of(session, "engineer")
    for number in range(30):
        invited(session, "engineer", firm, f"x{number}@unknown.example")
    with pytest.raises(TooMany):
        invited(session, "engineer", firm, "one.more@unknown.example")


def test_an_organisation_that_nobody_knows_writes_to_few_and_its_name_is_no_address(session: Session) -> None:
    firm = firm_of(session, "unverified")
    for number in range(5):
        invited(session, "unverified", firm, f"x{number}@unknown.example")
    with pytest.raises(TooMany):
        invited(session, "unverified", firm, "one.more@unknown.example")
    for name in ("Win at http://prize.example", "WWW.prize.example", "write to x@prize.example"):
        with pytest.raises(FieldErrors, match="holds an address"):
            service.register(session, acting(session, "stranger"), OrganisationDraft(name, province="33"))


def test_who_is_a_member_already_keeps_the_higher_role(session: Session) -> None:
    firm = firm_of(session, "engineer")
    for name, role, kept in (("viewer", "editor", "editor"), ("engineer", "viewer", "manager")):
        token = invited(session, "engineer", firm, CAST[name].email, role)
        context = acting(session, name)
        assert members.accept(session, context, members.find_invitation(session, context, token)).role == kept


# ---- roles and leaving ----


def _row(session: Session, firm: Organisation, name: str) -> int:
    person_id = person_of(session, name).id
    return next(row.id for row in members.members(session, firm) if row.person_id == person_id)


def test_the_last_manager_cannot_leave_step_down_or_be_taken_out(each_database: Database) -> None:
    with each_database.transaction() as session:
        firm = firm_of(session, "engineer")
        person_of(session, "editor")
        manager, row = acting(session, "engineer"), _row(session, firm, "engineer")
        for deed in (
            lambda: members.remove(session, manager, firm, row),
            lambda: members.set_role(session, manager, firm, row, "viewer"),
        ):
            with pytest.raises(Conflict, match="last manager"):
                deed()
        members.set_role(session, manager, firm, _row(session, firm, "editor"), "manager")
        assert members.remove(session, manager, firm, row)
        assert not acting(session, "engineer").actor.memberships


def test_two_last_managers_do_not_leave_at_once(each_database: Database) -> None:
    with each_database.transaction() as session:
        firm = firm_of(session, "engineer")
        person_of(session, "editor")
        members.set_role(session, acting(session, "engineer"), firm, _row(session, firm, "editor"), "manager")
        leaving = [(acting(session, name), _row(session, firm, name)) for name in ("engineer", "editor")]
        slug = firm.slug
    start, refused = threading.Barrier(2), []

    def leave(context: Context, row: int) -> None:
        start.wait()
        try:
            with each_database.transaction() as session:
                members.remove(session, context, service.get_organisation(session, slug), row)
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=leave, args=one) for one in leaving]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_database.reading() as session:
        left = members.members(session, service.get_organisation(session, slug))
    assert (len(left), len(refused)) == (1, 1)


def test_whatever_members_do_to_each_other_a_manager_remains(session: Session) -> None:
    firm, chance = firm_of(session, "engineer"), random.Random(7)  # noqa: S311 - a test that can be repeated
    everybody = ["engineer", "editor", "viewer", "stranger", "rival"]
    for name in everybody:
        person_of(session, name)
    done = 0
    for _ in range(300):
        name, context = chance.choice(everybody), None
        rows = members.members(session, firm)
        target = chance.choice(rows)
        context = acting(session, name)
        try:
            match chance.randrange(3):
                case 0:
                    members.set_role(session, context, firm, target.id, chance.choice(list(MemberRole)))
                case 1:
                    members.remove(session, context, firm, target.id)
                case _:
                    email = CAST[chance.choice(everybody)].email
                    guest = next(member.name for member in CAST.values() if member.email == email)
                    token = invited(session, name, firm, email, chance.choice(list(MemberRole)))
                    guest_context = acting(session, guest)
                    members.accept(session, guest_context, members.find_invitation(session, guest_context, token))
            done += 1
        except (Conflict, NotAllowed, TooMany):
            pass
        session.flush()
        assert any(row.role == MemberRole.MANAGER for row in members.members(session, firm))
    assert done > 30


def test_a_manager_who_can_no_longer_sign_in_does_not_count(session: Session) -> None:
    firm = firm_of(session, "engineer")
    editor = person_of(session, "editor")
    members.set_role(session, acting(session, "engineer"), firm, _row(session, firm, "editor"), "manager")
    editor.disabled_at = NOW
    with pytest.raises(Conflict):
        members.remove(session, acting(session, "engineer"), firm, _row(session, firm, "engineer"))


def test_everybody_may_leave_and_only_managers_take_out(session: Session) -> None:
    firm = firm_of(session, "engineer")
    for name in ("editor", "viewer"):
        person_of(session, name)
    with pytest.raises(NotAllowed):
        members.remove(session, acting(session, "editor"), firm, _row(session, firm, "viewer"))
    with pytest.raises(NotAllowed):
        members.set_role(session, acting(session, "editor"), firm, _row(session, firm, "editor"), "manager")
    assert members.remove(session, acting(session, "viewer"), firm, _row(session, firm, "viewer"))
    assert not members.remove(session, acting(session, "engineer"), firm, _row(session, firm, "editor"))
    verbs = [entry.verb for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))][-2:]
    assert verbs == ["left", "removed"]


def test_a_member_of_another_organisation_is_out_of_reach(session: Session) -> None:
    stranger = _row(session, firm_of(session, "rival"), "rival")
    with pytest.raises(NotFound):
        members.remove(session, acting(session, "engineer"), firm_of(session, "engineer"), stranger)


def test_who_is_shown_decides_it_alone(session: Session) -> None:
    firm = firm_of(session, "engineer")
    assert queries.public_people(session, firm.id) == []
    members.show_oneself(session, acting(session, "engineer"), firm, True, " Head of  dyeing ")
    shown = queries.public_people(session, firm.id)
    assert [(row.person.name, row.position) for row in shown] == [("Nguyễn Thị Lan", "Head of dyeing")]
    with pytest.raises(NotFound):
        members.show_oneself(session, acting(session, "rival"), firm, True, "")
    with pytest.raises(BadInput):
        members.show_oneself(session, acting(session, "engineer"), firm, True, "x" * 121)


def test_a_deleted_account_takes_its_memberships_and_places_along(session: Session) -> None:
    firm_of(session, "engineer")
    lan, mai = person_of(session, "engineer"), person_of(session, "operator")
    assert members.data_of(session, lan.id)["organisations"][0]["role"] == "manager"
    assert members.data_of(session, mai.id)["places"] == ["VN-33"]
    for person in (lan, mai):
        members.leave_all(session, Context(COMMAND_LINE, NOW), person.id)
        assert service.belonging(session, person.id) == ((), frozenset())
