"""Words around figures in nine languages (vi, en, id, nl, ko, ja, zh, de, fr): bounds, ranges, changes, comparisons.

Data only. Alternatives are parted by "|", a space stands for any white space; entries are regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern, parted at every "|" that stands outside of brackets."""
    parts, depth = [""], 0
    for char in pattern:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def whole_words(pattern: str) -> str:
    """An expression for alternatives that stand alone, the longest first; eastern ones need no space around them."""
    parts = sorted(alternatives(pattern), key=len, reverse=True)
    return "|".join((rf"(?<!\w){part}(?!\w)" if _LATIN.match(part) else part).replace(" ", r"\s+") for part in parts)


def stemmed(pattern: str) -> str:
    """An expression for alternatives that a word begins with."""
    return "|".join(rf"(?<!\w){part}" if _LATIN.match(part) else part for part in alternatives(pattern))


_LATIN = re.compile(r"[a-zà-ỹđ]")


class Relation(StrEnum):
    """What a text says about a figure."""

    EXACTLY = "exactly"
    ABOUT = "about"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    UP_TO = "up_to"  # the far end of what something can do; whether that is a limit depends on what is measured
    BETWEEN = "between"


# Before the figure. Longer ones are tried first, so "không dưới" is never read as "dưới".
BEFORE: Mapping[Relation, str] = {
    Relation.AT_LEAST: (
        r"≥|>|⩾|>=|ít nhất(?: là)?|tối thiểu(?: là)?|không dưới|không thấp hơn|không ít hơn|không nhỏ hơn|không kém|"
        r"nhiều hơn|lớn hơn|cao hơn|vượt|trên|hơn|quá|thấp nhất|từ"
        r"|at least|no less than|not less than|no fewer than|not below|never below|no lower than|not lower than|"
        r"no worse than|a minimum of|minimum(?: of)?|min\.?|more than|greater than|"
        r"higher than|better than|above|over|"
        r"exceeding|exceeds|beyond|from|not under"
        r"|minimal|sedikitnya|sekurang-kurangnya|setidaknya|paling sedikit|"
        r"paling rendah|paling kurang|tidak kurang dari|"
        r"lebih dari|lebih besar dari|di atas|melebihi|mulai(?: dari)?"
        r"|minstens|ten minste|tenminste|op zijn minst|niet minder dan|niet lager dan|niet onder|meer dan|groter dan|"
        r"hoger dan|boven(?: de)?|vanaf|ruim"
        r"|mindestens|wenigstens|nicht unter|nicht weniger als|mehr als|über|oberhalb von|ab"
        r"|au moins|au minimum|minimum de|pas moins de|plus de|supérieure?s? à|au-dessus de|à partir de"
        r"|최소(?:한)?|최저|적어도|少なくとも|最低でも|最低|最小|至少|不低于|"
        r"不少于|不小于|最少|大于|高于|超过|多于|不低於"
    ),
    Relation.AT_MOST: (
        r"≤|<|⩽|<=|không quá|không vượt quá|không vượt|không lớn hơn|không cao hơn|"
        r"không trên|không nhiều hơn|tối đa(?: là)?|"
        r"nhiều nhất|cao nhất|lớn nhất|lâu nhất|chậm nhất|dưới|nhỏ hơn|thấp hơn|"
        r"ít hơn|chưa đến|chưa tới|chưa đầy|trong vòng|"
        r"xuống dưới|xuống còn|còn dưới"
        r"|at most|no more than|not more than|no greater than|not greater than|"
        r"no higher than|not higher than|not above|"
        r"never above|no longer than|not exceed(?:ing)?|not to exceed|a maximum of|maximum(?: of)?|max\.?|less than|"
        r"lower than|fewer than|smaller than|below|under|within|not over|no later than|shorter than|down to"
        r"|maksimal|maksimum|paling lama|paling tinggi|paling banyak|paling besar|paling berat|paling lambat|"
        r"tidak lebih dari|tidak melebihi|tidak boleh melebihi|kurang dari|"
        r"lebih kecil dari|lebih rendah dari|di bawah"
        r"|hoogstens|ten hoogste|maximaal|niet meer dan|niet groter dan|"
        r"niet hoger dan|niet boven(?: de)?|niet langer dan|"
        r"minder dan|lager dan|kleiner dan|korter dan|onder(?: de)?|beneden(?: de)?|binnen"
        r"|höchstens|maximal|nicht über|nicht mehr als|weniger als|unter|unterhalb von|innerhalb von"
        r"|au plus|au maximum|maximum de|pas plus de|moins de|inférieure?s? à|au-dessous de|en dessous de"
        r"|최대(?:한)?|최고|最大でも|最高でも|最大|最高|不超过|不高于|不大于|不多于|"
        r"不得超过|至多|最多|低于|小于|少于|不足|不高於|低於"
    ),
    Relation.UP_TO: (
        r"lên đến|lên tới|đến|tới|up to|as much as|hingga|sampai(?: dengan)?|"
        r"tot(?: aan)?|bis zu|bis|jusqu['’]à|达|可达|高达"
    ),
    Relation.ABOUT: (
        r"≈|~|∼|khoảng|chừng|xấp xỉ|gần|about|around|approximately|approx\.?|roughly|"
        r"nearly|almost|some|sekitar|kira-kira|"
        r"kurang lebih|ongeveer|circa|ca\.?|zo'n|bijna|rond(?: de)?|etwa|ungefähr|"
        r"rund|environ|près de|약|대략|約|およそ|约|大约|近"
    ),
}
# After the figure and its unit.
AFTER: Mapping[Relation, str] = {
    Relation.AT_LEAST: (
        r"trở lên|hoặc hơn|hoặc cao hơn|or more|or better|or above|or higher|"
        r"or longer|or greater|or larger|or bigger|of groter|and above|and more|"
        r"or over|at least|minimum|atau lebih|ke atas|of meer|of hoger|of beter|"
        r"of langer|en hoger|oder mehr|et plus|ou plus"
        r"|이상|초과|을 넘|를 넘|보다 높|보다 크|以上|超|を超え|を上回|及以上|起"
    ),
    Relation.AT_MOST: (
        r"trở xuống|hoặc ít hơn|là tối đa|at most|or less|or below|or lower|or fewer|"
        r"or under|or finer|or faster|or smaller|or lighter|or cheaper|or shorter|"
        r"atau lebih kecil|atau lebih cepat|of kleiner|of sneller|"
        r"maximum|at the most|atau kurang|atau lebih rendah|ke bawah|of minder|"
        r"of lager|of korter|oder weniger|et moins|ou moins"
        r"|이하|미만|이내|내로|안에|보다 낮|보다 작|以下|以内|未満|を下回|以內|之内|内"
    ),
    Relation.UP_TO: r"까지|まで",
}
# "60 to 80 °C"; in Korean "60 °C에서 80 °C까지".
RANGE = (
    r"-|–|—|−|~|∼|〜|～|÷|đến|tới|to|through|hingga|sampai(?: dengan)?|s/d|t/m|"
    r"tot(?: en met)?|bis|à|から|에서|부터|至|到"
)
# "from 300 down to 50": the second figure is what is reached.
CHANGE = r"xuống(?: còn)?|lên|còn|down to|up to|menjadi|naar|terug naar|auf|に|로|降至|降到|提高到|升至"
FALLING = (
    r"giảm|hạ|rút|cắt|reduc|lower|cut|bring(?:s|ing)? down|fell|fall|drop|decreas|shorten|menurun|turun|mengurangi|"
    r"memangkas|verla(?:ag|g)|terug|daal|dalen|gedaald|verminder|senk|sink|reduz|"
    r"rédui|baiss|줄|감소|낮추|떨어|減|下げ|低減|短縮|降|减|缩短"
)
RISING = (
    r"tăng|nâng|rais|increas|improv|rose|ris(?:e|es|ing)|grow|meningkat|naik|menaik|verho|toenem|stijg|erhöh|steiger|"
    r"augment|높|늘|향상|증가|上げ|高め|向上|増|提高|提升|增"
)
# What follows is the alternative's figure, not the thing's own: up to the next comma.
COMPARED_BEFORE = (
    r"so với|thay vì|thay cho|chứ không|bukan|compared (?:with|to)|in comparison|"
    r"against|versus|vs\.?|instead of|rather than|relative to|"
    r"dibanding(?:kan)?|daripada|ketimbang|tegenover|vergeleken met|"
    r"ten opzichte van|in plaats van|gegenüber|verglichen mit|"
    r"statt|par rapport|au lieu de|相比于|相较于|与|較之|比"
)
# What precedes is the alternative's.
COMPARED_AFTER = r"보다|대비|비해|に比べ|に対し|と比べ|より|相比|相较"
# Amounts a number is multiplied by.
SCALES: Mapping[str, float] = {
    "nghìn tỷ": 1e12, "nghìn": 1e3, "ngàn": 1e3, "triệu": 1e6, "tỷ": 1e9, "tỉ": 1e9, "thousand": 1e3, "million": 1e6,
    "billion": 1e9, "trillion": 1e12, "mln": 1e6, "mio": 1e6, "mrd": 1e9, "ribu": 1e3, "juta": 1e6, "miliar": 1e9,
    "milyar": 1e9, "triliun": 1e12, "duizend": 1e3, "miljoen": 1e6, "miljard": 1e9, "tausend": 1e3, "millionen": 1e6,
    "milliarden": 1e9, "mille": 1e3, "millions": 1e6, "milliard": 1e9, "milliards": 1e9,
    "万": 1e4, "萬": 1e4, "億": 1e8, "亿": 1e8, "兆": 1e12, "千": 1e3, "百": 1e2, "百万": 1e6, "千万": 1e7,
    "만": 1e4, "억": 1e8, "조": 1e12, "천": 1e3, "백": 1e2, "천만": 1e7, "백만": 1e6,
}  # fmt: skip
# Small numbers in words, read only directly before a unit of time or a share: elsewhere they are mostly not figures.
NUMBER_WORDS: Mapping[str, float] = {
    "một": 1, "hai": 2, "ba": 3, "bốn": 4, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9, "mười": 10, "mười hai": 12,
    "mười lăm": 15, "hai mươi": 20, "ba mươi": 30, "nửa": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "eighteen": 18,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "half a": 0.5, "half an": 0.5,
    "satu": 1, "dua": 2, "tiga": 3, "empat": 4, "lima": 5, "enam": 6, "tujuh": 7, "delapan": 8, "sembilan": 9,
    "sepuluh": 10, "dua belas": 12, "setengah": 0.5, "een": 1, "één": 1, "twee": 2, "drie": 3, "vier": 4, "vijf": 5,
    "zes": 6, "zeven": 7, "acht": 8, "negen": 9, "tien": 10, "twaalf": 12, "twintig": 20, "dertig": 30, "ein": 1,
    "eine": 1, "zwei": 2, "drei": 3, "fünf": 5, "sechs": 6, "sieben": 7, "neun": 9, "zehn": 10, "zwölf": 12, "un": 1,
    "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "huit": 8, "neuf": 9, "dix": 10, "douze": 12, "한": 1,
    "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "열": 10, "열두": 12, "하루": 1, "一": 1, "二": 2, "两": 2,
    "兩": 2,
    "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "十二": 12, "半": 0.5,
}  # fmt: skip
# "1日20トン", "하루 20톤", "每天处理20吨", "시간당 500 kg", "mỗi giờ": the denominator before the figure.
PER_BEFORE: Mapping[str, str] = {
    "hour": (
        r"시간당|매시간|毎時|1時間(?:あたり|当たり|に)?|每小时|每小時|时处理|"
        r"mỗi giờ|per uur|setiap jam|per jam|hourly"
    ),
    "day": (
        r"하루(?:에)?|일일|일평균|매일|1日(?:あたり|当たり|に)?|毎日|日量|每天|"
        r"每日|日处理(?:量)?|日产|日均|mỗi ngày|"
        r"per dag|setiap hari|per hari|sehari|daily"
    ),
    "week": r"매주|주당|毎週|每周|mỗi tuần|per week|weekly",
    "month": r"월간|월평균|매월|毎月|月間|月产|每月|mỗi tháng|per maand|setiap bulan|monthly",
    "year": (
        r"연간|(?<![\uac00-\ud7a3])연\s|매년|年間|毎年|年产|每年|年处理(?:量)?|"
        r"mỗi năm|per jaar|setiap tahun|yearly|annually"
    ),
    "minute": r"분당|毎分|每分钟|mỗi phút",
    "s": r"초당|毎秒|每秒|mỗi giây",
}
# "No piece over 400 kg", "must not be heated beyond 450 °C": a lower bound that is denied.
DENIED = (
    r"\b(?:no|none|never|not|nothing|without|không|chẳng|tidak|tak|tanpa|"
    r"geen|nooit|niet|kein|keine|nicht|nie|aucun|aucune|"
    r"jamais|pas)\b|不得|不能|不可|不允许|ないこと"
)
# What ends the reach of such a word.
NOT_DENIED_PAST = r"\b(?:mà|nhưng|but|yet|while|with|and|và|tetapi|namun|dan|maar|en|aber|und|mais|et)\b|[,;.，；]"
PER_AFTER = r"/|per|mỗi|cho mỗi|cho một|trên mỗi|một|a|an|each|every|tiap|setiap|satu|pro|je|par|elke|每|毎|／"
