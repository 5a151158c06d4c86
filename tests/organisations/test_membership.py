"""People register organisations, invite each other, change roles and leave; the last manager stays."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core.audit import AuditEntry
from techex.core.context import COMMAND_LINE, Actor, Context, MemberRole, Role
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, TooMany
from techex.organisations import members, operators, queries, service
from techex.organisations.queries import Directory
from techex.organisations.rules import INVITATION_DAYS, AlreadyListed, OrganisationDraft
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


def invited(session: Session, manager: str, firm: Organisation, email: str, role: str = "editor") -> str:
    """Invite somebody and return the token of their letter."""
    tokens: list[str] = []

    def link(token: str) -> str:
        tokens.append(token)
        return f"https://exchange.example/invitations/{token}"

    context = acting(session, manager)
    members.invite(session, context, firm, email, role, link=link, language="en", exchange="TechEx")
    return tokens[0]


def firm_of(session: Session, name: str) -> Organisation:
    """The organisation of one of the cast."""
    person_of(session, name)
    return service.get_organisation(session, CAST[name].organisation)


# ---- registration ----


def test_who_registers_an_organisation_manages_it_and_nobody_else_sees_it(each_database: Database) -> None:
    with each_database.transaction() as session:
        made = service.register(session, acting(session, "stranger"), MILL)
        assert not made.listed
        assert service.belonging(session, person_of(session, "stranger").id)[0][0].role is MemberRole.MANAGER
        assert service.get_visible(session, acting(session, "stranger"), made.slug) is made
        assert service.get_visible(session, acting(session, "operator"), made.slug) is made
        for other in ("rival", "other_operator"):
            with pytest.raises(NotFound) as hidden:
                service.get_visible(session, acting(session, other), made.slug)
            with pytest.raises(NotFound) as absent:
                service.get_visible(session, acting(session, other), "nobody")
            assert str(hidden.value).replace(made.slug, "nobody") == str(absent.value)
        assert made.slug not in [o.slug for o in queries.directory(session, Directory(), "vi").organisations]


def test_an_identifier_of_the_directory_is_told_with_its_page(session: Session) -> None:
    first = service.register(session, acting(session, "stranger"), MILL)
    service.verify(session, acting(session, "operator"), first, ["tax_code"])
    with pytest.raises(AlreadyListed, match="Nhà máy Giấy") as told:
        service.register(session, acting(session, "rival"), replace(MILL, name="Another name"))
    assert told.value.slug == first.slug


def test_an_identifier_of_a_hidden_organisation_is_not_told_but_its_operator_sees_it(session: Session) -> None:
    first = service.register(session, acting(session, "stranger"), MILL)
    second = service.register(session, acting(session, "rival"), MILL)
    assert first.slug != second.slug
    assert [o.id for o in service.with_identifiers(session, second.identifiers, second.id)] == [first.id]
    assert [o.id for o in queries.namesakes(session, second)] == [first.id]
    service.verify(session, acting(session, "operator"), second, ["register"])
    with pytest.raises(Conflict, match="same identifier"):
        service.verify(session, acting(session, "operator"), first, ["register"])


def test_a_short_name_does_not_tell_how_many_others_have_it(session: Session) -> None:
    slugs = [service.register(session, acting(session, name), MILL).slug for name in ("stranger", "rival")]
    assert all(slug.startswith("nha-may-giay-song-day-") and len(slug) == 28 for slug in slugs)


def test_who_registers_the_name_of_another_does_not_get_what_is_imported_for_it(session: Session) -> None:
    squatter = service.register(session, acting(session, "stranger"), MILL)
    assert service.find_by_name(session, MILL.name) is None
    assert service.find_by_name(session, squatter.slug) is squatter
    real, _ = service.upsert(session, Context(COMMAND_LINE, NOW), OrganisationDraft(MILL.name, province="33"))
    assert service.find_by_name(session, MILL.name) is real


def test_nobody_registers_one_organisation_after_the_other(session: Session) -> None:
    for number in range(3):
        service.register(session, acting(session, "stranger"), OrganisationDraft(f"Firm {number}", province="33"))
    with pytest.raises(Conflict, match="nobody has verified"):
        service.register(session, acting(session, "stranger"), OrganisationDraft("One more", province="33"))


def test_an_anonymous_reader_registers_nothing(session: Session) -> None:
    with pytest.raises(NotAllowed):
        service.register(session, Context(Actor("anonymous", Role.ANYONE), NOW), MILL)


# ---- verification ----


def test_an_operator_of_the_place_verifies_and_says_what_was_checked(each_database: Database) -> None:
    with each_database.transaction() as session:
        firm = firm_of(session, "unverified")
        service.verify(session, acting(session, "operator"), firm, ["visited", "tax_code"], "met Mr Đức")
        standing = queries.verifications(session, firm.id)[0]
        assert (firm.verified_at, firm.verified_by, firm.listed) == (NOW, "Hoàng Mai", True)
        assert (standing.checked, standing.note) == (["tax_code", "visited"], "met Mr Đức")
        assert acting(session, "unverified").actor.is_member


@pytest.mark.parametrize("name", ["other_operator", "unarmed_operator", "unverified", "administrator", "stranger"])
def test_nobody_else_verifies(session: Session, name: str) -> None:
    firm = firm_of(session, "unverified")
    armed = CAST[name].second_factor
    with pytest.raises(NotAllowed):
        service.verify(session, acting(session, name, armed), firm, ["tax_code"])
    with pytest.raises(NotAllowed):
        service.withdraw_verification(session, acting(session, name, armed), firm, "because")


def test_no_operator_verifies_an_organisation_of_their_own(session: Session) -> None:
    firm = service.register(session, acting(session, "operator"), OrganisationDraft("Mai's firm", province="33"))
    with pytest.raises(NotAllowed, match="yourself"):
        service.verify(session, acting(session, "operator"), firm, ["tax_code"])


@pytest.mark.parametrize(("checked", "note"), [([], ""), (["guessed"], ""), (["visited"], "x" * 1001)])
def test_a_verification_says_what_was_done(session: Session, checked: list[str], note: str) -> None:
    with pytest.raises(BadInput):
        service.verify(session, acting(session, "operator"), firm_of(session, "unverified"), checked, note)


def test_a_verification_is_taken_back_with_its_reason_and_members_are_members_no_more(session: Session) -> None:
    firm = firm_of(session, "engineer")
    assert acting(session, "engineer").actor.is_member
    with pytest.raises(BadInput):
        service.withdraw_verification(session, acting(session, "operator"), firm, " … ")
    service.withdraw_verification(session, acting(session, "operator"), firm, "The firm was dissolved.")
    assert not acting(session, "engineer").actor.is_member
    gone = queries.verifications(session, firm.id)[0]
    assert (gone.withdrawn_by, gone.reason) == ("Hoàng Mai", "The firm was dissolved.")
    with pytest.raises(Conflict):
        service.withdraw_verification(session, acting(session, "operator"), firm, "again")


def test_who_changes_its_name_is_verified_anew_and_who_changes_its_website_is_not(session: Session) -> None:
    firm = firm_of(session, "engineer")
    same = OrganisationDraft(firm.name, firm.kind, firm.country, firm.province)
    assert service.amend(session, acting(session, "engineer"), firm, replace(same, website="https://song-hong.example"))
    assert firm.verified_at
    assert not service.amend(session, acting(session, "engineer"), firm, replace(same, website=firm.website))
    assert service.amend(session, acting(session, "engineer"), firm, replace(same, name="Another firm"))
    assert (firm.verified_at, firm.verified_by, firm.slug) == (None, "", "det-may-song-hong")
    with pytest.raises(NotAllowed):
        service.amend(session, acting(session, "editor"), firm, same)
    with pytest.raises(FieldErrors):
        service.amend(session, acting(session, "engineer"), firm, replace(same, name=""))


def test_managers_are_told_by_letter_but_not_of_what_they_did_themselves(session: Session) -> None:
    firm = firm_of(session, "unverified")
    service.verify(session, acting(session, "operator"), firm, ["tax_code"])
    service.withdraw_verification(session, acting(session, "operator"), firm, "100 % wrong: it is %(dissolved)s.")
    service.verify(session, acting(session, "operator"), firm, ["visited"])
    manager = acting(session, "unverified")
    service.amend(session, manager, firm, OrganisationDraft("Renamed", firm.kind, firm.country, firm.province))
    letters = session.scalars(select(Letter).order_by(Letter.id)).all()
    subjects = [letter.subject for letter in letters]
    assert subjects == ["Công ty Mới is verified", "Công ty Mới is no longer verified", "Công ty Mới is verified"]
    assert {letter.recipient for letter in letters} == {CAST["unverified"].email}
    assert "100 % wrong: it is %(dissolved)s." in letters[1].text


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


# ---- places ----


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
