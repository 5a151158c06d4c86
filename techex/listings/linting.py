"""What should not stand in a text before it is submitted; pure.

Two kinds of finding. In an anonymous listing everything that gives its owner away *blocks*: names of the organisation
and its people, e-mail addresses, telephone numbers, links, patent numbers. Elsewhere addresses are worth a *note* (they
are harvested, and a contact through the exchange is counted), as are words that promise and say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from techex.core.text import folded
from techex.core.vocabulary import N_
from techex.listings.figures import has_figure
from techex.regions.service import find_place


class Tells(StrEnum):
    """What a finding is about."""

    ORGANISATION = "organisation"
    PERSON = "person"
    EMAIL = "email"
    PHONE = "phone"
    LINK = "link"
    PATENT = "patent"
    VAGUE = "vague"
    FILE = "file"


ADVICE: Mapping[Tells, str] = {
    Tells.ORGANISATION: N_("names your organisation"),
    Tells.PERSON: N_("names a person of your organisation"),
    Tells.EMAIL: N_("is an e-mail address"),
    Tells.PHONE: N_("is a telephone number"),
    Tells.LINK: N_("is a link"),
    Tells.PATENT: N_("is a patent number, by which anybody finds the owner"),
    Tells.VAGUE: N_("promises without saying anything: put a figure or a name in its place"),
    Tells.FILE: N_("is a file name that names your organisation"),
}


@dataclass(frozen=True)
class Finding:
    """A place in a field: what stands there, what it gives away, and whether it must go."""

    field: str
    tells: Tells
    excerpt: str
    blocks: bool

    @property
    def advice(self) -> str:
        """What is wrong with it, in English; pages translate it."""
        return ADVICE[self.tells]


@dataclass(frozen=True)
class Known:
    """What would give an owner away: names of the organisation in all languages, its people, its website."""

    organisation_names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    website: str = ""


_EMAIL = re.compile(
    r"[\w.+%-]++(?:@|\s?[\[(]\s?(?:at|a còng)\s?[\])]\s?)[\w-]+(?:\.|\s?[\[(]dot[\])]\s?)[\w.-]*\w", re.I
)
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"']+"
    r"|(?<![\w@.-])[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|edu|gov|vn|info|asia|co|io|biz|eu|de|nl|fr|uk|jp|kr|cn|id)"
    r"(?:/[^\s<>\"']*)?(?!\w|\.\w)",
    re.IGNORECASE,
)
# Vietnamese numbers as they are written (0912 345 678, +84 24 3869 4242, (0251) 3822 123, 1900 1234), then others with
# their country. An amount or a range of years does not begin so.
_PHONE = re.compile(
    r"(?<![\w.,/+-])(?:"
    r"(?:\+84|\(\+84\)|0084|\(84\)|84(?=[\s.-]))[\s.-]?(?:\(0\)[\s.-]?)?[235789](?:[\s.-]?[0-9]){7,9}"
    r"|\(?0[235789][0-9]{0,2}\)?(?:[\s.-]?[0-9]){6,9}"
    r"|1[89]00[\s.-]?[0-9](?:[\s.-]?[0-9]){3,5}"
    r"|\+[1-9][0-9]{0,2}[\s.-]?(?:\([0-9]+\)[\s.-]?)?[0-9](?:[\s.-]?[0-9]){6,11}"
    r")(?![\w]|[.,/-][0-9])"
)
_FEWEST_DIGITS, _MOST_DIGITS = 8, 15  # of a telephone number
_PATENT = re.compile(
    r"(?<![\w-])(?:"
    r"[123]-[0-9]{7}|[1-3]-(?:19|20)[0-9]{2}-[0-9]{5}"  # Vietnam: granted, applied for
    r"|VN\s?[123][-\s]?[0-9]{4,7}(?:[A-Z][0-9]?)?"
    r"|PCT/[A-Z]{2}[0-9]{2,4}/[0-9]{4,6}"
    r"|(?:WO|EP|US|CN|JP|KR|DE|FR|GB|TW|AU|CA|RU)\s?(?:(?:19|20)[0-9]{2}[/-][0-9]{5,7}|[0-9](?:[,. -]?[0-9]){6,12})"
    r"(?:\s?[A-CUY][0-9]?)?"
    r")(?![\w])"
    r"|(?:bằng(?: độc quyền)?(?: sáng chế| giải pháp hữu ích)?|patent|số đơn|GPHI|giải pháp hữu ích)"
    r"\s*(?:no\.?|number|số|:|#)+\s*[0-9][\w/.-]{3,}",
    re.IGNORECASE,
)

# Words of an organisation's name that many names share; what is left of it gives it away.
_COMMON = frozenset(
    folded(
        "công ty cổ phần tnhh mtv một hai thành viên tập đoàn tổng doanh nghiệp hợp tác xã htx trường đại học "
        "viện nghiên cứu trung tâm khoa và của thương mại dịch vụ sản xuất đầu tư phát triển xuất nhập khẩu "
        "khoa học công nghệ kỹ thuật việt nam quốc gia tỉnh thành phố sở quốc tế ứng dụng chi nhánh nhà máy "
        "xưởng sàn giao thông tin the of and for company co ltd limited corporation corp inc joint stock jsc "
        "group holding university institute college school centre center research science technology "
        "technologies technical national vietnam viet nam international department province city development "
        "trading service services production gmbh bv b v nv ag sa llc plc pte academy foundation association "
        "laboratory lab"
    ).split()
)
_SHORTEST_ALONE = 4  # letters of a single telling word; "An" is a word like others
_SHORTEST_ACRONYM = 3
_HONORIFICS = frozenset(
    {
        *("ông", "bà", "anh", "chị", "cô", "chú", "thầy", "ts", "pgs", "gs", "ths", "ks", "sĩ", "sư"),
        *("mr", "mrs", "ms", "dr", "prof"),
    }
)

_VAGUE: Mapping[str, Sequence[str]] = {
    "vi": (
        *(
            "tiên tiến",
            "hiện đại",
            "hiệu quả cao",
            "chất lượng cao",
            "chất lượng tốt",
            "giá rẻ",
            "giá hợp lý",
            "tối ưu",
        ),
        *("hàng đầu", "vượt trội", "đột phá", "thân thiện với môi trường", "nhiều ưu điểm", "dễ sử dụng", "thông minh"),
        *("càng sớm càng tốt", "phù hợp với nhu cầu", "nâng cao hiệu quả", "nâng cao chất lượng", "v.v", "vân vân"),
        *("một số vấn đề", "nhiều vấn đề", "đáp ứng yêu cầu", "đạt tiêu chuẩn quốc tế", "giá thành thấp"),
    ),
    "en": (
        *(
            "state of the art",
            "state-of-the-art",
            "cutting edge",
            "cutting-edge",
            "world class",
            "world-class",
            "advanced",
        ),
        *(
            "high efficiency",
            "highly efficient",
            "high quality",
            "good quality",
            "low cost",
            "cost effective",
            "modern",
        ),
        *("cost-effective", "innovative", "revolutionary", "breakthrough", "user friendly", "user-friendly", "etc"),
        *("environmentally friendly", "eco-friendly", "as soon as possible", "next generation", "next-generation"),
        *(
            "various problems",
            "many advantages",
            "optimal",
            "superior",
            "robust solution",
            "meets requirements",
            "smart",
        ),
    ),
}
_SENTENCES = re.compile(r"[^.!?;\n。！？]+(?:[.!?;](?!\s|$)[^.!?;\n]*)*")
MOST_VAGUE = 5  # findings a text: a list of twenty teaches less than five


def lint(texts: Mapping[str, str], language: str, *, anonymous: bool, known: Known) -> list[Finding]:
    """Every finding in the texts of a listing, in the order of its fields."""
    found: list[Finding] = []
    for field, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            continue
        text = unicodedata.normalize("NFC", text)
        found.extend(_addresses(field, text, anonymous))
        if anonymous:
            found.extend(_names(field, text, known))
        found.extend(_vague(field, text, language))
    return found


def file_tells(name: str, known: Known) -> Finding | None:
    """The finding about a file's name in an anonymous listing, or None."""
    words = re.sub(r"[_\-.]+", " ", re.sub(r"(?<=[a-zà-ỹ])(?=[A-ZĐÀ-Ỹ])", " ", name))
    return Finding("attachments", Tells.FILE, name, True) if any(_names("attachments", words, known)) else None


def _addresses(field: str, text: str, anonymous: bool) -> Iterator[Finding]:
    spans: list[tuple[int, int]] = []
    for tells, pattern in ((Tells.EMAIL, _EMAIL), (Tells.LINK, _LINK), (Tells.PATENT, _PATENT), (Tells.PHONE, _PHONE)):
        if tells is Tells.PATENT and not anonymous:
            continue  # whoever gives their name may give their numbers
        for match in pattern.finditer(text):
            start, end = match.span()
            digits = sum(c.isdigit() for c in match.group())
            if tells is Tells.PHONE and not _FEWEST_DIGITS <= digits <= _MOST_DIGITS:
                continue
            if any(start < other_end and other_start < end for other_start, other_end in spans):
                continue
            spans.append((start, end))
            yield Finding(field, tells, match.group().strip(), anonymous)


def _names(field: str, text: str, known: Known) -> Iterator[Finding]:
    said, seen = _Words(text), set()
    for tells, words in _giveaways(known):
        for excerpt in said.places(words):
            if (tells, excerpt) not in seen:
                seen.add((tells, excerpt))
                yield Finding(field, tells, excerpt, True)
    for acronym in {a for name in known.organisation_names for a in _acronyms(name)}:
        if re.search(rf"(?<!\w){re.escape(acronym)}(?!\w)", text) and (Tells.ORGANISATION, acronym) not in seen:
            yield Finding(field, Tells.ORGANISATION, acronym, True)
    for name in known.people:
        for excerpt in said.after_a_title(folded(name).split()[-1:]):
            if (Tells.PERSON, excerpt) not in seen:
                seen.add((Tells.PERSON, excerpt))
                yield Finding(field, Tells.PERSON, excerpt, True)


def _giveaways(known: Known) -> Iterator[tuple[Tells, list[str]]]:
    """Sequences of folded words that say who it is."""
    for name in known.organisation_names:
        words = folded(name).split()
        if words:
            yield Tells.ORGANISATION, words
        telling = [word for word in words if word not in _COMMON]
        if len(words) > len(telling) + 1 and telling and find_place(" ".join(telling)) and words[-1] == telling[-1]:
            yield Tells.ORGANISATION, words[-len(telling) - 2 :]  # "đại học Cần Thơ", though not "Cần Thơ" alone
        # The last words of a Vietnamese name are its brand; the first ones of an English name are.
        for part in (telling, telling[-2:], telling[:2]) if len(telling) > 1 else (telling,):
            if _is_telling(part):
                yield Tells.ORGANISATION, part
    host = re.sub(r"^(?:https?://)?(?:www\.)?", "", known.website).split("/")[0].split(".")[0]
    if len(host) >= _SHORTEST_ALONE:
        yield Tells.ORGANISATION, [folded(host).strip()]
    for person in known.people:
        words = folded(person).split()
        if len(words) > 1:
            yield Tells.PERSON, words
            yield Tells.PERSON, [words[0], words[-1]]
            yield Tells.PERSON, [*words[1:], words[0]]
            if len(words) > 2:
                yield Tells.PERSON, words[-2:]


def _is_telling(words: Sequence[str]) -> bool:
    if not words or find_place(" ".join(words)):
        return False  # "Đại học Cần Thơ": whoever speaks of Cần Thơ has not named the university
    return len(words) > 1 or len(words[0]) >= _SHORTEST_ALONE


def _acronyms(name: str) -> Iterator[str]:
    """ "HUST", "ĐHBK": what stands in capitals in a name, and the first letters of its words."""
    yield from re.findall(
        rf"(?<!\w)[A-ZĐ]{{{_SHORTEST_ACRONYM},}}(?!\w)", re.sub(r"TNHH|MTV|JSC|HTX|LLC|PLC", "", name)
    )
    letters = [word[0].upper() for word in re.findall(r"\w+", name) if word[0].isalpha() and word.lower() not in _SMALL]
    if len(letters) >= _SHORTEST_ACRONYM:
        yield "".join(letters)


_SMALL = frozenset({"of", "and", "the", "for", "và", "của"})


class _Words:
    """A text as folded words with their places, so that a name is found however it is accented or spaced."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [(folded(m.group()).strip(), m.start(), m.end()) for m in re.finditer(r"\w+", text)]

    def places(self, wanted: Sequence[str]) -> Iterator[str]:
        """What stands where these words follow each other."""
        for start in range(len(self._words) - len(wanted) + 1):
            if [word for word, _, _ in self._words[start : start + len(wanted)]] == list(wanted):
                yield self._text[self._words[start][1] : self._words[start + len(wanted) - 1][2]]

    def after_a_title(self, wanted: Sequence[str]) -> Iterator[str]:
        """What stands where these words follow a form of address, as in "chị Hà"."""
        for (_, start, end), (word, _, last) in pairwise(self._words):
            if [word] == list(wanted) and self._text[start:end].casefold() in _HONORIFICS:
                yield self._text[start:last]


def _vague(field: str, text: str, language: str) -> Iterator[Finding]:
    phrases, count = _VAGUE.get(language, ()), 0
    if not phrases:
        return
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(phrase) for phrase in phrases)})(?!\w)", re.IGNORECASE)
    for sentence in _SENTENCES.finditer(text):
        if has_figure(sentence.group()):
            continue  # "high efficiency (94 %)" says what it means
        for match in pattern.finditer(sentence.group()):
            count += 1
            if count > MOST_VAGUE:
                return
            yield Finding(field, Tells.VAGUE, match.group(), False)


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of a draft that are texts."""
    return {name: value for name, value in values.items() if isinstance(value, str)}
