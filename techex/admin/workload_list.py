"""The workload of colleagues and the hand-overs in force as lists: orders, filters, columns of their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext

from techex.admin.desk import Item
from techex.admin.handing import Colleague
from techex.admin.tables import HandOver
from techex.admin.workload import Load
from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.regions.naming import place_called
from techex.web.tables import BY_TITLE, NEWEST, Column, Filter, Table

PLACES_SHOWN = 4  # of a colleague; whoever serves two regions would fill the page


@dataclass(frozen=True)
class Line:
    """The work of one colleague, or of nobody yet (`load.person_id` None); `at` is the place in the usual order."""

    at: int
    load: Load
    name: str
    codes: Sequence[str]  # of the places they serve
    shared: Sequence[str]  # of these, those that whoever reads serves too
    given_to: str  # who has everything of theirs, if they gave it away
    given: HandOver | None

    @property
    def places(self) -> list[str]:
        """The first of their places by name, and how many more there are."""
        names = [place_called(code) for code in self.codes[:PLACES_SHOWN]]
        more = len(self.codes) - len(names)
        return [*names, gettext("and %(count)s more", count=more)] if more else names


def lines(
    context: Context, loads: Sequence[Load], people: Mapping[int, Colleague], in_force: Sequence[HandOver]
) -> list[Line]:
    """One for each load."""
    given = {row.person_id: row for row in in_force if not row.task}
    found = []
    for at, load in enumerate(loads):
        one = people[load.person_id] if load.person_id else None
        codes = sorted(one.places) if one else []
        all_of_it = given.get(load.person_id) if one else None
        found.append(
            Line(
                at,
                load,
                one.person.name if one else gettext("nobody yet"),
                codes,
                [code for code in codes if code in context.actor.places],
                called(context, people, all_of_it.to_id) if all_of_it else "",
                all_of_it,
            )
        )
    return found


def called(context: Context, people: Mapping[int, Colleague], number: int | None) -> str:
    """How a page calls a person who has work: only colleagues by name."""
    if number is None:
        return str(gettext("nobody yet"))
    if number == context.actor.person_id:
        return str(gettext("you"))
    return people[number].person.name if number in people else str(gettext("somebody else"))


def _until(row: HandOver | None) -> date | str:
    return "" if row is None else row.until or gettext("for good")


def _slowness(line: Line) -> tuple[bool, float, int]:
    """Of whom too few answers are known comes last."""
    return (line.load.typical is None, -(line.load.typical or 0.0), line.at)


TABLE = Table(
    "work.load",
    "work.load_file",
    {
        "name": (N_("by name"), lambda line: line.at),
        "open": (N_("most open first"), lambda line: (-line.load.open, line.at)),
        "late": (N_("most late first"), lambda line: (-line.load.late, line.at)),
        "slow": (N_("slowest answers first"), _slowness),
    },
    (
        Column(N_("Operator"), lambda line: line.name),
        Column(N_("Open"), lambda line: line.load.open),
        Column(N_("Late"), lambda line: line.load.late),
        Column(N_("Answers"), lambda line: line.load.answers if line.load.person_id else None),
        Column(N_("Median answer, working days"), lambda line: line.load.typical),
        Column(N_("Places"), lambda line: line.places),
        Column(N_("Everything is with"), lambda line: line.given_to),
        Column(N_("Until"), lambda line: _until(line.given)),
    ),
    {"place": Filter(N_("Place"), lambda line: line.shared, place_called)},
    words=lambda line: line.name,
    name="workload",
)


@dataclass(frozen=True)
class Given:
    """A hand-over as one of its two sides reads it; `title` is that of the thing, empty once it is settled."""

    row: HandOver
    title: str
    language: str
    giver: str
    receiver: str

    @property
    def what(self) -> str:
        """What was handed over."""
        if not self.row.task:
            return str(gettext("everything"))
        return self.title or str(gettext("settled since"))


def given_lines(
    context: Context, rows: Sequence[HandOver], items: Sequence[Item], people: Mapping[int, Colleague]
) -> list[Given]:
    """The hand-overs that whoever reads gave or got, the last first."""
    known, me = {item.subject: item for item in items}, context.actor.person_id
    found = []
    for row in rows:
        if me not in (row.person_id, row.to_id):
            continue
        item = known.get((row.task, row.key))
        giver, receiver = (called(context, people, number) for number in (row.person_id, row.to_id))
        found.append(Given(row, item.title if item else "", item.language if item else "", giver, receiver))
    return found


GIVEN = Table(
    "work.hand_overs",
    "work.hand_overs_file",
    {
        "newest": (NEWEST, lambda one: -one.row.id),
        "oldest": (N_("oldest first"), lambda one: one.row.id),
        "ends": (N_("ends soonest first"), lambda one: (one.row.until or date.max, -one.row.id)),
        "title": (BY_TITLE, lambda one: (one.what.casefold(), -one.row.id)),
    },
    (
        Column(N_("What"), lambda one: one.what),
        Column(N_("From"), lambda one: one.giver),
        Column(N_("To"), lambda one: one.receiver),
        Column(N_("Until"), lambda one: _until(one.row)),
        Column(N_("Note"), lambda one: one.row.note),
    ),
    {
        "from": Filter(N_("From"), lambda one: [one.giver], lambda name: name),
        "to": Filter(N_("To"), lambda one: [one.receiver], lambda name: name),
    },
    words=lambda one: f"{one.what} {one.row.note}",
    name="hand-overs",
)
