"""Which language a text is in. Pure apart from the statistics of `py3langid`, which are loaded at the first use.

Three looks, the surest first: the script (Hangul, kana, Vietnamese letters decide alone), the shape of syllables
(Vietnamese typed without accents, which statistical detectors take for something else), then byte statistics.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = "und"

# Languages that listings and searches here are mostly written in; between these the statistics choose first.
EXPECTED = ("vi", "en", "id", "nl", "de", "fr", "es", "ru", "ar")
# Another language is believed only when the statistics are this sure of it, on a text of some length.
SURE_OF_ANOTHER = 0.90
LETTERS_TO_BE_SURE = 40

# A piece of a listing is taken to be in another language than the listing only when it is this long and this sure: of
# 1,690 passages of the demo none is, with 40 letters and .9 it would be none as well.
LETTERS_OF_A_PIECE = 80
SURE_OF_A_PIECE = 0.99

# More of a text than this adds time and no certainty.
CHARACTERS_READ = 4_000

# Share of a text's letters that must be in a script before the script decides.
SCRIPT_SHARE = 0.30

# Scripts that one language (or, for kana, one language of the two that use Han characters) writes.
_SCRIPTS: Mapping[str, str] = {
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "HEBREW": "he",
    "GREEK": "el",
    "TAMIL": "ta",
    "TELUGU": "te",
    "BENGALI": "bn",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
}

# Letters with hook, horn, breve or a second mark: no other language with Latin letters uses this block, and of the
# letters outside it only ơ and ư are Vietnamese alone.
_VIETNAMESE_ONLY = re.compile(r"[\u1ea0-\u1ef9ơưƠƯ]")
_VIETNAMESE_LETTER = re.compile(r"[\u1ea0-\u1ef9ơưƠƯăĂđĐ]")

_ONSET = r"(?:ngh|ng|gh|gi|kh|ch|nh|ph|qu|th|tr|b|c|d|đ|g|h|k|l|m|n|p|r|s|t|v|x)?"
_RHYME = (
    r"(?:a|ac|ach|ai|am|an|ang|anh|ao|ap|at|au|ay|e|ec|em|en|eng|eo|ep|et|eu|enh|ech|i|ia|ich|iec|iem|ien|ieng|iep"
    r"|iet|ieu|im|in|inh|ip|it|iu|o|oa|oac|oach|oai|oam|oan|oang|oanh|oat|oay|oc|oe|oen|oet|oi|om|on|ong|op|ot|u|ua"
    r"|uan|uang|uat|uay|uc|ue|uenh|ui|um|un|ung|uo|uoc|uoi|uom|uon|uong|uop|uot|uou|up|ut|uu|uy|uya|uych|uyen|uyet"
    r"|uynh|uyt|y|yem|yen|yet|yeu)"
)
_SYLLABLE = re.compile(_ONSET + _RHYME + r"\Z")

# Words of other languages that happen to have the shape of a Vietnamese syllable: they tell nothing.
_AMBIGUOUS_WORDS = """
    a all am an any ban bang bat be bean bin bit bot bo but by cam can cap car cat chip chat che co con cup cut da
    dam dan dat de den di die dim din do dot du dun e el em en es et eu fan gap gas gen get go gum gun hai ham han
    hat he hem hen het hi him hip hit ho hoe hop hot hun hut i in io it la lac lap las le led let li lip lo long lot
    lui ma mai man map mat may me mein men met mi mix mo mon moi mot mu my na nap ne nen net ni niet no nom non not nou
    nu nun nut o oi om on op ou pan par pas pen pet phi phone pi pin pit po pot qua que qui ra ram ran rap rat ren rim
    rip ro rot ru run sa sac sai san sang sap sat say se sein sen set si sin sit so soi son su sun ta tai tan tang tap
    te ten tha than that the them then thin this thou thu ti tim tin tip to toi tom ton too top tot tu tun u un up
    ut va van vi vin vit vo von vu vue xe
"""
_AMBIGUOUS = frozenset(_AMBIGUOUS_WORDS.split())
# At least this share of the words must have the shape, and this share must be shaped like nothing else.
SHAPED_SHARE = 0.85
TELLING_SHARE = 0.40
# One telling syllable is chance; from two on the guess is worth making, from four on it is nearly sure.
TELLING_SYLLABLES = 2
# Where every word has the shape, and there are this many, one telling syllable will do ("may say nong san").
ALL_SHAPED = 4
NEARLY_SURE = 0.95
GUESSED = 0.75


def detect(text: str) -> tuple[str, float]:
    """ISO 639-1 code of the language most of `text` is in, and a confidence 0..1; ("und", 0.0) without letters."""
    text = unicodedata.normalize("NFC", text[:CHARACTERS_READ])
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return UNKNOWN, 0.0
    return _by_script(letters) or _by_vietnamese_letters(text) or _by_syllables(text) or _by_statistics(text, letters)


def language_of_piece(text: str, language: str) -> str:
    """The language of a piece of a text that is said to be in `language`: that one, unless the piece surely is not."""
    if sum(char.isalpha() for char in text[:CHARACTERS_READ]) < LETTERS_OF_A_PIECE:
        return language
    found, sure = detect(text)
    return found if sure >= SURE_OF_A_PIECE else language


def _by_script(letters: list[str]) -> tuple[str, float] | None:
    scripts: dict[str, int] = {}
    for char in letters:
        if char > "\u036f":
            script = unicodedata.name(char, "").partition(" ")[0].partition("-")[0]
            scripts[script] = scripts.get(script, 0) + 1
    # Japanese mixes kana and Han: any clear presence of kana decides against Chinese.
    kana = scripts.get("HIRAGANA", 0) + scripts.get("KATAKANA", 0)
    han = scripts.get("CJK", 0)
    hangul = scripts.get("HANGUL", 0)
    eastern = kana + han + hangul
    if eastern >= SCRIPT_SHARE * len(letters):
        share = eastern / len(letters)
        if hangul >= max(kana, SCRIPT_SHARE * eastern):
            return "ko", share
        # Fewer than one kana in twenty is a borrowed name in a Chinese text.
        return ("ja", share) if kana * 20 > eastern else ("zh", share)
    for script, language in _SCRIPTS.items():
        if scripts.get(script, 0) >= SCRIPT_SHARE * len(letters):
            return language, scripts[script] / len(letters)
    return None


def _by_vietnamese_letters(text: str) -> tuple[str, float] | None:
    words = re.findall(r"[^\W\d_]+", text)
    marked = sum(1 for word in words if _VIETNAMESE_LETTER.search(word))
    # A Vietnamese name in a foreign sentence marks a word or two; in Vietnamese about every second word is marked.
    if _VIETNAMESE_ONLY.search(text) and marked >= SCRIPT_SHARE * len(words):
        return "vi", min(1.0, 0.8 + marked / len(words))
    return None


def _by_syllables(text: str) -> tuple[str, float] | None:
    words = re.findall(r"[^\W\d_]+", text.lower())
    words = [word for word in words if len(word) > 1]
    shaped = [word for word in words if _SYLLABLE.match(word)]
    telling = [word for word in shaped if word not in _AMBIGUOUS]
    if telling and len(shaped) == len(words) >= ALL_SHAPED:
        return "vi", NEARLY_SURE if len(telling) >= 2 * TELLING_SYLLABLES else GUESSED
    if (
        len(telling) < TELLING_SYLLABLES
        or len(shaped) < SHAPED_SHARE * len(words)
        or len(telling) < TELLING_SHARE * len(words)
    ):
        return None
    return "vi", NEARLY_SURE if len(telling) >= 2 * TELLING_SYLLABLES else GUESSED


def _by_statistics(text: str, letters: list[str]) -> tuple[str, float]:
    ranked: list[tuple[str, float]] = _identifier().rank(text)
    language, confidence = ranked[0]
    if language in EXPECTED or (confidence >= SURE_OF_ANOTHER and len(letters) >= LETTERS_TO_BE_SURE):
        return language, confidence
    expected = [(code, share) for code, share in ranked if code in EXPECTED]
    total = sum(share for _, share in expected)
    if total <= 0:
        return UNKNOWN, 0.0
    return expected[0][0], expected[0][1] / total


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
