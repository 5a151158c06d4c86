"""People register organisations; an operator of the place verifies them and says what was checked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.context import COMMAND_LINE, Actor, Context, MemberRole, Role
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound
from techex.organisations import queries, service
from techex.organisations.queries import Directory
from techex.organisations.rules import AlreadyListed, OrganisationDraft
from tests.cast import CAST, person_of
from tests.conftest import NOW
from tests.organisations.acting import MILL, acting, firm_of

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
