"""Places are found by the names that people use, old ones included."""

from __future__ import annotations

import re
import unicodedata

import pytest

from techex.errors import BadInput
from techex.regions import service
from techex.regions.rules import Place


def test_there_are_34_provinces_in_six_regions_each_in_exactly_one() -> None:
    assert len(service.provinces()) == 34
    held = [code for region in service.regions().values() for code in region.provinces]
    assert sorted(held) == sorted(service.provinces())
    assert all(
        service.region_of(code) == region.code for region in service.regions().values() for code in region.provinces
    )


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Hưng Yên", Place("VN", "33")),
        ("hung yen", Place("VN", "33")),
        (unicodedata.normalize("NFD", "Tỉnh Hưng Yên"), Place("VN", "33")),
        ("TP. Hồ Chí Minh", Place("VN", "79")),
        ("Đồng Tháp", Place("VN", "82")),
        ("dong thap", Place("VN", "82")),
        ("Thái Bình", Place("VN", "33")),
        ("Bình Dương", Place("VN", "79")),
        ("Hà Lan", Place("NL")),
        ("Netherlands", Place("NL")),
        ("NL", Place("NL")),
        ("33", Place("VN", "33")),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_places_are_found_by_today_s_and_former_names(name: str, place: Place | None) -> None:
    assert service.find_place(name) == place


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Mekong River Delta", "MEKONG_DELTA"),
        ("dong bang song cuu long", "MEKONG_DELTA"),
        ("southeast", "SOUTHEAST"),
        ("Hưng Yên", None),
    ],
)
def test_regions_are_found_by_name(name: str, region: str | None) -> None:
    assert service.find_region(name) == region


def test_names_follow_the_reader_s_language() -> None:
    assert service.place_name(Place("VN", "92"), "vi") == "Cần Thơ"
    assert service.place_name(Place("VN", "92"), "en") == "Can Tho"
    assert service.place_name(Place("NL"), "vi") == "Hà Lan"
    assert service.place_name(Place("NL"), "en") == "Netherlands"


def test_distances_are_those_of_the_atlas() -> None:
    hanoi, saigon = Place("VN", "01"), Place("VN", "79")
    assert service.distance_between(hanoi, saigon) == pytest.approx(1140, rel=0.05)
    assert service.distance_between(hanoi, hanoi) == 0
    assert service.distance_between(Place("NL"), Place("NL")) is None
    assert service.distance_between(Place("NL"), Place("AQ")) is None


@pytest.mark.parametrize(
    ("country", "province"), [("XX", None), ("vn", None), ("NL", "33"), ("VN", "02"), ("VN", "Hà Nội")]
)
def test_unknown_codes_are_refused_with_what_was_expected(country: str, province: str | None) -> None:
    with pytest.raises(BadInput, match=r"xpected|Vietnam only"):
        service.check_place(country, province)


def test_every_province_is_drawn_inside_the_map_and_the_far_islands_with_theirs() -> None:
    drawn = service.province_map()
    assert set(drawn.provinces) == set(service.provinces())
    for outline in drawn.provinces.values():
        numbers = [float(number) for number in re.findall(r"[0-9.]+", outline.path)]
        assert len(numbers) > 10
        assert 0 <= min(numbers[::2]) <= max(numbers[::2]) <= drawn.width
        assert 0 <= min(numbers[1::2]) <= max(numbers[1::2]) <= drawn.height
    assert [code for code, outline in drawn.provinces.items() if outline.islands] == ["48", "56"]
