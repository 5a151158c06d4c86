"""Who asks: what a person may be to the exchange and to an organisation."""

from __future__ import annotations

from dataclasses import replace

from techex.core.context import ANONYMOUS, COMMAND_LINE, Actor, MemberRole, Membership, Role

ENGINEER = Actor("engineer", Role.PERSON, 1, (Membership(7, MemberRole.EDITOR, verified=True),))
OPERATOR = Actor("operator", Role.PERSON, 2, places=frozenset({"VN-33", "NL"}), second_factor=True)


def test_a_higher_role_may_do_what_a_lower_one_may() -> None:
    assert MemberRole.MANAGER.includes(MemberRole.EDITOR)
    assert not MemberRole.VIEWER.includes(MemberRole.EDITOR)
    assert ENGINEER.belongs_to(7, MemberRole.EDITOR)
    assert not ENGINEER.belongs_to(7, MemberRole.MANAGER)
    assert not ENGINEER.belongs_to(8)


def test_a_member_of_an_unverified_organisation_is_not_yet_a_member_of_the_exchange() -> None:
    assert ENGINEER.is_member
    assert not replace(ENGINEER, memberships=(Membership(7, MemberRole.MANAGER),)).is_member


def test_nobody_is_an_operator_or_an_administrator_without_a_second_factor() -> None:
    assert OPERATOR.is_operator
    assert OPERATOR.operates_in("VN-33")
    assert not OPERATOR.operates_in("VN-01")
    without = replace(OPERATOR, role=Role.ADMINISTRATOR, second_factor=False)
    assert not without.is_operator
    assert not without.operates_in("VN-33")
    assert not without.is_administrator
    assert replace(without, second_factor=True).is_administrator


def test_the_command_line_owns_the_data_and_a_stranger_is_nobody() -> None:
    assert COMMAND_LINE.is_administrator
    assert COMMAND_LINE.operates_in("VN-01")
    assert not any((ANONYMOUS.is_signed_in, ANONYMOUS.is_member, ANONYMOUS.is_operator, ANONYMOUS.is_administrator))
