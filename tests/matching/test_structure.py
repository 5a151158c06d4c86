from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from techex.matching.structure import (
    FADING,
    FADING_DAYS,
    FIELDS_WEIGHT,
    FORMS_WEIGHT,
    INDUSTRY_WEIGHT,
    MOST_STAGES,
    PARTNER_WEIGHT,
    SDG_WEIGHT,
    STAGE_WEIGHT,
    Wanted,
    agreement,
    fading,
)
from techex.search.facts import Facts, fact_row
from techex.search.names import Names


def added(wanted: Wanted, facts: Facts) -> dict[str, float]:
    labels = Names()
    row = fact_row(1, facts, labels)
    return {part: float(values[0]) for part, values in agreement(wanted, row, labels).items()}


def test_the_same_fields_count_and_half_of_them_half() -> None:
    wanted = Wanted(True, fields=("211",))
    assert added(wanted, Facts(fields=("211",)))["fields"] == FIELDS_WEIGHT
    assert added(wanted, Facts(fields=("211", "401")))["fields"] == FIELDS_WEIGHT / 2
    assert added(wanted, Facts(fields=("102",)))["fields"] == 0


def test_forms_of_transfer_that_exclude_each_other_count_against() -> None:
    wanted = Wanted(True, transfer_forms=("assignment",))
    assert added(wanted, Facts(transfer_forms=("franchise",)))["transfer_forms"] == -FORMS_WEIGHT
    assert added(wanted, Facts(transfer_forms=("franchise", "assignment")))["transfer_forms"] == 0


def test_an_earlier_stage_than_accepted_counts_against_in_both_directions() -> None:
    assert added(Wanted(True, trl=7), Facts(trl=5))["trl"] == -2 * STAGE_WEIGHT
    assert added(Wanted(True, trl=7), Facts(trl=9))["trl"] == 0
    assert added(Wanted(False, trl=5), Facts(trl=7))["trl"] == -2 * STAGE_WEIGHT
    assert added(Wanted(True, trl=9), Facts(trl=1))["trl"] == -MOST_STAGES * STAGE_WEIGHT


def test_who_is_of_another_kind_than_the_offers_owner_seeks_counts_less_in_both_directions() -> None:
    mill = Wanted(True, organisation_kind="enterprise")
    assert added(mill, Facts(partner_kinds=("university", "institute")))["partner"] == -PARTNER_WEIGHT
    assert added(mill, Facts(partner_kinds=("university", "enterprise")))["partner"] == 0
    assert added(Wanted(True), Facts(partner_kinds=("university",)))["partner"] == 0, "whose it is is not to be known"
    seeking = Wanted(False, partner_kinds=("enterprise",))
    assert added(seeking, Facts(organisation_kind="public_body"))["partner"] == -PARTNER_WEIGHT
    assert added(seeking, Facts(organisation_kind="enterprise"))["partner"] == 0
    assert added(seeking, Facts())["partner"] == 0


def test_what_is_not_stated_moves_nothing() -> None:
    assert not any(added(Wanted(True), Facts(fields=("211",), trl=3, transfer_forms=("franchise",))).values())
    assert not any(added(Wanted(True, ("211",), ("assignment",), 7), Facts()).values())
    assert np.isfinite(list(added(Wanted(True), Facts()).values())).all()


def test_the_same_industry_and_common_goals_count_for_a_match() -> None:
    wanted = Wanted(True, industry="C", sdg=(9, 12))
    assert added(wanted, Facts(industry="C"))["industry"] == INDUSTRY_WEIGHT
    assert added(wanted, Facts(industry="A"))["industry"] == 0
    assert added(wanted, Facts(sdg=(9, 12)))["sdg"] == SDG_WEIGHT
    assert added(wanted, Facts(sdg=(9, 2, 12, 13)))["sdg"] == SDG_WEIGHT / 2
    assert added(wanted, Facts(sdg=(2,)))["sdg"] == 0


def test_an_industry_nobody_stated_is_not_a_common_one() -> None:
    assert added(Wanted(True), Facts())["industry"] == 0


def test_a_listing_falls_behind_its_equals_in_its_last_days_and_never_behind_what_fits_better() -> None:
    today, labels = date(2026, 11, 22), Names()

    def lost(days_left: int | None) -> float:
        ends = (today + timedelta(days=days_left)).toordinal() if days_left is not None else 0
        return float(fading(fact_row(1, Facts(ends=ends), labels), today)[0])

    assert lost(None) == lost(FADING_DAYS) == lost(300) == 0
    assert lost(FADING_DAYS // 2) == FADING / 2
    assert lost(0) == lost(-3) == FADING < FIELDS_WEIGHT
