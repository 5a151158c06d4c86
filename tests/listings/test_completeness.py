"""The meter: what a listing lacks, what each part weighs, and what counts as a figure or a named alternative."""

from __future__ import annotations

import pytest

from techex.interchange.demo import demo_exchange
from techex.listings.completeness import FULL, POINTS, meter
from techex.listings.figures import has_figure, names_alternative
from techex.listings.rules import Kind, fields_of


@pytest.mark.parametrize("kind", Kind)
def test_the_weights_add_up_to_a_hundred_and_name_fields_of_their_kind(kind: Kind) -> None:
    assert sum(point.weight for point in POINTS[kind]) == FULL
    assert {point.field for point in POINTS[kind]} <= {rule.name for rule in fields_of(kind)}


@pytest.mark.parametrize("kind", Kind)
def test_nothing_said_is_nothing_complete(kind: Kind) -> None:
    found = meter(kind, {})
    assert found.score == 0
    assert found.missing[0].weight == max(point.weight for point in POINTS[kind])


def test_a_required_result_without_a_figure_is_half_a_result() -> None:
    without = meter(Kind.NEED, {"required_result": "Nước sạch hơn nhiều."})
    with_one = meter(Kind.NEED, {"required_result": "Độ màu dưới 50 Pt-Co."})
    honest = meter(Kind.NEED, {"required_result": "Mức cụ thể chưa xác định, cần tư vấn."})
    assert with_one.score - without.score == 15
    assert honest.score == with_one.score


@pytest.mark.parametrize(
    "text",
    [
        *("dưới 50 mg/l", "400 m³ mỗi ngày", "giảm 30%", "giảm 30 %", "ở 80 °C", "1.200 kWh/tháng", "50 triệu đồng"),
        *(
            "within 24 hours",
            "pH 6",
            "pH < 6",
            "less than 0.5 mm",
            "99,9 %",
            "500kg per batch",
            "3 tỷ",
            "25 °",
            "60개월",
        ),
    ],
)
def test_a_number_with_its_unit_is_a_figure(text: str) -> None:
    assert has_figure(text)


@pytest.mark.parametrize(
    "text",
    ["hiệu quả cao", "better quality", "5", "in 3 steps of improvement", "TRL 7", "ISO 22000", "3 giải pháp"],
)
def test_a_bare_number_is_none(text: str) -> None:
    assert not has_figure(text)


@pytest.mark.parametrize(
    "text",
    [
        *("So với sấy hơi nước, tiết kiệm 38 % điện.", "38 % less power than steam drying", "thay vì than đá"),
        *(
            "Rẻ hơn màng RO nhập khẩu 40 %.",
            "replaces chemical dosing",
            "기존 증기 건조보다 38% 절감",
            "与蒸汽干燥相比",
        ),
        *(
            "従来の蒸気乾燥より38%省エネ",
            "lebih hemat daripada pengeringan uap",
            "38 % minder dan? vergeleken met stoom",
        ),
    ],
)
def test_a_benefit_over_something_with_a_name_is_recognised(text: str) -> None:
    assert names_alternative(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Tốt hơn nữa.",
            "Hiệu quả hơn các sản phẩm khác.",
            "better than others",
            "cheaper than conventional methods.",
        ),
        *("Chất lượng cao, giá rẻ.", "High efficiency and low cost.", "Tốt hơn trước đây."),
    ],
)
def test_a_benefit_over_nobody_is_not(text: str) -> None:
    assert not names_alternative(text)


def test_the_listings_of_the_demo_which_were_written_with_care_are_mostly_complete() -> None:
    scores = {
        kind: sorted(meter(kind, listing.draft.values).score for listing in demo_exchange().of_kind(kind))
        for kind in Kind
    }
    for kind in Kind:
        assert scores[kind][len(scores[kind]) // 2] >= 80, kind
