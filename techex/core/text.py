"""Text at the door: one normal form, and a clear refusal of what cannot be stored or shown.

Every surface (search box, form, import, command line) passes its text through `clean` or `clean_line`, so the same
input gets the same verdict everywhere. The verdicts follow the table in tests/core/test_text.py.
"""

from __future__ import annotations

import re
import unicodedata

from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence

# Vietnamese needs two marks on one letter; more than four is decoration that breaks line heights.
MOST_MARKS = 4
# Beyond this share of characters the marks are the message, and no reader can read it.
MOST_MARKS_SHARE = 0.10

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NONCHARACTER = re.compile(r"[\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe\U0001ffff]")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff\u00ad\U000e0000-\U000e007f]")
_LONE_JOINER = re.compile(r"(?<![^\s])[\u200c\u200d]|[\u200c\u200d](?![^\s])")
_ACCENT = re.compile(r"[\u0300-\u036f]")
_LINE_BREAK = re.compile(r"\r\n|[\r\u2028\u2029\x0b\x0c\x85]")
_STACKED = re.compile(rf"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{{{MOST_MARKS}}})"
                      r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")  # fmt: skip


def clean(text: str, name: str = "text") -> str:
    """`text` in NFC with plain line breaks, without invisible characters and outer white space.

    Raises BadInput, naming the field and the character, for NUL and other control characters, lone surrogates,
    noncharacters and text that is mostly stacked marks.
    """
    text = _LINE_BREAK.sub("\n", text)
    for pattern, what in ((_SURROGATE, N_("half of a character")), (_CONTROL, N_("a control character"))):
        if found := pattern.search(text):
            raise BadInput(
                Sentence(
                    N_(
                        "contains %(what)s (%(code)s, at position %(position)s), which is not text. Expected letters, "
                        "digits, punctuation and line breaks; remove it and try again."
                    ),
                    what=Sentence(what),
                    code=f"U+{ord(found.group()):04X}",
                    position=found.start() + 1,
                ),
                about=name,
            )
    if found := _NONCHARACTER.search(text):
        raise BadInput(
            Sentence(
                N_(
                    "contains %(code)s at position %(position)s, a code that never stands for a character. The text "
                    "was probably damaged; copy it again from its source."
                ),
                code=f"U+{ord(found.group()):04X}",
                position=found.start() + 1,
            ),
            about=name,
        )
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", _BIDI.sub("", text)))
    text = _LONE_JOINER.sub("", text)
    marks = sum(1 for character in text if unicodedata.combining(character))
    if marks > MOST_MARKS and marks > MOST_MARKS_SHARE * len(text) and _STACKED.search(text):
        raise BadInput(
            Sentence(N_("has so many marks stacked on its letters that it cannot be read. Type it plainly.")),
            about=name,
        )
    return _STACKED.sub(r"\1", text).strip()


def clean_line(text: str, name: str = "text") -> str:
    """As `clean`, for a title, a name or a search box: one line, single spaces, no text-direction overrides.

    Raises BadInput also for direction overrides, which can make a name look like another one.
    """
    if _BIDI.search(text):
        raise BadInput(
            Sentence(
                N_("contains a hidden text-direction character, which can disguise what it says. Type it plainly.")
            ),
            about=name,
        )
    return re.sub(r"\s+", " ", clean(text, name))


def has_words(text: str) -> bool:
    """True when there is at least one letter or digit in it."""
    return any(character.isalnum() for character in text)


def folded(text: str) -> str:
    """`text` for keyword search: lower case, letters without accents, đ as d, words apart by one space, ends padded.

    Only the marks of Latin, Greek and Cyrillic letters go: in other scripts a mark makes another letter.
    """
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    plain = unicodedata.normalize("NFC", _ACCENT.sub("", decomposed))
    words = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in plain).split()
    return f" {' '.join(words)} " if words else ""
