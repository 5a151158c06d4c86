"""Who asks, and when. Every service verb takes a Context after the session; none reads the clock or the request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may be to the exchange as a whole (roles within an organisation come with membership)."""

    ANYONE = "anyone"
    SYSTEM = "system"  # the command line of the installation: whoever runs it owns the data


@dataclass(frozen=True)
class Actor:
    """Somebody who asks: an anonymous reader, or the installation's own command line."""

    name: str
    role: Role

    @property
    def is_system(self) -> bool:
        """True for the installation's own command line."""
        return self.role is Role.SYSTEM


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
