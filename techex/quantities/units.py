"""Units as people write them in nine languages, and what they measure. Pure; `pint` does the arithmetic.

A spelling becomes a name that pint knows ("tấn/ngày" -> t/day); pint gives the dimension, so that only like is
compared with like, and the factor to a common unit. pint takes half a second to start and is imported at first use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pint import UnitRegistry

# Names for pint on the left; on the right the symbols, which are told apart by case ("mW", "MW").
_SYMBOLS: Mapping[str, str] = {
    "degC": "°C ℃ ºC °c",
    "slope_degree": "°",
    "percent": "% ％",
    "permille": "‰",
    "percentage_point": "%p %-p",
    "ppm": "ppm",
    "ppb": "ppb",
    "kg": "kg Kg KG",
    "g": "g gr gCO₂ gCO2",
    "mg": "mg",
    "ug": "µg μg ug mcg",
    "ng": "ng",
    "t": "t",
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "km": "km",
    "um": "µm μm um",
    "nm": "nm",
    "mm**2": "mm² mm2",
    "cm**2": "cm² cm2",
    "m**2": "m² m2 ㎡",
    "km**2": "km² km2",
    "hectare": "ha",
    "m**3": "m³ m3 ㎥ Nm³ Nm3 cbm",
    "L": "L l",
    "mL": "mL ml",
    "uL": "µL μL µl μl uL",
    "s": "s",
    "ms": "ms",
    "minute": "min",
    "hour": "h hr hrs",
    "kWh": "kWh kwh KWh KWH",
    "MWh": "MWh",
    "GWh": "GWh",
    "Wh": "Wh",
    "J": "J",
    "kJ": "kJ",
    "MJ": "MJ",
    "GJ": "GJ",
    "kcal": "kcal",
    "W": "W Wp",
    "kW": "kW kWp KW kw",
    "MW": "MW MWp",
    "kVA": "kVA",
    "bar": "bar",
    "mbar": "mbar",
    "Pa": "Pa",
    "kPa": "kPa",
    "MPa": "MPa",
    "mmHg": "mmHg",
    "V": "V",
    "kV": "kV",
    "A": "A",
    "mA": "mA",
    "kA": "kA",
    "ampere_hour": "Ah",
    "milliampere_hour": "mAh",
    "ohm": "Ω ohm",
    "kohm": "kΩ",
    "Hz": "Hz",
    "kHz": "kHz",
    "MHz": "MHz",
    "GHz": "GHz",
    "storage_gb": "GB",
    "storage_mb": "MB",
    "storage_tb": "TB",
    "speed_mbit": "Mbit/s Mbps",
    "speed_gbit": "Gbit/s Gbps",
    "dot_per_inch": "dpi",
    "mol": "mol",
    "mmol": "mmol",
    "mS": "mS",
    "uS": "µS μS uS",
    "mSv": "mSv",
    "activity": "Bq",
    "decibel_a": "dB(A) dBA dB",
    "lx": "lux lx",
    "turbidity": "NTU",
    "colour": "Pt-Co PtCo",
    "colony": "CFU cfu",
    "log_step": "log10 log",
    "turns_per_minute": "rpm",
    "newton": "N",
    "kilonewton": "kN",
    "VND": "VND VNĐ vnđ đ ₫",
    "USD": "USD US$ $",
    "EUR": "EUR €",
    "KRW": "KRW ₩",
    "JPY": "JPY ¥",
    "CNY": "CNY RMB",
    "IDR": "IDR Rp Rp.",
    "SGD": "SGD S$",
    "GBP": "GBP £",
    "THB": "THB",
    "MYR": "MYR RM",
}
# Words, told apart without case; a space stands for any white space.
_WORDS: Mapping[str, str] = {
    "degC": "độ c|oc|degrees c|degrees celsius|deg c|derajat celsius|derajat|graden celsius|graden|grad celsius|grad"
    "|degrés|도|섭씨|度|摄氏度",
    "percent": "percent|per cent|phần trăm|persen|procent|prozent|pour cent|퍼센트|パーセント|个百分点",
    "percentage_point": "điểm phần trăm|điểm %|percentage points|percentage point|procentpunten|procentpunt"
    "|poin persen|%포인트|포인트|ポイント|百分点",
    "kg": "kilogram|kilograms|kilo|ki-lô-gam|킬로그램|キログラム|公斤|千克",
    "g": "gam|gram|gramme|grammes|grams|그램|グラム|克",
    "t": "tấn|ton|tons|tonne|tonnes|tonnen|톤|トン|吨",
    "quintal": "tạ",
    "m": "mét|meter|meters|metre|metres|mètre|mètres|미터|メートル|米",
    "km": "kilometer|kilometers|kilometres|km đường|킬로미터|公里|千米",
    "mm": "milimét|milimet|millimeter|밀리미터|ミリ|毫米",
    "cm": "centimet|centimeter|sentimeter|센티미터|センチ|厘米",
    "um": "micron|microns|micromet|mikron|마이크로미터|微米|ミクロン",
    "m**2": "mét vuông|square metres|square meters|meter persegi|vierkante meter|제곱미터|平方米|平米|平方メートル",
    "hectare": "héc-ta|hecta|héc ta|hectare|hectares|hektar|헥타르|ヘクタール|公顷",
    "m**3": "mét khối|khối|cubic metres|cubic meters|meter kubik|kubieke meter|kuub|세제곱미터|立方米|立方メートル",
    "L": "lít|lit|liter|liters|litre|litres|리터|リットル|升",
    "mL": "millilitres|milliliters|mililit|mililiter|밀리리터|ミリリットル|毫升",
    "s": "giây|sec|second|seconds|detik|seconde|seconden|sekunde|sekunden|secondes|초|秒間|秒",
    "minute": "phút|minute|minutes|menit|minuut|minuten|분|分間|分钟|分",
    "hour": "giờ|tiếng|hour|hours|jam|uur|uren|stunde|stunden|heure|heures|시간|時間|小时|小時",
    "day": "ngày|ngày đêm|day|days|hari|dag|dagen|etmaal|tag|tage|tagen|jour|jours|일간|일|日間|日|天",
    "week": "tuần|week|weeks|minggu|pekan|weken|woche|wochen|semaine|semaines|주일|주|週間|周",
    "month": "tháng|month|months|bulan|maand|maanden|monat|monate|monaten|mois|개월|か月|ヶ月|カ月|ヵ月|箇月|个月",
    "year": "năm|year|years|tahun|jaar|jaren|jahr|jahre|jahren|an|ans|année|années|년|年間|年",
    "turns_per_minute": "vòng/phút|vòng mỗi phút|revolutions per minute|putaran per menit",
    "decibel_a": "đề-xi-ben|decibel|데시벨|デシベル|分贝",
    "kWh": "kilowatt-hours|số điện|킬로와트시|キロワット時|千瓦时|度电",
    "kW": "kilowatt|kilowatts|킬로와트|キロワット|千瓦",
    "W": "watt|watts|와트|ワット|瓦",
    "V": "volt|volts|볼트|ボルト|伏",
    "VND": "đồng|vnđ|dong|베트남 동|ドン|越南盾",
    "USD": "đô la|đô la mỹ|dollars|dollar|us dollars|달러|미국 달러|米ドル|ドル|美元",
    "EUR": "euro|euros|유로|ユーロ|欧元",
    "KRW": "원|won|ウォン|韩元",
    "JPY": "円|yen|yên|엔|日元",
    "CNY": "元|yuan|人民币|nhân dân tệ|tệ|위안",
    "IDR": "rupiah",
    "SGD": "đô la singapore|singapore dollars",
    "THB": "baht|bạt",
    "page": "trang|page|pages|halaman|pagina|pagina's|쪽|페이지|ページ|頁|页",
    "sample": "mẫu|sample|samples|sampel|monster|monsters|시료|検体|试样|样品",
    "person": "người|people|persons|orang|personen|mensen|명|人",
    "animal": "con|animals|head|ekor|dieren|마리|頭|羽|头|只",
    "plant": "cây|trees|plants|pohon|tanaman|planten|bomen|그루|株|棵",
    "cycle": "chu kỳ|chu trình|cycle|cycles|siklus|cyclus|cycli|사이클|サイクル|次循环",
    "batch": "mẻ|batch|batches|charge|배치|バッチ|批次|批",
    "household": "hộ|households|household|rumah tangga|huishoudens|가구|世帯|户",
    "vehicle": "xe|vehicles|kendaraan|voertuigen|대의 차량|辆",
    "record": "hồ sơ|bản ghi|records|berkas|dossiers|건|件",
    "image": "ảnh|images|gambar|beelden|장의 이미지|이미지|枚の画像|张图像",
    "piece": "chiếc|cái|sản phẩm|chai|pieces|bottles|units|buah|unit|botol|stuks|flessen|개|병|個|本|件产品|瓶|个",
}
# Counted things and moneys are dimensions of their own: nothing converts a page into a bottle, or dong into euro
# without the rate of a day.
_COUNTED = "page sample person animal plant cycle batch household vehicle record image piece item"
COUNTED = frozenset(_COUNTED.split())
_MONEYS = "VND USD EUR KRW JPY CNY IDR SGD GBP THB MYR"
_SCALES = (
    "percentage_point decibel_a turbidity colour colony log_step ph dot_per_inch slope_degree turns_per_minute activity"
)
# Where pint's own definition would mix what people keep apart (bytes and percent, decays and cycles a second).
_DEFINITIONS = (
    "permille = 0.001",
    "ppb = 1e-9",
    "quintal = 100 * kg",
    "storage_gb = [storage]",
    "storage_mb = 0.001 * storage_gb",
    "storage_tb = 1000 * storage_gb",
    "speed_mbit = [speed_of_data]",
    "speed_gbit = 1000 * speed_mbit",
)
CURRENCIES = frozenset(_MONEYS.split())

# What stands before the amount ("USD 28,000", "€ 6").
_BEFORE = ("VND", "USD", "EUR", "KRW", "JPY", "CNY", "IDR", "SGD", "GBP", "THB", "MYR")

TIME_NAMES = frozenset({"s", "ms", "minute", "hour", "day", "week", "month", "year"})


@dataclass(frozen=True)
class Unit:
    """A unit that pint understood: names of numerator and denominator ("" for none), and what both measure.

    The two are kept apart, since energy per volume and pressure have the same physical dimension.
    """

    over: str
    under: str
    dimension: str

    @property
    def is_money(self) -> bool:
        """True for an amount of money, also per something."""
        return self.over in CURRENCIES

    @property
    def is_count(self) -> bool:
        """True for things that are counted: pages, samples, bottles."""
        return self.over in COUNTED and not self.under

    @property
    def is_share(self) -> bool:
        """True for percent, per mille, ppm."""
        return self.dimension == "dimensionless"

    def base(self, value: float) -> float:
        """`value` in the common unit of its dimension; temperatures in degrees Celsius, shares in percent."""
        return value * _factor(self.over) / (_factor(self.under) if self.under else 1.0)


@cache
def unit_of(over: str, under: str = "") -> Unit:
    """The unit of one name above, or of one per another; raises pint's UndefinedUnitError for others."""
    return Unit(over, under, _dimension(over) + (f" per {_dimension(under)}" if under else ""))


@cache
def named(spelling: str) -> str:
    """pint's name for a spelling; raises KeyError for an unknown one."""
    spelling = re.sub(r"\s+", " ", spelling)
    return _BY_SYMBOL.get(spelling) or _BY_WORD[spelling.casefold()]


def _spellings() -> tuple[dict[str, str], dict[str, str]]:
    symbols = {symbol: name for name, row in _SYMBOLS.items() for symbol in row.split()}
    words = {word: name for name, row in _WORDS.items() for word in row.split("|")}
    return symbols, words


_BY_SYMBOL, _BY_WORD = _spellings()
_EAST = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff66-\uff9f]"


def _pattern(spellings: list[str], flags: str = "") -> str:
    alternatives = []
    for spelling in sorted(spellings, key=len, reverse=True):
        one = re.escape(spelling).replace(r"\ ", r"\s")
        # A Latin word ends where its letters end; an eastern one may be followed by a particle.
        alternatives.append(one if re.match(_EAST, spelling[-1]) or not spelling[-1].isalnum() else rf"{one}(?![^\W_])")
    return f"(?{flags}:{'|'.join(alternatives)})" if flags else f"(?:{'|'.join(alternatives)})"


# Eastern letters may follow a Latin symbol at once ("80kg의", "5mm以下"); Latin ones may not.
ATOM = _pattern(list(_BY_SYMBOL)).replace(r"(?![^\W_])", r"(?![A-Za-zÀ-ỹ_²³])") + "|" + _pattern(list(_BY_WORD), "i")
MONEY_BEFORE = _pattern([s for s, name in _BY_SYMBOL.items() if name in _BEFORE and s not in ("đ", "₫")]).replace(
    r"(?![^\W_])", r"(?![A-Za-zÀ-ỹ_²³])"
)


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[Any]:
    import pint

    registry: UnitRegistry[Any] = pint.UnitRegistry(cache_folder=None)
    for name in (*sorted(COUNTED), *_SCALES.split()):
        registry.define(f"{name} = [{name}]")
    for name in _MONEYS.split():
        registry.define(f"{name} = [money_{name.lower()}]")
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


@cache
def _dimension(name: str) -> str:
    return str(_registry().parse_units(name).dimensionality)


@cache
def _factor(name: str) -> float:
    if name == "degC":
        return 1.0
    quantity = (1 * _registry().parse_units(name)).to_base_units()
    return float(quantity.magnitude) * (100 if quantity.dimensionless else 1)


def warm() -> None:
    """Load pint now, so that the first pair does not wait for it."""
    _registry()
