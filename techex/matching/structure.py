"""Facts of a need and an offer that agree or clash: fields, stage, forms of transfer, money, reach. Pure.

A fact that is not stated says nothing: it moves no score and is shown as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from techex.search.facts import FIELD_BITS, TRANSFER_BITS

Numbers = NDArray[np.float64]

# Share of common fields of science (common / all of both), in spreads of random pairs. Demo exchange: nDCG@10 .770
# without, .800 at .75, .825 at 1.5; kept low because people who file in a hurry choose fields badly.
FIELDS_WEIGHT = 0.8
# Forms of transfer that both accept: what is impossible to contract is a worse match. Demo: +.003.
FORMS_WEIGHT = 0.3
# Each stage the offer is below what the need accepts, down to three. Demo: +.003.
STAGE_WEIGHT = 0.2
MOST_STAGES = 3


@dataclass(frozen=True)
class Wanted:
    """The facts of the listing that is searched for; `is_need` tells which way stages are compared."""

    is_need: bool
    fields: tuple[str, ...] = ()
    transfer_forms: tuple[str, ...] = ()
    trl: int | None = None


def agreement(wanted: Wanted, facts: NDArray[np.void]) -> Numbers:
    """(m,) what facts add to the score of listings with these rows (search.facts.FACTS)."""
    score = np.zeros(len(facts))
    own = _bits(wanted.fields, FIELD_BITS)
    theirs = facts["fields"]
    either = np.bitwise_count(theirs | np.uint64(own))
    stated = (theirs != 0) & bool(own)
    score += np.where(stated, FIELDS_WEIGHT * np.bitwise_count(theirs & np.uint64(own)) / np.maximum(either, 1), 0)
    forms = _bits(wanted.transfer_forms, TRANSFER_BITS)
    if forms:
        none_common = (facts["transfer_forms"] != 0) & ((facts["transfer_forms"] & np.uint64(forms)) == 0)
        score -= FORMS_WEIGHT * none_common
    if wanted.trl:
        gap = (
            wanted.trl - facts["trl"].astype(np.int64) if wanted.is_need else facts["trl"].astype(np.int64) - wanted.trl
        )
        score -= STAGE_WEIGHT * np.where(facts["trl"] > 0, np.clip(gap, 0, MOST_STAGES), 0)
    return score


def _bits(codes: Iterable[str], bits: object) -> int:
    total = 0
    for code in codes:
        total |= bits[code]  # type: ignore[index]
    return total
