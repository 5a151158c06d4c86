"""Near-twins made from real texts: edits that leave a listing the same one, and edits that make another one of it.

Every edit is a function of the text alone, so a failure can be repeated. A text is a mapping of fields, title and
summary first, as the forms of the exchange have them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

from techex.core.text import folded
from techex.embedding.sentences import split_sentences

Text = Mapping[str, str]
Edit = Callable[[Text, str], dict[str, str] | None]  # (text, language) -> the edited text; None where it does not apply

# A slip about every so many letters: a text typed in a hurry.
LETTERS_A_TYPO = 60
_HEAD = ("title", "summary")

# Words that may stand for each other without changing what is said; applied wherever they occur.
SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "thiết bị": "máy móc", "chi phí": "phí tổn", "sử dụng": "dùng", "hiện nay": "bây giờ", "công nghệ": "kỹ thuật",
        "nhà máy": "xưởng", "giảm": "hạ", "tăng": "nâng", "yêu cầu": "đòi hỏi", "cần": "muốn có", "khoảng": "chừng",
        "hệ thống": "dàn", "phù hợp": "hợp", "kiểm tra": "rà soát", "thời gian": "khoảng thời gian",
        "không quá": "tối đa", "ít nhất": "tối thiểu", "đạt": "được", "đã": "từng", "vận hành": "chạy",
        "sản phẩm": "hàng", "liên tục": "không ngừng",
    },
    "en": {
        "device": "apparatus", "cost": "expense", "costs": "expenses", "use": "employ", "currently": "at present",
        "plant": "works", "reduce": "lower", "increase": "raise", "must": "has to", "need": "require",
        "about": "roughly",
        "system": "installation", "check": "inspect", "at least": "no less than", "at most": "no more than",
        "between": "from", "farmers": "growers", "because": "since", "without": "with no", "small": "modest",
        "large": "big", "method": "technique", "requires": "calls for", "per day": "a day", "workers": "staff",
        "tested": "tried out", "water": "plain water", "several": "a number of", "before": "prior to",
    },
    "id": {
        "alat": "perangkat", "biaya": "ongkos", "menggunakan": "memakai", "saat ini": "sekarang", "pabrik": "kilang",
        "mengurangi": "menekan", "meningkatkan": "menaikkan", "membutuhkan": "memerlukan", "sekitar": "kira-kira",
        "sistem": "rangkaian", "tanpa": "dengan tidak", "minimal": "sedikitnya", "maksimal": "paling banyak",
        "dapat": "bisa", "petani": "pekebun", "karena": "sebab", "hanya": "cuma",
    },
    "nl": {
        "apparaat": "toestel", "kosten": "uitgaven", "gebruiken": "benutten", "ongeveer": "circa", "nodig": "vereist",
        "systeem": "installatie", "minstens": "ten minste", "zonder": "met geen", "omdat": "doordat", "snel": "vlot",
        "kleine": "geringe", "grote": "omvangrijke", "maximaal": "hooguit", "bedrijf": "onderneming",
    },
    "ko": {
        "장치": "설비", "비용": "경비", "현재": "지금", "약": "대략", "필요": "요구", "시스템": "체계",
        "최소": "적어도", "사용": "이용", "감소": "저감", "공장": "제조장", "이상": "넘게",
    },
    "ja": {
        "装置": "機器", "費用": "コスト", "現在": "今", "約": "およそ", "必要": "要", "使用": "利用", "工場": "製造所",
        "低減": "削減", "可能": "できる", "試験": "テスト",
    },
    "zh": {
        "设备": "装置", "成本": "费用", "目前": "现在", "约": "大约", "需要": "要求", "系统": "体系", "使用": "采用",
        "降低": "减少", "工厂": "厂区", "至少": "不少于",
    },
}  # fmt: skip

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w]|[.,]\d)")


def reordered(text: Text, language: str) -> dict[str, str] | None:
    """The sentences of every long field in another order."""
    return _by_sentence(text, language, lambda sentences: sorted(sentences, key=_hash))


def shortened(text: Text, language: str) -> dict[str, str] | None:
    """Every second sentence of the long fields left out."""
    return _by_sentence(text, language, lambda sentences: sentences[::2])


def brief(text: Text, language: str) -> dict[str, str] | None:
    """Title, summary and the first long field only: what a second exchange took over."""
    first = next(name for name in text if name not in _HEAD)
    return {name: text[name] for name in (*_HEAD, first)}


def typed_badly(text: Text, language: str) -> dict[str, str] | None:
    """A letter doubled, dropped or swapped with its neighbour in about one word of ten."""
    return {name: _typos(value) for name, value in text.items()}


def without_accents(text: Text, language: str) -> dict[str, str] | None:
    """Vietnamese as typed without a Vietnamese keyboard."""
    if language != "vi":
        return None
    return {name: " ".join(_plain(word) for word in value.split(" ")) for name, value in text.items()}


def reworded(text: Text, language: str) -> dict[str, str] | None:
    """Common words replaced by others of the same meaning."""
    changed = {name: _replaced(value, SYNONYMS[language], language) for name, value in text.items()}
    return changed if changed != text else None


def rearranged(text: Text, language: str) -> dict[str, str] | None:
    """Everything poured into one field in another order, the title cut short: another exchange has another form."""
    fields = [name for name in text if name not in _HEAD]
    first, *rest = fields
    sentences = split_sentences(" ".join(text[name] for name in [*rest, first]), language)
    title = re.split(r"[,:;]\s|[，：；、(]", text["title"])[0].strip()
    summary = text["summary"].upper() if language in ("en", "nl", "id") else text["summary"]
    return {"title": title, "summary": summary, first: "\n- ".join(sentences)}


def mixed(text: Text, language: str) -> dict[str, str] | None:
    """Shortened, reordered, reworded and typed badly."""
    for edit in (shortened, reordered, reworded, typed_badly):
        text = edit(text, language) or text
    return dict(text)


def other_figure(text: Text, language: str) -> dict[str, str] | None:
    """One figure changed wherever it stands: the same machine in another size. Not the same listing."""
    whole = " ".join(text.values())
    figures = [found.group() for found in _NUMBER.finditer(whole)]
    if not figures:
        return None
    figure = min(figures, key=_hash)
    return {
        name: _NUMBER.sub(lambda found: _larger(figure) if found.group() == figure else found.group(), value)
        for name, value in text.items()
    }


def other_figures(text: Text, language: str) -> dict[str, str] | None:
    """Every figure changed and the sentences in another order: a sister product. Not the same listing."""
    if not _NUMBER.search(" ".join(text.values())):
        return None
    text = reordered(text, language) or text
    return {name: _NUMBER.sub(lambda found: _larger(found.group()), value) for name, value in text.items()}


def replaced(text: Text, words: Mapping[str, str]) -> dict[str, str]:
    """Words replaced one for one wherever they stand, the longest first."""
    pattern = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return {name: re.sub(pattern, lambda found: words[found.group()], value) for name, value in text.items()}


SAME: Mapping[str, Edit] = {
    edit.__name__: edit
    for edit in (reordered, shortened, brief, typed_badly, without_accents, reworded, rearranged, mixed)
}
OTHER: Mapping[str, Edit] = {edit.__name__: edit for edit in (other_figure, other_figures)}


def _by_sentence(text: Text, language: str, change: Callable[[list[str]], list[str]]) -> dict[str, str]:
    glue = "" if language in ("zh", "ja") else " "
    return {
        name: value if name in _HEAD else glue.join(change(split_sentences(value, language)))
        for name, value in text.items()
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _larger(figure: str) -> str:
    """The figure with its first digit changed to another one that is not 0."""
    return str(int(figure[0]) % 9 + 1) + figure[1:]


def _typos(text: str) -> str:
    letters = list(text)
    for place in range(LETTERS_A_TYPO // 2, len(letters) - 2, LETTERS_A_TYPO):
        if not (letters[place].isalpha() and letters[place + 1].isalpha()):
            continue
        match int(_hash(text[place : place + 8])[:2], 16) % 3:
            case 0:
                letters[place] *= 2
            case 1:
                letters[place] = ""
            case _:
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def _plain(word: str) -> str:
    """A word without accents, its punctuation and figures untouched."""
    return "".join(folded(char).strip() if char.isalpha() else char for char in word)


def _replaced(text: str, words: Mapping[str, str], language: str) -> str:
    spaced = language not in ("ko", "ja", "zh")
    pattern = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    if spaced:
        pattern = rf"\b(?:{pattern})\b"

    def other(found: re.Match[str]) -> str:
        word = words[found.group().lower()]
        return word.capitalize() if found.group()[0].isupper() else word

    return re.sub(pattern, other, text, flags=re.IGNORECASE)
