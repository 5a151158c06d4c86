"""Where a listing stands in a list of matches that it may not be in, and why: the numbers that ranked it, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching.results import CLOSEST, Results, index_filters
from techex.matching.rules import NO_FILTERS, PAGE_SIZE, Obstacle, Standing
from techex.matching.strength import EXPLORE, band
from techex.search.facts import Filters as IndexFilters
from techex.search.partitions import Partition


def standing(results: Results, other: Listing) -> Standing:
    """Where `other` stands among what answers the question of `results`, the reader's filters aside.

    What does not rank it is said first: a listing of the same kind or organisation, or one that this reader's index
    does not hold, has no numbers.
    """
    asked = results.asked
    if Kind(other.kind) is not asked.kind:
        return Standing("kind")
    if all(partition.facts(other.id) is None for partition in results.partitions):
        return Standing("unsearched")
    free = replace(results, asked=replace(asked, filters=NO_FILTERS))
    if asked.listing is not None and not _passes(results.partitions, free.limits, other):
        # Without the rule of reach it is the organisation that keeps it out; who may not know that is not told, since
        # the filter knows no more than its reader.
        far = _passes(results.partitions, replace(free.limits, within=None, seen_from=None), other)
        return Standing("reach" if far else "organisation")
    place = _place_of(free, other.id)
    # Among very many listings only the nearest are scored; for this page one more is.
    scored = free if place is not None else replace(free, also=(other.id,))
    row = _place_of(scored, other.id)
    if row is None:
        return Standing("unsearched")
    fitting = int(np.count_nonzero(free.strengths >= EXPLORE))
    value = float(scored.strengths[row])
    blocked = _blocked_by(results, other)
    obstacle: Obstacle = ""
    if blocked:
        obstacle = "filters"
    elif place is None or place >= fitting:
        obstacle = "mark"
    return Standing(
        obstacle,
        None if place is None else place + 1,
        len(free.ranked),
        fitting,
        round(value),
        band(value),
        float(scored.ranked.scores[row]),
        {name: float(values[row]) for name, values in scored.ranked.parts.items()},
        _usual(free, fitting),
        blocked,
        EXPLORE,
        scored.mode,
    )


def _place_of(results: Results, listing_id: int) -> int | None:
    rows = np.flatnonzero(results.ranked.ids == listing_id)
    return int(rows[0]) if len(rows) else None


def _usual(results: Results, fitting: int) -> Mapping[str, float]:
    """What each part adds on average to the first page of what fits, or to the closest where nothing does."""
    first = min(fitting, PAGE_SIZE) or CLOSEST
    return {name: float(values[:first].mean()) for name, values in results.ranked.parts.items() if len(values)}


def _blocked_by(results: Results, other: Listing) -> tuple[str, ...]:
    """The filters that keep a listing out, each tried alone."""
    filters, place, found = results.asked.filters, results.asked.place, []
    for each in fields(filters):
        value = getattr(filters, each.name)
        if not value:
            continue
        alone: dict[str, object] = {each.name: value}
        asked = index_filters(replace(NO_FILTERS, **alone), place, None, verified=results.verified)  # type: ignore[arg-type]
        if not _passes(results.partitions, asked, other):
            found.append(each.name)
    return tuple(found)


def _passes(partitions: Sequence[Partition], filters: IndexFilters, other: Listing) -> bool:
    selections = [partition.allowed(filters) for partition in partitions]
    return any(chosen is None or other.id in chosen.ids for chosen in selections)
