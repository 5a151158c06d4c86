"""Who asks, and when. Every service verb takes a Context after the session; none reads the clock or the request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the exchange as a whole; what they are to an organisation is a Membership."""

    ANYONE = "anyone"
    PERSON = "person"  # signed in
    ADMINISTRATOR = "administrator"  # runs the installation
    SYSTEM = "system"  # the command line of the installation: whoever runs it owns the data


class MemberRole(StrEnum):
    """What a person may do for an organisation; each may do what those before it may."""

    VIEWER = "viewer"  # reads what the organisation may read
    EDITOR = "editor"  # writes its listings
    MANAGER = "manager"  # and decides who belongs to it

    def includes(self, other: MemberRole) -> bool:
        """True when this role may do what `other` may."""
        ranks = list(MemberRole)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True)
class Membership:
    """A person's place in an organisation, and whether an operator has verified that organisation."""

    organisation_id: int
    role: MemberRole
    verified: bool = False


@dataclass(frozen=True)
class Actor:
    """Somebody who asks: an anonymous reader, a person, or the installation's own command line.

    `places` are the codes of the provinces and countries an operator serves (VN-33, NL). `second_factor` says whether
    this session has proved one: without it nobody is an operator or an administrator, whatever the database says.
    """

    name: str
    role: Role
    person_id: int | None = None
    memberships: tuple[Membership, ...] = ()
    places: frozenset[str] = frozenset()
    second_factor: bool = False

    @property
    def is_system(self) -> bool:
        """True for the installation's own command line."""
        return self.role is Role.SYSTEM

    @property
    def is_signed_in(self) -> bool:
        """True for a person who has signed in."""
        return self.person_id is not None

    @property
    def is_member(self) -> bool:
        """True for somebody who belongs to a verified organisation."""
        return any(membership.verified for membership in self.memberships)

    @property
    def is_operator(self) -> bool:
        """True for somebody who brokers for at least one place, second factor proved."""
        return bool(self.places) and self.second_factor

    @property
    def is_administrator(self) -> bool:
        """True for somebody who runs the installation, second factor proved."""
        return self.is_system or (self.role is Role.ADMINISTRATOR and self.second_factor)

    def operates_in(self, place_code: str) -> bool:
        """True when this operator serves a province or country, given by its code."""
        return self.is_system or (self.second_factor and place_code in self.places)

    def belongs_to(self, organisation_id: int, at_least: MemberRole = MemberRole.VIEWER) -> bool:
        """True for a member of an organisation with this role or a higher one."""
        return any(
            membership.organisation_id == organisation_id and membership.role.includes(at_least)
            for membership in self.memberships
        )


ANONYMOUS = Actor("anonymous", Role.ANYONE)
COMMAND_LINE = Actor("command line", Role.SYSTEM)


@dataclass(frozen=True)
class Context:
    """Who asks (`actor`) and when (`now`, aware)."""

    actor: Actor
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def command_line_context() -> Context:
    """The context of a command."""
    return Context(COMMAND_LINE)
