"""One validator: what it takes, what it refuses, and in which words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from techex.errors import FieldErrors
from techex.listings.rules import Kind, ListingDraft
from techex.listings.validation import checked_draft

NEED = {
    "title": "Sấy nhãn bằng năng lượng mặt trời",
    "summary": "Cần hệ thống sấy nhãn giữ màu và mùi, dùng điện mặt trời mái nhà.",
}
OFFER = NEED | {
    "description": "Buồng sấy bơm nhiệt hai cấp, hút ẩm bằng vật liệu hấp phụ, điều khiển theo độ ẩm quả, "
    "công suất 500 kg mỗi mẻ.",
    "advantages": "So với sấy hơi nước, tiết kiệm 38 % điện.",
}


def _checked(kind: Kind = Kind.NEED, over: dict[str, Any] | None = None, **envelope: Any) -> ListingDraft:
    raw = (NEED if kind is Kind.NEED else OFFER) | (over or {})
    return checked_draft(kind, raw, **({"language": "vi", "country": "VN", "province": "33"} | envelope))


def _error(over: dict[str, Any], kind: Kind = Kind.NEED, **envelope: Any) -> dict[str, str]:
    with pytest.raises(FieldErrors) as caught:
        _checked(kind, over, **envelope)
    return caught.value.fields


def test_a_plain_need_passes_with_only_title_and_summary() -> None:
    assert _checked().values == NEED


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = _error({"title": "ngắn", "trl": "12", "deadline": "31/02/2027", "budget_min": "1.000,50"}, country="XX")
    assert set(wrong) == {"title", "trl", "deadline", "budget_min", "country"}


@pytest.mark.parametrize("length", [10, 160])
def test_a_title_at_its_limits_passes(length: int) -> None:
    assert _checked(over={"title": "ấ" * length})


@pytest.mark.parametrize("length", [9, 161])
def test_a_title_beyond_its_limits_is_told_how_long_it_is(length: int) -> None:
    assert f"{length} characters" in _error({"title": "𠮷" * length})["title"]


def test_a_title_of_emoji_needs_letters() -> None:
    assert "letters or digits" in _error({"title": "🙂" * 20})["title"]


@pytest.mark.parametrize("value", [4, "4", " 4 ", "TRL 4", "trl4", 4.0])
def test_readiness_is_read_as_people_write_it(value: object) -> None:
    assert _checked(over={"trl": value}).values["trl"] == 4


@pytest.mark.parametrize("value", [0, 10, 4.5, "4-5", "bốn", "４", True, -1, "1e0", [4]])
def test_readiness_outside_one_to_nine_is_refused(value: object) -> None:
    assert "1 to 9" in _error({"trl": value})["trl"]


@pytest.mark.parametrize("value", [0, "250000000", "12.5", 1e9])
def test_plain_amounts_pass(value: object) -> None:
    assert _checked(over={"budget_max": value, "currency": "VND"}).values["budget_max"] == float(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["1,000.50", "1.000,50", "-5", -5, "NaN", float("nan"), float("inf"), "1e400", "1_000", "٣", "0x10", True, 1e16],
)
def test_ambiguous_or_impossible_amounts_are_refused(value: object) -> None:
    assert "budget_max" in _error({"budget_max": value, "currency": "VND"})


def test_an_amount_without_currency_asks_for_it() -> None:
    assert "three letters" in _error({"budget_max": 5})["currency"]


def test_a_budget_upside_down_is_noticed() -> None:
    assert "less than" in _error({"budget_min": 9, "budget_max": 5, "currency": "VND"})["budget_max"]


@pytest.mark.parametrize("value", ["2027-06-30", date(2027, 6, 30)])
def test_iso_dates_pass(value: object) -> None:
    assert _checked(over={"deadline": value}).values["deadline"] == "2027-06-30"


@pytest.mark.parametrize(
    "value",
    [
        "31/02/2027",
        "2027-02-30",
        "12/11/2027",
        "0000-01-01",
        "10000-01-01",
        "2568-01-01",
        20270630,
        "2027-06-30T00:00Z",
    ],
)
def test_other_dates_are_refused(value: object) -> None:
    assert "year-month-day" in _error({"deadline": value})["deadline"]


@pytest.mark.parametrize(
    "value", ["assignment; joint_research", ["assignment", "joint_research"], "assignment|joint_research|assignment"]
)
def test_code_lists_are_read_from_text_or_lists(value: object) -> None:
    assert _checked(over={"transfer_forms": value}).values["transfer_forms"] == ["assignment", "joint_research"]


def test_unknown_codes_are_named_with_what_was_expected() -> None:
    assert "'licence'" in _error({"transfer_forms": "licence"})["transfer_forms"]
    assert "at most 3" in _error({"fields": ["101", "102", "103", "104"]})["fields"]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, 5, True, b"abc"])
def test_a_text_field_refuses_what_is_not_text(value: object) -> None:
    assert "expected text" in _error({"problem": value})["problem"]


def test_fields_of_the_other_kind_are_refused() -> None:
    assert "no such field" in _error({"ip_status": "granted"})["ip_status"]
    assert "no such field" in _error({"problem": "x"}, Kind.OFFER)["problem"]


def test_an_offer_needs_its_description() -> None:
    with pytest.raises(FieldErrors, match="description: is missing"):
        checked_draft(Kind.OFFER, NEED, language="vi", country="VN")


def test_a_province_abroad_is_refused() -> None:
    assert "Vietnam only" in _error({}, country="NL", province="33")["country"]


@pytest.mark.parametrize("field", ["title", "summary", "problem"])
def test_control_characters_are_refused_in_every_text_field(field: str) -> None:
    assert (
        "control character"
        in _error({field: "Sấy nhãn\x00 bằng năng lượng mặt trời và bơm nhiệt hai cấp tiết kiệm"})[field]
    )


ENGLISH = {
    "origin": "translation",
    "values": {
        "title": "Drying longan with solar power",
        "summary": "A drying system is sought that keeps colour and smell and runs on solar power.",
    },
}


def test_texts_in_further_languages_are_checked_by_the_same_limits() -> None:
    assert _checked(translations={"en": ENGLISH}).translations == {"en": ENGLISH}
    short = {"origin": "author", "values": {"title": "Drying", "summary": ""}}
    wrong = _error({}, translations={"en": short, "vi": ENGLISH, "xx": ENGLISH})
    assert set(wrong) == {"en.title", "en.summary", "vi", "xx"}
    assert "6 characters" in wrong["en.title"]


def test_an_unknown_origin_and_too_many_languages_are_refused() -> None:
    assert set(_error({}, translations={"en": ENGLISH | {"origin": "machine"}})) == {"en.origin"}
    many = dict.fromkeys(["en", "ko", "ja", "de", "fr", "nl"], ENGLISH)
    assert "at most 5" in _error({}, translations=many)["translations"]
