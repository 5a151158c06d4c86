"""What a reader can check in a text: figures with their units, and the alternative that a benefit is measured by; pure.

A rough look, for the form's advice only: matching reads quantities with its own parser, which stands above this domain.
"""

from __future__ import annotations

import re

# As people write them after a number. Long words first, so that "mg/l" is not read as "m".
UNITS = (
    *("%", "‰", "°C", "°F", "℃", "°", "percent", "phần trăm", "per cent"),
    *("mg/l", "g/l", "µg", "mcg", "mg", "kg", "g", "tấn", "tạ", "tonnes", "tonne", "tons", "ton", "t", "lb"),
    *("m³", "m3", "m²", "m2", "ha", "km", "cm", "mm", "µm", "nm", "m", "lít", "litres", "liters", "litre", "ml", "l"),
    *("kWh", "MWh", "kW", "MW", "kVA", "W", "kV", "V", "mA", "A", "GHz", "MHz", "kHz", "Hz", "MPa", "kPa", "Pa", "bar"),
    *("ppm", "ppb", "Pt-Co", "NTU", "dB", "lux", "CFU", "pH", "J", "kJ", "MJ", "kcal", "rpm", "GB", "MB", "TB"),
    *("giờ", "phút", "giây", "ngày", "tuần", "tháng", "năm", "ca", "mẻ", "lần", "vụ", "con", "cây", "sản phẩm"),
    *("hours", "hour", "minutes", "minute", "seconds", "second", "days", "day", "weeks", "week", "months", "month"),
    *("years", "year", "batches", "batch", "times", "units", "pieces", "people", "người", "h", "s", "min"),
    *("đồng", "triệu", "tỷ", "nghìn", "VND", "USD", "EUR", "đ", "₫", "$", "€", "million", "billion"),
    *(
        "개월",
        "시간",
        "도",
        "년",
        "톤",
        "일",
        "时间",
        "小时",
        "吨",
        "天",
        "年",
        "万",
        "度",
        "時間",
        "トン",
        "日",
        "分",
        "円",
        "元",
    ),
)
_NUMBER = r"(?<![\w.,])[0-9]++(?:[.,  ][0-9]++){0,6}+"
_UNIT = "|".join(sorted((re.escape(unit) for unit in UNITS), key=len, reverse=True))
_FIGURE = re.compile(rf"(?:{_NUMBER}\s?(?:{_UNIT})(?![a-zà-ỹ])|pH\s?[<>≤≥=]?\s?[0-9])", re.IGNORECASE)
_NOT_KNOWN = re.compile(r"chưa biết|chưa xác định|chưa rõ|not yet known|not known yet|unknown so far", re.IGNORECASE)

# How a comparison names what it is compared with, in the languages a listing may be written in.
COMPARISONS = (
    *("so với", "hơn", "thay vì", "thay cho", "thay thế", "khác với", "bằng một"),
    *("compared with", "compared to", "than", "instead of", "versus", "vs", "replaces", "replacing", "unlike", "over"),
    *("dibandingkan", "daripada", "berbanding", "vergeleken met", "in plaats van", "gegenüber", "statt", "als"),
    *("par rapport", "au lieu", "comparado", "en lugar de", "frente a", "em vez de", "по сравнению", "вместо", "чем"),
)
_COMPARISON = re.compile(
    rf"(?<!\w)(?:{'|'.join(re.escape(word) for word in COMPARISONS)})\.?\s+(?P<what>[^.;!?\n]{{3,}})", re.IGNORECASE
)
_EASTERN_COMPARISON = re.compile(
    r"\S보다|\S\s?대비|에 비해|\Sより|に比べ|と比較|相比|较\S|比\S{2}|代替|เมื่อเทียบ|กว่า|ກວ່າ|ជាង"
)
# What follows a comparison and yet names nothing.
_NOBODY = re.compile(
    r"(?:nữa|hết|cả|trước(?: đây| kia)?|bình thường|ever(?: before)?|before|usual|others?|the rest|average|most"
    r"|(?:các )?(?:sản phẩm|công nghệ|giải pháp|phương pháp) (?:khác|hiện có|cùng loại|thông thường)"
    r"|(?:other|existing|conventional|similar|competing|current) "
    r"(?:products?|technologies|technology|solutions?|methods?|systems?))\W*$",
    re.IGNORECASE,
)


def has_figure(text: str) -> bool:
    """True where a number stands with its unit, as in "400 m³" or "dưới 50 mg/l"."""
    return _FIGURE.search(text) is not None


def is_said_not_to_be_known(text: str) -> bool:
    """True where the text says that the figure is not known yet, which is as honest as a figure."""
    return _NOT_KNOWN.search(text) is not None


def names_alternative(text: str) -> bool:
    """True where a benefit is compared with something that has a name: "than steam drying", not "than others"."""
    if _EASTERN_COMPARISON.search(text):
        return True
    return any(not _NOBODY.match(found.group("what").strip()) for found in _COMPARISON.finditer(text))
