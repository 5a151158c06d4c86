"""The orders in which operators go through pairs; they know no numpy, so that a worker is ready before it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from techex.core.vocabulary import N_
from techex.web.tables import NEWEST, Key

if TYPE_CHECKING:
    from techex.matching.best_pairs import Pair


@dataclass(frozen=True)
class Placed:
    """A pair and its place in the usual order, in which no province crowds out the others."""

    place: int
    pair: Pair

    @property
    def since(self) -> datetime | None:
        """Since when there are both."""
        moments = [head.published_at for head in (self.pair.need, self.pair.offer)]
        known = [moment for moment in moments if moment is not None]
        return max(known) if len(known) == len(moments) else None


def _age(placed: Placed) -> float:
    return placed.since.timestamp() if placed.since else 0.0


def _distance(placed: Placed) -> float:
    return float("inf") if placed.pair.distance_km is None else placed.pair.distance_km


SORTS: Mapping[str, tuple[str, Key]] = {
    "best": (N_("strongest first, places in turn"), lambda placed: placed.place),
    "strength": (N_("strongest first"), lambda placed: (-placed.pair.strength, -placed.pair.score, placed.place)),
    "newest": (NEWEST, lambda placed: (-_age(placed), placed.place)),
    "oldest": (N_("oldest first"), lambda placed: (_age(placed), placed.place)),
    "need": (N_("by the place of the need"), lambda placed: (placed.pair.need.place.code, placed.place)),
    "result": (N_("by the place of the result"), lambda placed: (placed.pair.offer.place.code, placed.place)),
    "near": (N_("nearest first"), lambda placed: (_distance(placed), placed.place)),
}


def placed(pairs: Any) -> list[Placed]:
    """Pairs with the places they have in the order given."""
    return [Placed(place, pair) for place, pair in enumerate(pairs)]
