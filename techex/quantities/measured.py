"""What a figure measures, by the words beside it, and which direction is the better one. Pure.

"97 %" of what is read right and "97 %" of what is removed are not to be compared. The words of nine languages that
name a measured thing are listed here by stem; a figure without any of them is compared by meaning alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from techex.quantities.reading import Quantity
from techex.quantities.units import TIME_NAMES, Unit
from techex.quantities.words import Relation, stemmed


class Better(StrEnum):
    """Which direction is wanted where a text states a bare figure."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True)
class Measure:
    """A measured thing: the better direction and the stems that name it."""

    name: str
    better: Better
    stems: str


_SHARES = (
    Measure(
        "reduction",
        Better.HIGHER,
        (
            r"giảm|tiết kiệm|reduc|cut|sav|less|drop|menurun|pengurang|hemat|verminder|"
            r"minder|bespar|절감|감소|줄|削減|減|节约|节省|节能|减少|降低|下降|senk|einspar|réduc|économi"
        ),
    ),
    Measure(
        "removal",
        Better.HIGHER,
        (
            r"khử|loại bỏ|phân hủy|diệt|remov|eliminat|degrad|destr|kill|penyisih|"
            r"penghilang|menghilang|verwijder|afbraak|제거|분해|除去|分解|去除|降解|entfern|élimin"
        ),
    ),
    Measure(
        "accuracy",
        Better.HIGHER,
        (
            r"chính xác|đúng|trùng khớp|accura|precis|correct|agree|akura|tepat|kesesuai|"
            r"benar|nauwkeur|juist|overeen|goed herkend|정확|일치|精度|正確|一致|正答|准确|正确|识别率|"
            r"genau|exact"
        ),
    ),
    Measure(
        "sensitivity",
        Better.HIGHER,
        (
            r"độ nhạy|độ phủ|phát hiện|sensitiv|recall|detect|sensitiv|deteksi|gevoelig|"
            r"herken|민감|재현|검출|감지|感度|検出|検知|灵敏|检出|召回|détect|erkann"
        ),
    ),
    Measure("specificity", Better.HIGHER, r"đặc hiệu|specific|spesifi|특이|特異|特异|spezifi|spécifi"),
    Measure(
        "recovery",
        Better.HIGHER,
        (
            r"thu hồi|recover|recycl|reus|tái sử dụng|perolehan|pemulihan|terugwin|"
            r"teruggewon|hergebruik|회수|재이용|재사용|回収|再利用|回收|回用|rückgew|récup"
        ),
    ),
    Measure(
        "yield",
        Better.HIGHER,
        (
            r"hiệu suất|thành phẩm|yield|rendem|efficien|efisien|수율|효율|歩留|効率|收率|得率|效率|"
            r"wirkungsgrad|rendement"
        ),
    ),
    Measure(
        "moisture",
        Better.NEITHER,
        (
            r"độ ẩm|ẩm|moisture|humid|kadar air|kelembap|vocht|수분|함수|습도|水分|含水|湿度|feucht|"
            r"humidit"
        ),
    ),
    Measure(
        "purity", Better.HIGHER, (r"tinh khiết|độ sạch|purity|pure|kemurnian|zuiver|순도|純度|纯度|reinheit|pureté")
    ),
    Measure("content", Better.NEITHER, r"hàm lượng|content|kadar|gehalte|함량|含有|含量|teneur|gehalt"),
    Measure(
        "loss",
        Better.LOWER,
        (
            r"hao hụt|tổn thất|thất thoát|hư hỏng|loss|losing|waste|degrade|reject|susut|"
            r"rugi|kehilang|rusak|verlies|uitval|afkeur|손실|불량|감모|損失|ロス|不良|损耗|损失|报废|"
            r"verlust|ausschuss|perte"
        ),
    ),
    Measure(
        "error",
        Better.LOWER,
        (
            r"sai số|sai lệch|lỗi|độ lệch|nhầm|báo động giả|báo giả|error|deviat|false|misclass|uncertaint|"
            r"kesalah|galat|deviasi|simpang|fout|afwijk|vals|오차|오류|오검|오경보|편차|誤差|誤検|誤|偏差|误差|"
            r"误报|错误|fehler|abweich|erreur|écart"
        ),
    ),
    Measure("survival", Better.HIGHER, r"tỷ lệ sống|tỉ lệ sống|surviv|hidup|sintasan|overlev|생존|生存|成活|存活"),
    Measure("germination", Better.HIGHER, r"nảy mầm|germinat|kecambah|kiem|발아|発芽|发芽|keim"),
    Measure("fat", Better.NEITHER, r"chất béo|fat|lemak|vet|지방|脂肪"),
    Measure("charge", Better.NEITHER, r"dung lượng|capacity|kapasitas|capaciteit|용량|容量|kapazität|capacité"),
)
_TIMES = (
    Measure(
        "payback",
        Better.LOWER,
        (
            r"hoàn vốn|thu hồi vốn|pa(?:y|id|ys) ?back|balik modal|pengembalian|"
            r"terugverdien|terug te verdienen|회수|回収|回收|回本|amorti"
        ),
    ),
    Measure(
        "lifetime",
        Better.HIGHER,
        (
            r"tuổi thọ|hạn dùng|hạn sử dụng|thời hạn|bảo quản|giữ được|dùng được|"
            r"sử dụng được|bền|lifetime|life|shelf|last|durab|keeps|stor|umur|"
            r"masa simpan|daya simpan|tahan|awet|levensduur|houdba|gaat .{0,14}mee|수명|보관|"
            r"유통기한|내구|寿命|保存|賞味|耐用|日持ち|保质|保鲜|使用寿命|haltbar|lebensdauer|conserv"
        ),
    ),
    Measure("warranty", Better.HIGHER, r"bảo hành|warrant|guarantee|garansi|garantie|보증|保証|保修|质保"),
    Measure(
        "autonomy",
        Better.HIGHER,
        (
            r"không cần sạc|một lần sạc|mất điện|không có nắng|không có nguồn|pin|ắc quy|"
            r"dự phòng|autonom|battery|batteries|standby|"
            r"without (?:power|sun|grid|mains|recharg)|backup|back-up|no sun|"
            r"tanpa (?:listrik|matahari|isi)|baterai|accu|batterij|"
            r"zonder (?:stroom|zon|net)|배터리|정전|충전|電池|停電|バッテリ|充電|电池|续航|断电|停电|batterie|akku"
        ),
    ),
    Measure(
        "training",
        Better.LOWER,
        (
            r"tập huấn|đào tạo|học|training|trained|course|pelatihan|opleiding|scholing|"
            r"교육|훈련|研修|訓練|教育|培训|schulung|formation"
        ),
    ),
    Measure(
        "installation",
        Better.LOWER,
        (
            r"lắp đặt|thi công|lắp xong|khởi động|install|commission|start-?up|"
            r"pemasangan|dipasang|terpasang|installat|geïnstalleerd|ingebruik|opstart|설치|"
            r"시운전|設置|据付|施工|工期|安装|调试|einbau"
        ),
    ),
    Measure(
        "deployment",
        Better.NEITHER,
        (
            r"thử nghiệm|thí điểm|theo dõi|vận hành thử|trial|pilot|demonstrat|"
            r"field test|uji coba|diuji|proef|praktijktest|시험|실증|試験|実証|试验|示范|试运行|erprob|"
            r"essai"
        ),
    ),
    Measure(
        "stop",
        Better.LOWER,
        (
            r"dừng|bảo trì|bảo dưỡng|downtime|shutdown|stoppage|maintenance|henti|"
            r"perawatan|stilstand|onderhoud|정지|정비|停止|保守|停机|维护|wartung|arrêt"
        ),
    ),
)
_TEMPERATURES = (
    Measure(
        "storage",
        Better.NEITHER,
        (
            r"bảo quản|lưu kho|lưu giữ|storage|store|transport|simpan|opslag|bewaar|보관|"
            r"저장|保管|貯蔵|保存|贮存|储存|lager|stockage"
        ),
    ),
    Measure(
        "ambient",
        Better.NEITHER,
        (
            r"môi trường|ngoài trời|trong xưởng|không khí|khí hậu|ambient|outdoor|"
            r"outside|weather|lingkungan|luar ruang|sekitar|buiten|omgeving|주변|외기|실외|기온|"
            r"周囲|外気|屋外|気温|环境|室外|气温|umgebung|ambiant"
        ),
    ),
    Measure("washing", Better.NEITHER, r"giặt|rửa|wash|cuci|wassen|세탁|세척|洗"),
)
_MONEYS = (
    Measure(
        "investment",
        Better.LOWER,
        (
            r"đầu tư|giá máy|giá thiết bị|giá bán|giá một|giá mỗi|mua|invest|capital|"
            r"price|purchase|buy|sells|sold|harga|investasi|pembelian|investering|prijs|"
            r"aanschaf|투자|가격|도입|구입|설비비|投資|価格|導入|購入|本体|投资|价格|"
            r"售价|购置|设备费|anschaffung|preis|"
            r"prix"
        ),
    ),
    Measure(
        "running",
        Better.LOWER,
        (
            r"vận hành|chi phí xử lý|chi phí điện|chi phí hóa|bảo trì|operating|running|"
            r"upkeep|maintenance|treatment cost|processing cost|operasi|perawatan|"
            r"pengolahan|bedrijfskosten|gebruikskosten|onderhoud|verwerkingskosten|운영|유지|"
            r"처리비|運転|維持|処理費|ランニング|运行|运营|维护|处理费|处理成本|betriebskosten|exploitation"
        ),
    ),
)

# A duration that is to be short says so by a word; others ("1,000 h of salt spray") may be tests or lives.
_SOON = re.compile(
    (
        r"(?<!\w)(?:trong|within|in|takes?|dalam|binnen|duurt|innerhalb|en)(?!\w)|이내|"
        r"안에|만에|소요|以内|内に|かか|内完成|耗时"
    ),
    re.I,
)
_LOWER = r"ồn|noise|bising|geluid|소음|騒音|噪"


def _compiled(kinds: tuple[Measure, ...]) -> list[tuple[Measure, re.Pattern[str]]]:
    return [(kind, re.compile(stemmed(kind.stems), re.I)) for kind in kinds]


_BY_CLASS: Mapping[str, list[tuple[Measure, re.Pattern[str]]]] = {
    "share": _compiled(_SHARES),
    "time": _compiled(_TIMES),
    "temperature": _compiled(_TEMPERATURES),
    "money": _compiled(_MONEYS),
}
BETTER: Mapping[str, Better] = {
    kind.name: kind.better for kinds in (_SHARES, _TIMES, _TEMPERATURES, _MONEYS) for kind in kinds
}
_ENERGY = frozenset({"kWh", "MWh", "Wh", "MJ", "GJ", "kJ", "J", "kcal"})


def class_of(unit: Unit) -> str:
    """The class of things whose names are told apart: share, time, temperature, money, or "other"."""
    if unit.is_share or unit.over == "percentage_point":
        return "share"
    if unit.over in TIME_NAMES:
        return "time"
    if unit.over == "degC":
        return "temperature"
    return "money" if unit.is_money else "other"


@lru_cache(maxsize=20_000)
def kinds_of(quantity: Quantity) -> frozenset[str]:
    """Names of the measured things that the words beside a quantity name; empty where they name none."""
    kinds = _BY_CLASS.get(class_of(quantity.unit), [])
    found = {kind.name for kind, pattern in kinds if pattern.search(quantity.clause)}
    if quantity.reached:  # "fell from 31 to 12 %": 12 % is what is left, not what was saved
        found -= {"reduction"}
    if "±" in quantity.clause and "accuracy" in found and quantity.unit.is_share:
        found = found - {"accuracy"} | {"error"}
    return frozenset(found)


def better_of(quantity: Quantity) -> Better:
    """Which direction is the better one for what a quantity measures, where it is known."""
    known = {BETTER[name] for name in kinds_of(quantity)} - {Better.NEITHER}
    if len(known) == 1:
        return known.pop()
    unit = quantity.unit
    if known or class_of(unit) in ("share", "temperature"):
        return Better.NEITHER
    if unit.over in TIME_NAMES:
        soon = quantity.relation is Relation.AT_MOST or _SOON.search(quantity.clause)
        return Better.LOWER if soon else Better.NEITHER
    if unit.is_money or (unit.over in _ENERGY and unit.under):
        return Better.LOWER
    if unit.over == "decibel_a" and re.search(_LOWER, quantity.clause, re.I):
        return Better.LOWER
    if unit.under in TIME_NAMES:
        return Better.HIGHER
    return Better.NEITHER
