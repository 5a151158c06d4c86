"""Facts of a need and an offer that agree or clash: fields, stage, forms of transfer, money, reach. Pure.

A fact that is not stated says nothing: it moves no score and is shown as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

PARTS = ("fields", "transfer_forms", "trl")


@dataclass(frozen=True)
class Wanted:
    """The facts of the listing that is searched for; `is_need` tells which way stages are compared."""

    is_need: bool
    fields: tuple[str, ...] = ()
    transfer_forms: tuple[str, ...] = ()
    trl: int | None = None


def agreement(wanted: Wanted, facts: NDArray[np.void]) -> dict[str, Numbers]:
    """(m,) what each of PARTS adds to the score of listings with these rows (search.facts.FACTS)."""
    fields, forms = np.uint64(_bits(wanted.fields, FIELD_BITS)), np.uint64(_bits(wanted.transfer_forms, TRANSFER_BITS))
    common, either = np.bitwise_count(facts["fields"] & fields), np.bitwise_count(facts["fields"] | fields)
    none_common = (facts["transfer_forms"] != 0) & (forms != 0) & ((facts["transfer_forms"] & forms) == 0)
    above = facts["trl"].astype(np.float64) - (wanted.trl or 0)
    missing = np.clip(-above if wanted.is_need else above, 0, MOST_STAGES)
    stated = (facts["trl"] > 0) & (wanted.trl is not None)
    return {
        "fields": FIELDS_WEIGHT * common / np.maximum(either, 1),
        "transfer_forms": -FORMS_WEIGHT * none_common,
        "trl": -STAGE_WEIGHT * np.where(stated, missing, 0.0),
    }


def _bits(codes: Iterable[str], bits: Mapping[str, int]) -> int:
    total = 0
    for code in codes:
        total |= bits[code]
    return total
