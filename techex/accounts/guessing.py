"""How soon a password would be guessed, and why: by lists of common ones, of names, of keyboards, of its owner's words.

`zxcvbn` brings its lists of English and of leaked passwords; those of Vietnam are here. It is imported when the first
password is chosen, since its lists take a moment and most pages never need them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from itertools import pairwise
from typing import Any

from techex.core.text import folded
from techex.core.vocabulary import N_

# Guesses, as a power of ten: beyond what somebody with the stored hash can try at 50 ms each on a thousand machines.
FEWEST_GUESSES = 10
FEWEST_DIFFERENT = 6  # characters; "aaaaaaaaaaaaaaa" is long and no secret
FEWEST_OF_ITS_OWN = 8  # characters left when names, the address and the commonest words are taken out
# The estimate takes time that grows with the square of the length; what stands behind only makes it harder to guess.
LONGEST_ESTIMATED = 64
# Signs that may stand for letters: beyond so many different ones all their readings take seconds to try.
MOST_SIGNS = 6

REPEATS = N_(
    "This password repeats itself, so it is guessed as fast as a short one. Choose three or four words that do not "
    "belong together."
)
RUNS = N_(
    "This password runs along the keyboard, the alphabet or a date, which is tried early. Choose three or four words "
    "that do not belong together."
)
COMMON = N_(
    "This password is made of what very many people use, and that is tried first. Choose three or four words that do "
    "not belong together."
)
OWN = N_(
    "This password is made of your name, your address, your organisation or the name of the exchange, which anybody "
    "can look up. Choose three or four words that say nothing about you."
)
QUICK = N_("This password would be guessed soon. Add a word or two that nobody would expect beside the others.")

# What zxcvbn's lists lack: Vietnamese names, places and the words people make passwords of, without marks.
_VIETNAMESE = (
    "matkhau", "anhyeuem", "emyeuanh", "yeuem", "yeuanh", "nhoem", "nhoanh", "toiyeu", "vietnam", "hochiminh", "saigon",
    "hanoi", "danang", "haiphong", "cantho", "nhatrang", "dalat", "giadinh", "hanhphuc", "tinhyeu", "congty", "truong",
    "daihoc", "bachkhoa", "sinhvien", "nguyen", "tran", "pham", "hoang", "huynh", "phan", "dang", "minh", "thanh",
    "phuong", "hung", "dung", "tuan", "linh", "huong", "trang", "thao", "nhung", "quang", "quan", "khanh", "long",
    "hieu", "trung", "duc", "nam", "van", "thi", "anh", "khongbiet", "khongco", "choem", "motminh",
    "admin", "techex", "congnghe",
)  # fmt: skip
_ENGLISH = ("password", "passphrase", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "123456789", "abcdefghij")
# One letter for each sign that people put in its place.
_PLAIN_LETTERS = str.maketrans("4@8({[<369&#!10|$5+7%2", "aabcccceggghillossttxz")
_YEAR = re.compile(r"(?:19|20)\d\d")


def why_easy(password: str, own_words: tuple[str, ...]) -> str:
    """What makes a password easy to guess, as a sentence that says what to do; empty for a good one.

    `own_words` are what others can find out about its owner: name, address, organisation, the exchange.
    """
    return _by_rule(password, own_words) or _by_estimate(password, own_words)


def _by_rule(password: str, own_words: tuple[str, ...]) -> str:
    bare = password.casefold()
    if len(set(bare)) < FEWEST_DIFFERENT:
        return REPEATS
    if any(len(bare) >= 2 * size and bare == (bare[:size] * len(bare))[: len(bare)] for size in range(1, 33)):
        return REPEATS
    if all(ord(b) - ord(a) == 1 for a, b in pairwise(bare)):
        return RUNS
    symbols = len({character for character in bare if not character.isalnum() and not character.isspace()})
    without_own = _without(folded(bare).replace(" ", ""), _parts(own_words))
    if len(without_own) + symbols < FEWEST_OF_ITS_OWN:
        return OWN
    rest = _YEAR.sub("", _without(without_own, {*_ENGLISH, *_VIETNAMESE}))
    return COMMON if len(rest) + symbols < FEWEST_OF_ITS_OWN else ""


def _parts(words: tuple[str, ...]) -> set[str]:
    """Words as people type them into a password: without marks, singly and joined."""
    return {part for word in words for part in (*folded(word).split(), folded(word).replace(" ", "")) if len(part) > 2}


def _without(text: str, words: set[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def _by_estimate(password: str, own_words: tuple[str, ...]) -> str:
    # Its matchers are called one level below `zxcvbn.zxcvbn`, which keeps the owner's words in a place that all
    # threads share.
    from zxcvbn import matching

    own = sorted(_parts(own_words))
    lists = {
        **matching.RANKED_DICTIONARIES,
        "vietnamese": matching.build_ranked_dict(_VIETNAMESE),
        "own": matching.build_ranked_dict(own),
    }
    plain = "".join(c for c in unicodedata.normalize("NFD", password.casefold()) if not unicodedata.combining(c))
    plain = plain.replace("đ", "d")[:LONGEST_ESTIMATED]
    found = [_estimate(spelling, lists) for spelling in {plain, "".join(plain.split())}]
    weakest = min(found, key=lambda one: float(one["guesses"]))
    if math.log10(weakest["guesses"]) >= FEWEST_GUESSES:
        return ""
    return _reason(weakest["sequence"])


def _estimate(text: str, lists: dict[str, Any]) -> dict[str, Any]:
    from zxcvbn import matching, scoring

    if len({sign for sign in text if ord(sign) in _PLAIN_LETTERS}) <= MOST_SIGNS:
        found: dict[str, Any] = scoring.most_guessable_match_sequence(text, matching.omnimatch(text, lists))
        return found
    read = (
        matching.dictionary_match,
        matching.reverse_dictionary_match,
        matching.spatial_match,
        matching.sequence_match,
        matching.regex_match,
        matching.date_match,
    )
    as_signs = [match for matcher in read for match in matcher(text, _ranked_dictionaries=lists)]
    as_letters = text.translate(_PLAIN_LETTERS)
    either = (
        scoring.most_guessable_match_sequence(text, as_signs),
        scoring.most_guessable_match_sequence(as_letters, matching.omnimatch(as_letters, lists)),
    )
    return min(either, key=lambda one: float(one["guesses"]))


def _reason(parts: list[dict[str, Any]]) -> str:
    """The sentence for what covers most of a password that is easy."""
    longest = max(parts, key=lambda part: len(part["token"]))
    if longest["pattern"] == "dictionary":
        return OWN if longest.get("dictionary_name") == "own" else COMMON
    said = {"repeat": REPEATS, "spatial": RUNS, "sequence": RUNS, "date": RUNS, "regex": RUNS}
    return said.get(longest["pattern"], QUICK)
