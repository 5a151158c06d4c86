"""Figures with their units, as people write them: numbers, ranges, bounds, rates, money, in nine languages."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.quantities.agreement import comparable, compare
from techex.quantities.figures import DECIMAL_COMMA, read_number
from techex.quantities.measured import Better, better_of, kinds_of
from techex.quantities.reading import Quantity, find_quantities
from techex.quantities.words import Relation


def one(text: str, language: str = "en") -> Quantity:
    found = find_quantities(text, language)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("figure", "language", "value"),
    [
        ("1.200", "vi", 1200),
        ("1.200", "en", 1.2),
        ("1,200", "en", 1200),
        ("1,200", "vi", 1.2),
        ("0,125", "en", 0.125),
        ("0.125", "vi", 0.125),
        ("3.5", "vi", 3.5),
        ("3,5", "ko", 3.5),
        ("1.234.567,5", "nl", 1234567.5),
        ("1,234,567.5", "zh", 1234567.5),
        ("12'500", "de", 12500),
    ],
)
def test_separators_are_read_as_the_language_writes_them(figure: str, language: str, value: float) -> None:
    assert read_number(figure, language) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "language", "low", "high", "over", "under"),
    [
        ("từ 60 đến 80 °C", "vi", 60, 80, "degC", ""),
        ("60~80 °C", "vi", 60, 80, "degC", ""),
        ("60–80 °C", "en", 60, 80, "degC", ""),
        ("between 15 and 30 °C", "en", 15, 30, "degC", ""),
        ("tussen 15 en 30 °C", "nl", 15, 30, "degC", ""),
        ("60 tot 80 graden", "nl", 60, 80, "degC", ""),
        ("antara 20 dan 25 mm", "id", 20, 25, "mm", ""),
        ("60도에서 80도까지", "ko", 60, 80, "degC", ""),
        ("65%至72%", "zh", 65, 72, "percent", ""),
        ("10 ± 1.5 %", "en", 8.5, 11.5, "percent", ""),
        ("pH 6–9", "en", 6, 9, "ph", ""),
        ("−20 °C", "en", -20, -20, "degC", ""),
        ("5 m³/h", "en", 5, 5, "m**3", "hour"),
        ("5 m3/giờ", "vi", 5, 5, "m**3", "hour"),
        ("400 m³ mỗi ngày", "vi", 400, 400, "m**3", "day"),
        ("12 kWh/tấn", "vi", 12, 12, "kWh", "t"),
        ("5 tấn quả/giờ", "vi", 5, 5, "t", "hour"),
        ("하루 20톤", "ko", 20, 20, "t", "day"),
        ("시간당 500 kg", "ko", 500, 500, "kg", "hour"),
        ("1日1.5トン", "ja", 1.5, 1.5, "t", "day"),
        ("每天处理20吨", "zh", 20, 20, "t", "day"),
        ("80度", "zh", 80, 80, "degC", ""),
        ("4,5 tỷ đồng", "vi", 4.5e9, 4.5e9, "VND", ""),
        ("25 juta rupiah", "id", 25e6, 25e6, "IDR", ""),
        ("USD 0.12 per litre", "en", 0.12, 0.12, "USD", "L"),
        ("€ 6 per m³", "nl", 6, 6, "EUR", "m**3"),
        ("8,600만 원", "ko", 86e6, 86e6, "KRW", ""),
        ("2억 2천만 원", "ko", 2.2e8, 2.2e8, "KRW", ""),
        ("1億2000万円", "ja", 1.2e8, 1.2e8, "JPY", ""),
        ("约11.5万元", "zh", 115000, 115000, "CNY", ""),
        ("1トンあたり12万円", "ja", 12e4, 12e4, "JPY", "t"),
        ("10⁴ CFU/ml", "en", 1e4, 1e4, "colony", "mL"),
        ("2 phút 30 giây", "vi", 2.5, 2.5, "minute", ""),
        ("eight hours", "en", 8, 8, "hour", ""),
        ("trong một ngày", "vi", 1, 1, "day", ""),
        ("au 1 500 kg/h", "fr", 1500, 1500, "kg", "hour"),
        ("3,5 t pro Tag", "de", 3.5, 3.5, "t", "day"),
    ],
)
def test_a_quantity_is_read_as_it_is_written(
    text: str, language: str, low: float, high: float, over: str, under: str
) -> None:
    found = one(text, language)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert (found.unit.over, found.unit.under) == (over, under)


@pytest.mark.parametrize(
    ("text", "language", "relation"),
    [
        *((text, "vi", Relation.AT_LEAST) for text in ("ít nhất 5 kg", "không dưới 5 kg", "từ 5 kg", "5 kg trở lên")),
        *((text, "vi", Relation.AT_MOST) for text in ("không quá 5 kg", "tối đa 5 kg", "dưới 5 kg", "≤ 5 kg")),
        *((text, "en", Relation.AT_LEAST) for text in ("at least 5 kg", "no less than 5 kg", "5 kg or more", ">5 kg")),
        *(
            (text, "en", Relation.AT_MOST)
            for text in ("at most 5 kg", "5 kg or less", "below 5 kg", "no piece over 5 kg")
        ),
        *((text, "id", Relation.AT_LEAST) for text in ("minimal 5 kg", "paling sedikit 5 kg", "5 kg atau lebih")),
        *((text, "id", Relation.AT_MOST) for text in ("maksimal 5 kg", "di bawah 5 kg", "tidak lebih dari 5 kg")),
        *((text, "nl", Relation.AT_LEAST) for text in ("minstens 5 kg", "ten minste 5 kg", "5 kg of meer")),
        *((text, "nl", Relation.AT_MOST) for text in ("hoogstens 5 kg", "ten hoogste 5 kg", "onder 5 kg")),
        *((text, "ko", Relation.AT_LEAST) for text in ("5 kg 이상", "최소 5 kg")),
        *((text, "ko", Relation.AT_MOST) for text in ("5 kg 이하", "5 kg 미만", "최대 5 kg")),
        *((text, "ja", Relation.AT_LEAST) for text in ("5 kg以上", "少なくとも5 kg")),
        *((text, "ja", Relation.AT_MOST) for text in ("5 kg以下", "5 kg未満", "5 kg以内")),
        *((text, "zh", Relation.AT_LEAST) for text in ("不低于5 kg", "至少5 kg", "5 kg以上")),
        *((text, "zh", Relation.AT_MOST) for text in ("不超过5 kg", "最多5 kg", "不得高出5 kg以上")),
        *((text, "de", Relation.AT_LEAST) for text in ("mindestens 5 kg",)),
        *((text, "fr", Relation.AT_MOST) for text in ("au plus 5 kg",)),
        ("up to 5 kg", "en", Relation.UP_TO),
        ("khoảng 5 kg", "vi", Relation.ABOUT),
    ],
)
def test_words_of_a_bound_are_understood(text: str, language: str, relation: Relation) -> None:
    assert one(text, language).relation is relation


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("từ 9/2025 đến 8/2026", "vi"),
        ("2024년 3월부터", "ko"),
        ("2025年3月", "ja"),
        ("ISO 9001:2015, TCVN 7473", "en"),
        ("PM2.5, CO2, IEC 60870-5-104", "en"),
        ("VN-2000 frame, 3 operators", "en"),
        ("a hall of 12 × 9", "en"),
        ("10分の1", "ja"),
    ],
)
def test_years_names_and_bare_numbers_are_no_quantities(text: str, language: str) -> None:
    assert find_quantities(text, language) == []


@pytest.mark.parametrize(
    ("text", "language", "own"),
    [
        ("So với gõ tay 9 phút, một hồ sơ còn 3 phút", "vi", "3 phút"),
        ("Against tanks: nitrite 1.7 mg/l instead of 7.9 mg/l", "en", "1.7 mg/l"),
        ("상용 제품 77%보다 높은 96%", "ko", "96%"),
    ],
)
def test_the_figure_of_an_alternative_is_not_the_things_own(text: str, language: str, own: str) -> None:
    assert [found.written for found in find_quantities(text, language) if not found.baseline] == [own]


def test_of_a_change_only_what_is_reached_counts() -> None:
    found = one("chi phí giảm từ 9 xuống 2,8 triệu đồng", "vi")
    assert (found.low, found.reached) == (2.8e6, True)


def test_what_is_measured_is_told_by_the_words_beside_it() -> None:
    recovered, wrong = find_quantities("Thu hồi 95 % niken; báo động giả 2 %", "vi")
    assert "recovery" in kinds_of(recovered)
    assert better_of(recovered) is Better.HIGHER
    assert better_of(wrong) is Better.LOWER
    assert not comparable(recovered, wrong)


@pytest.mark.parametrize(
    ("asked", "offered", "holds"),
    [
        ("at least 80 °C", "dries at 60 °C", "contradicts"),
        ("at least 80 °C", "up to 90 °C", "met"),
        ("at most 60 °C", "dries at 60 °C", "met"),
        ("at most 60 °C", "between 70 and 80 °C", "contradicts"),
        ("capacity of at least 300 kg/h", "up to 500 kg/h", "met"),
        ("capacity of at least 300 kg/h", "2 t/h", "met"),
        ("at least 2 t/h", "0.9 t/h", "contradicts"),
        ("energy below 40 kWh/t", "0.03 kWh/kg", "met"),
        ("energy below 40 kWh/t", "0.06 kWh/kg", "contradicts"),
        ("accuracy of at least 95 %", "accuracy above 90 %", "contradicts"),
        ("accuracy of at least 95 %", "accuracy of 94 to 97 %", "open"),
        ("within 10 minutes", "ready within 480 s", "met"),
        ("20–30 µm", "25 µm", "met"),
        ("20–30 µm", "60 µm", "contradicts"),
    ],
)
def test_quantities_are_compared_as_quantities(asked: str, offered: str, holds: str) -> None:
    wanted, stated = one(asked), one(offered)
    assert comparable(wanted, stated)
    assert compare(wanted, stated).holds == holds


def test_daily_and_hourly_capacity_do_not_contradict_each_other_lightly() -> None:
    assert compare(one("at least 2 t/h"), one("20 t/day")).holds == "open"


def test_pressure_is_not_energy_per_volume() -> None:
    assert not comparable(one("at most 5 bar"), one("5 kWh/m³"))


def test_seconds_of_work_and_years_of_life_are_not_held_against_each_other() -> None:
    assert not comparable(one("at most 20 seconds"), one("15 years"))


def test_moneys_of_two_currencies_are_not_compared() -> None:
    assert not comparable(one("below USD 100"), one("90 EUR"))


@given(st.text(max_size=200), st.sampled_from(["vi", "en", "id", "nl", "ko", "ja", "zh", "de", "fr", "und"]))
def test_any_text_is_read_without_failing_and_every_quantity_stands_in_it(text: str, language: str) -> None:
    for found in find_quantities(text, language):
        assert found.text in text
        assert found.written in text
        assert 0 <= found.start < found.end <= len(text)


@given(st.decimals(min_value="0.1", max_value="999999", places=2), st.sampled_from(["vi", "en", "nl", "ko", "id"]))
def test_a_number_written_in_a_language_is_read_back(value: object, language: str) -> None:
    written = f"{value:,.2f}"
    if language in DECIMAL_COMMA:
        written = written.translate(str.maketrans(",.", ".,"))
    assert one(f"{written} kg", language).low == pytest.approx(float(str(value)))


@given(
    st.floats(min_value=1, max_value=1e4),
    st.floats(min_value=1, max_value=1e4),
    st.sampled_from(["at least {} kg/h", "at most {} kg/h"]),
)
def test_a_verdict_does_not_depend_on_the_unit_it_is_written_in(first: float, second: float, template: str) -> None:
    asked = one(template.format(f"{first:.3f}"))
    kilograms, grams = one(f"{second:.3f} kg/h"), one(f"{second * 1000:.0f} g/h")
    if abs(first - second) > 0.01 * first:
        assert compare(asked, kilograms).holds == compare(asked, grams).holds


@given(st.floats(min_value=1, max_value=1e4), st.floats(min_value=1, max_value=1e4))
def test_at_least_and_at_most_are_never_both_missed(bound: float, value: float) -> None:
    stated = one(f"{value:.3f} MPa")
    verdicts = {compare(one(f"{words} {bound:.3f} MPa"), stated).holds for words in ("at least", "at most")}
    assert "met" in verdicts
    assert verdicts <= {"met", "contradicts"}


def test_the_library_of_units_is_loaded_only_when_a_quantity_is_read() -> None:
    code = "import sys, techex.cli, techex.matching.table; sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
