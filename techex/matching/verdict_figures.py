"""What people said of pairs on this exchange, as figures that everybody may see.

Only pairs of two public listings are counted, and nothing below five: a figure of one or two would tell who said what.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from techex.listings.rules import SEARCHABLE, Visibility
from techex.listings.tables import Listing
from techex.matching.rules import Band
from techex.matching.strength import band
from techex.matching.tables import PairVerdict
from techex.matching.verdicts import Judgement

# Fewer verdicts than this are not shown as a number.
LEAST = 5
BANDS: Sequence[Band] = ("introduce", "review", "explore", "none")


@dataclass(frozen=True)
class Judged:
    """Verdicts on pairs that were shown with the same word; None stands for fewer than LEAST."""

    band: Band
    verdicts: int
    fit: int | None
    partly: int | None
    no: int | None


@dataclass(frozen=True)
class VerdictFigures:
    """All verdicts that stand; bands and reasons with fewer than LEAST are left out."""

    verdicts: int
    bands: Sequence[Judged]
    reasons: Mapping[str, int]


def verdict_figures(session: Session) -> VerdictFigures | None:
    """The figures of the exchange; None where there are fewer than LEAST verdicts in all."""
    need, offer = aliased(Listing), aliased(Listing)
    query = (
        select(PairVerdict.judgement, PairVerdict.reason, PairVerdict.shown)
        .join(need, need.id == PairVerdict.need_id)
        .join(offer, offer.id == PairVerdict.offer_id)
        .where(PairVerdict.replaced_at.is_(None))
    )
    for side in (need, offer):
        query = query.where(side.visibility == Visibility.PUBLIC.value, side.state.in_(sorted(SEARCHABLE)))
    rows = session.execute(query).all()
    if len(rows) < LEAST:
        return None
    said: dict[Band, Counter[str]] = defaultdict(Counter)
    for row in rows:
        said[band(float(row.shown["strength"]))][row.judgement] += 1
    reasons = Counter(row.reason for row in rows if row.reason)
    return VerdictFigures(
        len(rows),
        [_judged(name, said[name]) for name in BANDS if said[name].total() >= LEAST],
        {reason: count for reason, count in reasons.most_common() if count >= LEAST},
    )


def _judged(name: Band, counted: Counter[str]) -> Judged:
    fit, partly, no = (counted[word] if counted[word] >= LEAST else None for word in Judgement)
    return Judged(name, counted.total(), fit, partly, no)
