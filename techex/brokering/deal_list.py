"""A person's deals as lines of a list: filtered, sorted, ready for a page or a spreadsheet; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from techex.brokering.pipeline import OPEN, Stage
from techex.core.vocabulary import N_
from techex.regions.rules import Place


@dataclass(frozen=True)
class Line:
    """One deal. `sender` and `receiver` are names, or empty where this reader may not know them yet."""

    number: int
    title: str
    language: str  # of the title
    kind: str  # need or offer
    stage: Stage
    places: tuple[Place, Place]  # of the sender, of the listing
    sender: str
    receiver: str
    opened: datetime
    moved: datetime
    waits: bool  # for this reader alone
    due: str | None  # reminder or outcome


SORTS: Mapping[str, tuple[str, Callable[[Line], tuple[Any, ...]]]] = {
    "newest": (N_("newest first"), lambda line: (-line.number,)),
    "silent": (N_("silent the longest first"), lambda line: (line.moved, line.number)),
    "stage": (N_("by stage"), lambda line: (list(Stage).index(line.stage), line.moved)),
}
# Stages taken together, beside each single one.
GROUPS: Mapping[str, tuple[str, frozenset[Stage]]] = {
    "open": (N_("all that are open"), frozenset(OPEN)),
    "contracts": (
        N_("all with a contract"),
        frozenset({Stage.SIGNED, Stage.REGISTERED, Stage.IMPLEMENTED, Stage.REVIEWED}),
    ),
}


@dataclass(frozen=True)
class Asked:
    """What the address asks for; empty means everything."""

    stage: str = ""  # a stage, or one of GROUPS
    place: str = ""
    waiting: bool = False
    sort: str = "newest"


def stages_of(asked: Asked) -> frozenset[Stage]:
    """The stages a filter names."""
    if asked.stage in GROUPS:
        return GROUPS[asked.stage][1]
    return frozenset({Stage(asked.stage)} if asked.stage else Stage)


def chosen(lines: Iterable[Line], asked: Asked) -> list[Line]:
    """Those asked for, in the order asked for."""
    stages = stages_of(asked)
    found = [
        line
        for line in lines
        if line.stage in stages
        and (not asked.place or asked.place in {place.code for place in line.places})
        and (not asked.waiting or line.waits or line.due)
    ]
    return sorted(found, key=SORTS[asked.sort][1])
