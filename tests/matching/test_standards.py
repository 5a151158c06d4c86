from __future__ import annotations

import pytest

from techex.matching.declared import declared_facts
from techex.matching.standards import standards_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Nhà máy phải đạt ISO 22000:2018 và HACCP.", ["ISO 22000", "HACCP"]),
        ("tested to EN 60204-1, IEC 61131-3 and IP66", ["EN 60204-1", "IEC 61131-3", "IP66"]),
        ("nước thải đạt QCVN 40:2011/BTNMT cột A", ["QCVN 40"]),
        ("符合GB/T 20999和HL7", ["GB/T 20999", "HL7"]),
        ("2 GB of memory, en 12 months, CE and iso", []),
        ("from 2018 to 2022, 9001 pieces", []),
    ],
)
def test_the_standards_a_text_names_are_found_as_written(text: str, names: list[str]) -> None:
    assert list(standards_in(text).values()) == names


@pytest.mark.parametrize("other", ["ISO/IEC 27001", "ISO 27001:2022", "ISO-27001", "TCVN ISO/IEC 27001"])
def test_one_standard_is_known_under_its_several_names(other: str) -> None:
    assert standards_in(other).keys() == standards_in("ISO 27001").keys()


def standard_fact(need: str, **offer: str) -> tuple[str, str, str] | None:
    facts = declared_facts({"constraints": need}, offer, None, None)
    return next(((fact.verdict, fact.need_value, fact.offer_value) for fact in facts if fact.name == "standards"), None)


def test_a_standard_that_is_named_anywhere_in_the_offer_is_met() -> None:
    assert standard_fact("ISO 22000 certified", description="made under ISO 22000:2018") == (
        "met",
        "ISO 22000",
        "ISO 22000",
    )


def test_a_standard_that_is_not_named_is_a_question_and_no_clash() -> None:
    assert standard_fact("ISO 22000 and HACCP", standards="HACCP") == ("unknown", "ISO 22000, HACCP", "HACCP")
    assert standard_fact("ISO 22000", description="clean") == ("unknown", "ISO 22000", "")


def test_a_need_that_names_no_standard_asks_for_none() -> None:
    assert standard_fact("clean and quiet", standards="ISO 9001") is None
