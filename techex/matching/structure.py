"""Facts of a need and an offer that agree or clash: fields, stage, forms of transfer, money, reach. Pure.

A fact that is not stated says nothing: it moves no score and is shown as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.listings.rules import Kind
from techex.search.facts import FIELD_BITS, GOAL_BITS, KIND_BITS, TRANSFER_BITS
from techex.search.names import NOTHING, Names

Numbers = NDArray[np.float64]

# Share of common fields of science (common / all of both), in spreads of random pairs: two spreads of meaning outweigh
# fields chosen badly. Demo exchange, with the two facts below: nDCG@10 .921 and first five alike in both languages .793
# at .8, .931 and .813 at 1.2, .934 and .833 at 1.6.
FIELDS_WEIGHT = 1.4
# Forms of transfer that both accept: what is impossible to contract is a worse match. Demo: +.003.
FORMS_WEIGHT = 0.3
# A need of an organisation of a kind that the offer's owner does not look for: who seeks integrators mostly serves a
# public body too, so it only parts what fits alike (demo: nothing moves at .05; at .3 one need of 119 loses .12).
PARTNER_WEIGHT = 0.05
# Each stage the offer is below what the need accepts, down to three. Demo: +.003.
STAGE_WEIGHT = 0.2
MOST_STAGES = 3

# The same industry, and the share of common goals of sustainable development: known of many needs and offers, and the
# same whatever the language of the texts. Demo exchange, nDCG@10: .912 without both, .921 at .5 and .2.
INDUSTRY_WEIGHT = 0.2
SDG_WEIGHT = 0.6

PARTS = ("fields", "industry", "sdg", "transfer_forms", "trl", "partner")

# What the first ten of a need agree in on average, for facts that one side leaves open: the strength of a pair takes
# them for neither better nor worse than usual (demo exchange).
USUAL_FIELDS, USUAL_INDUSTRY, USUAL_SDG = 0.5, 0.55, 0.45


# A listing in its last FADING_DAYS falls behind its equals, more each day, since it may be gone before anybody meets.
# On its last day by half of what a common field of science is worth: what fits better still stands above it.
FADING = 0.4
FADING_DAYS = 30


@dataclass(frozen=True)
class Wanted:
    """The facts of the listing that is searched for; `is_need` tells which way stages are compared.

    `organisation_kind` is whose need it is (empty where that is not to be known), `partner_kinds` whom an offer seeks.
    """

    is_need: bool
    fields: tuple[str, ...] = ()
    transfer_forms: tuple[str, ...] = ()
    trl: int | None = None
    industry: str | None = None
    sdg: tuple[int, ...] = ()
    organisation_kind: str = ""
    partner_kinds: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: Kind, values: Mapping[str, Any]) -> Wanted:
        """The facts among the values of a need or an offer, by the names of listings.rules.FIELDS."""
        return cls(
            kind is Kind.NEED,
            tuple(values.get("fields") or ()),
            tuple(values.get("transfer_forms") or ()),
            values.get("trl"),
            values.get("industry"),
            tuple(values.get("sdg") or ()),
            values.get("organisation_kind") or "",
            tuple(values.get("partner_kinds") or ()),
        )


def agreement(wanted: Wanted, facts: NDArray[np.void], labels: Names) -> dict[str, Numbers]:
    """(m,) what each of PARTS adds to the score of listings with these rows (search.facts.FACTS) and labels."""
    fields, forms = np.uint64(_bits(wanted.fields, FIELD_BITS)), np.uint64(_bits(wanted.transfer_forms, TRANSFER_BITS))
    none_common = (facts["transfer_forms"] != 0) & (forms != 0) & ((facts["transfer_forms"] & forms) == 0)
    above = facts["trl"].astype(np.float64) - (wanted.trl or 0)
    missing = np.clip(-above if wanted.is_need else above, 0, MOST_STAGES)
    stated = (facts["trl"] > 0) & (wanted.trl is not None)
    same_industry = (facts["industry"] == labels.number(wanted.industry)) if wanted.industry else np.zeros(len(facts))
    return {
        "fields": FIELDS_WEIGHT * _common(facts["fields"], fields),
        "industry": INDUSTRY_WEIGHT * same_industry,
        "sdg": SDG_WEIGHT * _common(facts["sdg"], np.uint32(_bits(wanted.sdg, GOAL_BITS))),
        "transfer_forms": -FORMS_WEIGHT * none_common,
        "trl": -STAGE_WEIGHT * np.where(stated, missing, 0.0),
        "partner": -PARTNER_WEIGHT * _not_sought(wanted, facts, labels),
    }


def _not_sought(wanted: Wanted, facts: NDArray[np.void], labels: Names) -> NDArray[np.bool_]:
    """(m,) where both say it: a need of an organisation of another kind than the offer's owner seeks."""
    if wanted.is_need:
        own, sought = np.uint8(KIND_BITS.get(wanted.organisation_kind, 0)), facts["partner_kinds"]
        other: NDArray[np.bool_] = (own != 0) & (sought != 0) & ((sought & own) == 0)
        return other
    if not wanted.partner_kinds:
        return np.zeros(len(facts), np.bool_)
    kinds = facts["organisation_kind"]
    missed: NDArray[np.bool_] = (kinds != NOTHING) & ~np.isin(kinds, labels.numbers(wanted.partner_kinds))
    return missed


def left_open(wanted: Wanted | None, facts: NDArray[np.void]) -> dict[str, Numbers]:
    """(m,) what these of PARTS would usually add where the query or a listing with these rows does not state them."""
    wanted = wanted or Wanted(is_need=True)
    return {
        "fields": FIELDS_WEIGHT * USUAL_FIELDS * ((facts["fields"] == 0) | (not wanted.fields)),
        "industry": INDUSTRY_WEIGHT * USUAL_INDUSTRY * ((facts["industry"] == NOTHING) | (not wanted.industry)),
        "sdg": SDG_WEIGHT * USUAL_SDG * ((facts["sdg"] == 0) | (not wanted.sdg)),
    }


def _common(stated: NDArray[Any], wanted: np.unsignedinteger[Any]) -> Numbers:
    """(m,) codes in common as a share of those of both, 0 to 1."""
    common, either = np.bitwise_count(stated & wanted), np.bitwise_count(stated | wanted)
    share: Numbers = common / np.maximum(either, 1)
    return share


def _bits(codes: Iterable[Any], bits: Mapping[Any, int]) -> int:
    total = 0
    for code in codes:
        total |= bits[code]
    return total


def fading(facts: NDArray[np.void], today: date) -> Numbers:
    """(m,) what listings with these rows lose because they end soon; 0 for those that have time, or no end."""
    left = facts["ends"].astype(np.float64) - today.toordinal()
    share = np.clip(1 - left / FADING_DAYS, 0, 1)
    return np.asarray(np.where(facts["ends"] > 0, FADING * share, 0.0), np.float64)
