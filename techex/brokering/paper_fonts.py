"""Setting papers with typst: which letters can be printed, and the fonts that come along for those typst has none for.

typst brings Latin with Vietnamese, Greek and Cyrillic. Chinese, Japanese and Korean come from two small fonts in
`fonts/` (13,113 letters, 2.7 MB), so that a paper has the same bytes on every machine.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typst

_HERE = Path(__file__).parent
FOLDER = _HERE / "fonts"
FAMILIES = ("Papers Han", "Papers Hangul")
MOST_SHOWN = 10
_OWN_LETTERS = ("LATIN", "GREEK", "CYRILLIC")
# Scripts with capitals whose letters are no "other letters" in Unicode.
_WITH_CAPITALS = ("ARMENIAN", "GEORGIAN", "CHEROKEE", "COPTIC", "GLAGOLITIC", "DESERET", "OSAGE", "ADLAM")


@cache
def brought() -> frozenset[str]:
    """The letters of the fonts that come along."""
    return frozenset((FOLDER / "letters.txt").read_text("utf-8").replace("\n", ""))


def unprintable(text: str) -> str:
    """The letters of a text that no font of ours has, each once, in their order; "" where all can be printed."""
    return "".join(each for each in dict.fromkeys(unicodedata.normalize("NFC", text)) if _is_missing(each))


def _is_missing(each: str) -> bool:
    if each.isascii() or each in brought():
        return False
    name = unicodedata.name(each, "")
    if unicodedata.category(each) in ("Lo", "Lm"):
        return not name.startswith(_OWN_LETTERS) and each not in "ªºʰⁿ"
    return unicodedata.category(each) in ("Lu", "Ll") and name.startswith(_WITH_CAPITALS)


def shown(letters: str) -> str:
    """Some of these letters, for a sentence about them."""
    return " ".join(letters[:MOST_SHOWN]) + (" …" if len(letters) > MOST_SHOWN else "")


def missing(data: object) -> str:
    """Some of the letters in this data that may be missing on its paper, for a sentence about them."""
    return shown(unprintable(json.dumps(data, ensure_ascii=False, default=str)))


def made(template: str, data: Mapping[str, Any], *, of_the_system: bool = True) -> bytes:
    """The PDF of a template of this folder. Its bytes depend on data, template, typst and our fonts only: no date.

    Where a text has letters that none of these fonts has, fonts of the system help if they may; whether they have
    them nobody knows here, so the page of the paper says which letters may be missing.
    """
    import typst  # loaded when somebody asks for a paper: thirty megabytes

    held = json.dumps({**data, "fonts": FAMILIES}, ensure_ascii=False, sort_keys=True)
    system = of_the_system and bool(unprintable(held))
    source = (_HERE / template).read_bytes()
    paper = typst.compile(source, format="pdf", font_paths=_fonts(system), sys_inputs={"data": held})
    assert isinstance(paper, bytes)  # noqa: S101 - one PDF was asked for
    return paper


@cache
def _fonts(system: bool) -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=system, font_paths=[str(FOLDER)])
