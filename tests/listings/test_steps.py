"""The form asks for every field of a kind once, and for no other."""

from __future__ import annotations

import pytest

from techex.listings.rules import FIELD_BY_NAME, Kind, fields_of
from techex.listings.steps import CHECK, HINTS, READERS, STEPS, neighbours, step_of, step_with


@pytest.mark.parametrize("kind", Kind)
def test_every_field_is_asked_for_once(kind: Kind) -> None:
    asked = [name for step in STEPS[kind] for name in step.fields]
    assert sorted(asked) == sorted(rule.name for rule in fields_of(kind))


@pytest.mark.parametrize("kind", Kind)
def test_the_steps_follow_each_other_and_end_with_the_check(kind: Kind) -> None:
    assert neighbours(kind, STEPS[kind][0]) == (None, STEPS[kind][1])
    assert neighbours(kind, CHECK) == (READERS, None)
    assert step_of(kind, "check") is CHECK
    assert step_of(kind, "elsewhere") is None


def test_an_error_leads_to_the_step_that_asks_for_its_field() -> None:
    assert step_with(Kind.NEED, "trl").name == "terms"
    assert step_with(Kind.OFFER, "trl").name == "readiness"
    assert step_with(Kind.NEED, "country").name == "place"
    assert step_with(Kind.OFFER, "en.title") is READERS


def test_hints_stand_beside_fields_that_are_there() -> None:
    assert set(HINTS) <= set(FIELD_BY_NAME)
