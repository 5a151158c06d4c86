"""A need as its requirements: what must hold, in its own words, one thing a row."""

from __future__ import annotations

from techex.interchange.demo import demo_exchange
from techex.listings.rules import Kind
from techex.matching.requirements import MOST_REQUIREMENTS, requirements_of


def texts(language: str, **fields: str) -> list[str]:
    return [requirement.text for requirement in requirements_of(fields, language)]


def test_items_between_semicolons_are_requirements_of_their_own() -> None:
    found = texts("vi", required_result="Đúng từ 97% số trường; không quá 20 giây mỗi trang; kết nối bằng API.")
    assert found == ["Đúng từ 97% số trường", "không quá 20 giây mỗi trang", "kết nối bằng API"]


def test_bounds_between_commas_are_parted_and_plain_enumerations_are_not() -> None:
    found = texts("en", required_result="TAN below 1 mg/l, nitrite below 2 mg/l until harvest. Cotton, wool and silk.")
    assert found == ["TAN below 1 mg/l", "nitrite below 2 mg/l until harvest", "Cotton, wool and silk"]


def test_a_list_with_bullets_loses_its_bullets_only() -> None:
    assert texts("en", required_result="- no chlorine\n- at most 25 kW\n3) two operators") == [
        "no chlorine",
        "at most 25 kW",
        "two operators",
    ]


def test_commas_of_eastern_languages_part_bounds_too() -> None:
    found = texts("ko", required_result="누설률 1.5% 이하, 사이클 증가 3초 이내, 기존 기계에 장착.")
    assert found == ["누설률 1.5% 이하", "사이클 증가 3초 이내, 기존 기계에 장착"]


def test_of_the_problem_only_sentences_that_ask_are_taken() -> None:
    found = texts("en", problem="Half of the fruit browns. We lose a third. We need a dryer that keeps the colour.")
    assert found == ["We need a dryer that keeps the colour"]


def test_what_the_summary_repeats_is_not_asked_twice() -> None:
    found = texts("vi", required_result="Nhiệt độ không quá 60 °C.", summary="Cần máy sấy không quá 60 °C.")
    assert found == ["Nhiệt độ không quá 60 °C"]


def test_a_need_that_states_only_a_summary_still_has_requirements() -> None:
    assert texts("nl", summary="Wij zoeken een droger van minstens 500 kg per dag.") == [
        "Wij zoeken een droger van minstens 500 kg per dag"
    ]


def test_every_requirement_of_the_demo_is_a_verbatim_part_of_its_need() -> None:
    for listing in demo_exchange().of_kind(Kind.NEED):
        found = requirements_of(listing.draft.values, listing.draft.language)
        assert 1 <= len(found) <= MOST_REQUIREMENTS, listing.key
        assert all(requirement.text in listing.draft.values[requirement.field] for requirement in found), listing.key
