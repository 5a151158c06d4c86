"""What both sides declare in fields of their forms, set against each other: stage, forms, money, time, place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from techex.matching.rules import Fact, Verdict
from techex.matching.standards import standards_of
from techex.regions import service as regions
from techex.regions.rules import Place


def declared_facts(
    need: Mapping[str, Any], offer: Mapping[str, Any], need_place: Place | None, offer_place: Place | None
) -> list[Fact]:
    """One fact for every field that the need states, in the order of its form, then one for each that the offer's owner
    asks of a partner; values by names of listings' FIELDS, and `organisation_kind` where the need's owner may be known.
    """
    return [
        fact
        for fact in (
            _stage(need, offer),
            _forms(need, offer),
            _budget(need, offer),
            _deadline(need, offer),
            _reach("reach", need, need_place, offer_place),
            _standards(need, offer),
            _partner(need, offer),
            _reach("offered_within", offer, offer_place, need_place),
        )
        if fact is not None
    ]


def _stage(need: Mapping[str, Any], offer: Mapping[str, Any]) -> Fact | None:
    asked, stated = need.get("trl"), offer.get("trl")
    if not asked:
        return None
    return Fact(
        "trl", _verdict(stated is not None, stated is not None and stated >= asked), str(asked), str(stated or "")
    )


def _forms(need: Mapping[str, Any], offer: Mapping[str, Any]) -> Fact | None:
    asked, stated = need.get("transfer_forms") or (), offer.get("transfer_forms") or ()
    if not asked:
        return None
    return Fact(
        "transfer_forms", _verdict(bool(stated), bool(set(asked) & set(stated))), ",".join(asked), ",".join(stated)
    )


def _budget(need: Mapping[str, Any], offer: Mapping[str, Any]) -> Fact | None:
    most, price = need.get("budget_max"), offer.get("price")
    if most is None:
        return None
    # Without the rate of a day, amounts in two currencies cannot be compared; a price per unit reads like a low one,
    # so a price within the budget is met and a higher one a clash.
    same = price is not None and need.get("currency") == offer.get("currency")
    stated = "" if price is None else f"{price:g} {offer.get('currency') or ''}".strip()
    return Fact(
        "budget", _verdict(same, same and price <= most), f"{most:g} {need.get('currency') or ''}".strip(), stated
    )


def _deadline(need: Mapping[str, Any], offer: Mapping[str, Any]) -> Fact | None:
    asked, valid = _day(need.get("deadline")), _day(offer.get("validity"))
    if asked is None:
        return None
    # An offer that lapses earlier may be renewed: not a clash, a question.
    return Fact(
        "deadline",
        "met" if valid and valid >= asked else "unknown",
        asked.isoformat(),
        valid.isoformat() if valid else "",
    )


def _reach(name: str, asking: Mapping[str, Any], own: Place | None, theirs: Place | None) -> Fact | None:
    """How far the asking side looks, against where the other one is; its value first."""
    reach = asking.get("reach")
    if not reach or own is None or theirs is None:
        return None
    within = reach == "world" or (
        own.country == theirs.country
        and (
            reach == "country"
            or (reach == "province" and own.province == theirs.province)
            or (reach == "region" and regions.region_of(own.province) == regions.region_of(theirs.province))
        )
    )
    return Fact(name, "met" if within else "clash", str(reach), "-".join(_codes(theirs)))


def _partner(need: Mapping[str, Any], offer: Mapping[str, Any]) -> Fact | None:
    sought, kind = offer.get("partner_kinds") or (), need.get("organisation_kind")
    if not sought or not kind:
        return None
    return Fact("partner_kinds", "met" if kind in sought else "clash", str(kind), ",".join(sought))


# Where a need says which standards it has to meet; an offer may name those it meets anywhere.
ASKING_FIELDS = ("summary", "required_result", "constraints")


def _standards(need: Mapping[str, Any], offer: Mapping[str, Any]) -> Fact | None:
    asked = standards_of(need.get(name) for name in ASKING_FIELDS)
    if not asked:
        return None
    named = standards_of(offer.values())
    # What is not named may still be met: a question, never a clash.
    holds = all(key in named for key in asked)
    common = [name for key, name in asked.items() if key in named]
    return Fact("standards", "met" if holds else "unknown", ", ".join(asked.values()), ", ".join(common))


def _codes(place: Place) -> Iterator[str]:
    yield place.country
    if place.province:
        yield place.province


def _day(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))


def _verdict(stated: bool, holds: bool) -> Verdict:
    if not stated:
        return "unknown"
    return "met" if holds else "clash"
