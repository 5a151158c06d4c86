"""What gives an owner away is found however it is written; what only looks like it is left alone."""

from __future__ import annotations

import unicodedata

import pytest

from techex.interchange.demo import demo_exchange
from techex.listings.linting import Known, Tells, file_tells, lint, texts_of

DYER = Known(
    ("Công ty TNHH Dệt nhuộm Phú Thịnh", "Phu Thinh Dyeing Co., Ltd"),
    ("Nguyễn Thị Thu Hà",),
    "https://www.phuthinhdyeing.vn",
)
CAN_THO = Known(("Trường Đại học Cần Thơ", "Can Tho University"), ("Trần Văn An",), "https://ctu.edu.vn")


def _tells(text: str, known: Known = DYER, *, anonymous: bool = True, language: str = "vi") -> set[Tells]:
    return {finding.tells for finding in lint({"problem": text}, language, anonymous=anonymous, known=known)}


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("Công ty TNHH Dệt nhuộm Phú Thịnh cần xử lý nước.", Tells.ORGANISATION),
        ("Tại Phú Thịnh chúng tôi đang vận hành bể sinh học.", Tells.ORGANISATION),
        ("tai phu thinh chung toi dang van hanh", Tells.ORGANISATION),
        ("PHU THINH DYEING needs a treatment step", Tells.ORGANISATION),
        ("Xem phuthinhdyeing để biết thêm", Tells.ORGANISATION),
        ("Liên hệ chị Hà để biết thêm", Tells.PERSON),
        ("Nguyễn Thị Thu Hà phụ trách", Tells.PERSON),
        ("do Thu Hà phụ trách", Tells.PERSON),
        ("Ms. Ha will answer", Tells.PERSON),
        ("gửi về ha.nguyen@phuthinh.vn", Tells.EMAIL),
        ("ha.nguyen (at) gmail.com", Tells.EMAIL),
        ("gọi 0912 345 678", Tells.PHONE),
        ("gọi 0912345678 ngay", Tells.PHONE),
        ("ĐT: (0251) 3822 123", Tells.PHONE),
        ("024.3869.4242", Tells.PHONE),
        ("+84 24 3869 4242", Tells.PHONE),
        ("+84912345678", Tells.PHONE),
        ("hotline 1900 1234", Tells.PHONE),
        ("call +31 20 123 4567", Tells.PHONE),
        ("https://example.com/a?b=c", Tells.LINK),
        ("www.example.vn", Tells.LINK),
        ("trang phuthinh.com.vn có ảnh", Tells.LINK),
        ("bằng số 1-0023456", Tells.PATENT),
        ("đơn 1-2021-04567 đã nộp", Tells.PATENT),
        ("WO2019/123456", Tells.PATENT),
        ("US 10,123,456 B2", Tells.PATENT),
        ("EP1234567B1", Tells.PATENT),
        ("PCT/VN2019/000012", Tells.PATENT),
        ("Patent No. 12345", Tells.PATENT),
        ("bằng sáng chế số 12345", Tells.PATENT),
    ],
)
def test_what_gives_the_owner_away_is_found(text: str, tells: Tells) -> None:
    assert tells in _tells(text)
    assert tells in _tells(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    "text",
    [
        *("Nước thải 400 m³ mỗi ngày, độ màu 300 Pt-Co.", "Ngân sách 250000000 đồng", "từ 2024-2027", "ISO 9001:2015"),
        *("Chi phí 1.200.000.000 VND", "TCVN 5945:2005", "pH 6.5-8.5", "QCVN 13-MT:2015/BTNMT", "tỷ lệ 1:10", "0,5 %"),
        *("Công ty chúng tôi sản xuất vải.", "gia đình đông con, hà khắc", "Node.js", "0.25 mm; 0.912 kg"),
        *(
            "2026-11-22",
            "công suất 0912 kW",
            "CO2 150 ppm",
            "US 250,000 a year",
            "dệt may và nhuộm",
            "khoảng 300.000 m3",
        ),
    ],
)
def test_figures_and_common_words_give_nobody_away(text: str) -> None:
    assert _tells(text) == set()


def test_a_university_named_after_its_city_is_not_given_away_by_the_city() -> None:
    assert _tells("Nông dân Cần Thơ trồng nhãn.", CAN_THO) == set()
    assert Tells.ORGANISATION in _tells("Do Trường Đại học Cần Thơ nghiên cứu.", CAN_THO)
    assert Tells.ORGANISATION in _tells("Do Đại học Cần Thơ nghiên cứu.", CAN_THO)


def test_everything_in_an_anonymous_listing_that_tells_must_go_and_elsewhere_addresses_are_a_note() -> None:
    text = {"problem": "Phú Thịnh, ha@phuthinh.vn"}
    assert all(f.blocks for f in lint(text, "vi", anonymous=True, known=DYER))
    open_ones = lint(text, "vi", anonymous=False, known=DYER)
    assert [(f.tells, f.blocks) for f in open_ones] == [(Tells.EMAIL, False)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("vi", "Chúng tôi cần công nghệ hiện đại, tiên tiến, giá rẻ."),
        ("en", "A state-of-the-art, highly efficient and cost-effective solution."),
    ],
)
def test_words_that_promise_and_say_nothing_are_noted(language: str, text: str) -> None:
    findings = lint({"summary": text}, language, anonymous=False, known=DYER)
    assert len(findings) == 3
    assert not any(finding.blocks for finding in findings)


def test_a_promise_with_its_figure_is_no_empty_one() -> None:
    assert _tells("High efficiency of 94 % at full load", anonymous=False, language="en") == set()


def test_a_file_name_may_give_the_owner_away_too() -> None:
    assert file_tells("PhuThinh_catalogue-2026.pdf", DYER) is not None
    assert file_tells("so-do-cong-nghe.pdf", DYER) is None


def test_the_listings_of_the_demo_hold_no_address() -> None:
    found = [
        (listing.key, finding.excerpt)
        for listing in demo_exchange().listings
        for finding in lint(texts_of(listing.draft.values), listing.draft.language, anonymous=False, known=Known())
        if finding.tells is not Tells.VAGUE
    ]
    assert found == []
