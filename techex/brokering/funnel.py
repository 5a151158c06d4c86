"""From an expression of interest to a contract, counted; and what of it everybody may read. Pure.

Everybody reads no number below five, and none that follows from others by subtraction: neither along a funnel (how many
did not come further) nor down a table (what is left of the total).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from statistics import median

from techex.core.vocabulary import N_
from techex.regions import working_days
from techex.regions.rules import HOME_COUNTRY, Place
from techex.regions.service import region_of

LEAST = 5  # the smallest number that everybody may read


class Step(StrEnum):
    """How far an expression of interest came."""

    SENT = "sent"
    FORWARDED = "forwarded"
    ACCEPTED = "accepted"
    INTRODUCED = "introduced"
    SIGNED = "signed"


STEPS: Mapping[Step, str] = {
    Step.SENT: N_("Expressions of interest sent"),
    Step.FORWARDED: N_("forwarded to the receiver"),
    Step.ACCEPTED: N_("accepted by the receiver"),
    Step.INTRODUCED: N_("introduced to each other"),
    Step.SIGNED: N_("contract confirmed by both sides"),
}


@dataclass(frozen=True)
class Way:
    """One expression of interest: when it came how far, from where a result comes to where it is needed."""

    moments: Mapping[Step, datetime]  # of the steps it has taken
    origin: Place
    application: Place
    fields: tuple[str, ...] = ()  # of the listing it was about
    kinds: tuple[str, ...] = ()  # of the two organisations
    contract: tuple[Place, Place] | None = None  # as the contract says them, once both sides confirmed it

    @property
    def sent(self) -> date:
        """The day it was sent: by this day it belongs to a period, with all that came of it."""
        return working_days.here(self.moments[Step.SENT])


@dataclass(frozen=True)
class Counted:
    """One step of a funnel: how many took it, the median of the days since the step before, and of how many that is."""

    step: Step
    count: int
    days: float | None
    behind: int = 0


def region_code(place: Place) -> str:
    """The region that holds a province, or the country; the country itself for Vietnam as a whole."""
    if place.country != HOME_COUNTRY:
        return place.country
    return region_of(place.province) or HOME_COUNTRY


def quarter(day: date) -> tuple[int, int]:
    """Year and quarter."""
    return day.year, (day.month + 2) // 3


def begin_of(year: int, number: int = 1) -> date:
    """The first day of a quarter; the fifth is the first of the year after."""
    return date(year + (number - 1) // 4, 3 * ((number - 1) % 4) + 1, 1)


def funnel(ways: Sequence[Way]) -> list[Counted]:
    """Every step in order."""
    found = [Counted(Step.SENT, len(ways), None)]
    for before, step in pairwise(Step):
        taken = [way.moments for way in ways if step in way.moments]
        days = [(at[step] - at[before]).total_seconds() / 86_400 for at in taken if before in at]
        found.append(Counted(step, len(taken), median(days) if days else None, len(days)))
    return found


def until(ways: Iterable[Way], day: date) -> list[Way]:
    """As it stood at the beginning of a day: what came later is left out."""
    found = (
        replace(way, moments={step: at for step, at in way.moments.items() if working_days.here(at) < day})
        for way in ways
        if way.sent < day
    )
    return [way if Step.SIGNED in way.moments else replace(way, contract=None) for way in found]


Keys = Callable[[Way], Iterable[str]]


def breakdown(ways: Sequence[Way], keys: Keys) -> dict[str, list[Counted]]:
    """Group -> its funnel, the largest group first. A way may stand in several groups, as of fields."""
    groups: dict[str, list[Way]] = {}
    for way in ways:
        for key in keys(way):
            groups.setdefault(key, []).append(way)
    counted = {key: funnel(group) for key, group in groups.items()}
    return dict(sorted(counted.items(), key=lambda row: (*(-one.count for one in row[1]), row[0])))


class Veil(StrEnum):
    """Why a number is not told."""

    FEW = "few"  # it is below five
    NEARLY_ALL = "nearly_all"  # it is at least the number before it less four
    KEPT = "kept"  # it would tell too much, or another would follow from it


Told = int | Veil


def told_along(counts: Sequence[int]) -> list[Told]:
    """The steps of a funnel as everybody may read them: no number below five, no loss between two below five."""
    found: list[Told] = []
    last: int | None = None  # the last number that was told
    for count in counts:
        if last is not None and last < 2 * LEAST:
            # Whatever comes after five to nine is hidden; to say in which way would tell too much of so few.
            found.append(Veil.KEPT)
        elif count < LEAST:
            found.append(Veil.FEW)
        elif last is not None and last - count < LEAST:
            found.append(Veil.NEARLY_ALL)
        else:
            found.append(count)
            last = count
    return found


def told_down(counts: Sequence[int], told: Sequence[Told]) -> list[Told]:
    """A column whose total is told: what is hidden adds up to five at least, or more is hidden."""
    found = list(told)
    while any(isinstance(cell, Veil) for cell in found):
        hidden = sum(count for count, cell in zip(counts, found, strict=True) if isinstance(cell, Veil))
        shown = [at for at, cell in enumerate(found) if not isinstance(cell, Veil)]
        if hidden >= LEAST or not shown:
            break
        found[min(shown, key=lambda at: counts[at])] = Veil.KEPT
    return found


def days_told(counted: Counted, cell: Told) -> float | None:
    """The days of a step as everybody may read them: where its number is told, and the median is of all of these.

    A median of fewer would be about somebody; of another number, it would tell that one.
    """
    return counted.days if cell == counted.behind else None


def told_table(rows: Mapping[str, Sequence[int]]) -> dict[str, list[Told]]:
    """A whole breakdown as everybody may read it."""
    if not rows:
        return {}
    along = [told_along(counts) for counts in rows.values()]
    columns = []
    for number in range(len(along[0])):
        counts = [row[number] for row in rows.values()]
        columns.append(told_down(counts, [row[number] for row in along]))
    return {key: [column[at] for column in columns] for at, key in enumerate(rows)}


def by_period(ways: Sequence[Way], least: int) -> list[tuple[tuple[int, int], tuple[int, int], list[Way]]]:
    """(first quarter, last quarter, what was sent in them): neighbours together until each has `least`; the last ones,
    where they have fewer, with those before them.
    """
    if not ways:
        return []
    first, last = quarter(min(way.sent for way in ways)), quarter(max(way.sent for way in ways))
    found: list[tuple[tuple[int, int], tuple[int, int], list[Way]]] = []
    here: list[Way] = []
    begun = now = first
    while now <= last:
        here += [way for way in ways if quarter(way.sent) == now]
        after = (now[0] + 1, 1) if now[1] == 4 else (now[0], now[1] + 1)
        if len(here) >= least:
            found.append((begun, now, here))
            here, begun = [], after
        elif now == last and here and found:
            start, _, before = found.pop()
            found.append((start, now, before + here))
        now = after
    return found


@dataclass(frozen=True)
class Flow:
    """Contracts from where a result comes from to where it is applied, both as codes."""

    origin: str
    application: str
    count: int


def flows(ways: Iterable[Way], code: Callable[[Place], str]) -> list[Flow]:
    """Confirmed contracts by origin and application, the most first."""
    counted: dict[tuple[str, str], int] = {}
    for way in ways:
        if way.contract is not None:
            pair = code(way.contract[0]), code(way.contract[1])
            counted[pair] = counted.get(pair, 0) + 1
    found = [Flow(*pair, count) for pair, count in counted.items()]
    return sorted(found, key=lambda flow: (-flow.count, flow.origin, flow.application))


def told_flows(found: Sequence[Flow]) -> list[Flow]:
    """Those that everybody may read."""
    counts = [flow.count for flow in found]
    told = told_down(counts, [count if count >= LEAST else Veil.FEW for count in counts])
    return [flow for flow, cell in zip(found, told, strict=True) if not isinstance(cell, Veil)]
