"""Who serves which places as a list: its orders, its filters, the columns of its file."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core.vocabulary import N_
from techex.organisations import operators
from techex.organisations.tables import OperatorPlace
from techex.regions.naming import place_called
from techex.web.tables import BY_PLACE, Column, Filter, Table

# Place in the usual order, who it is, what they serve: never nothing.
Line = tuple[int, Person, Sequence[OperatorPlace]]


def lines(session: Session) -> list[Line]:
    """Everybody who serves a place, by name."""
    return [(at, person, places) for at, (person, places) in enumerate(operators.operators(session).items())]


def _armed(line: Line) -> str:
    return "yes" if line[1].factor_since else "no"


def _yes_or_not_yet(code: str) -> str:
    return str(gettext("yes") if code == "yes" else gettext("not yet"))


TABLE = Table(
    "verification.who",
    "verification.who_file",
    {
        "name": (N_("by name"), lambda line: line[0]),
        "place": (BY_PLACE, lambda line: (line[2][0].place_code, line[0])),
        "most": (N_("most places first"), lambda line: (-len(line[2]), line[0])),
    },
    (
        Column(N_("Name"), lambda line: line[1].name),
        Column(N_("E-mail address"), lambda line: line[1].email),
        Column(N_("Second factor"), lambda line: _yes_or_not_yet(_armed(line))),
        Column(N_("Places"), lambda line: [place_called(row.place_code) for row in line[2]]),
    ),
    {
        "place": Filter(N_("Place"), lambda line: [row.place_code for row in line[2]], place_called),
        "factor": Filter(N_("Second factor"), lambda line: [_armed(line)], _yes_or_not_yet),
    },
    words=lambda line: f"{line[1].name} {line[1].email}",
    name="operators",
)
