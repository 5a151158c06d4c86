"""A batch as a PDF: the same bytes for the same data."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
# Tried in this order for letters that the paper's own font lacks; typst takes any other font of the system after them.
FALLBACK = ("Noto Sans CJK KR", "Noto Sans KR", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans SC")
_OWN_LETTERS = ("LATIN", "GREEK", "CYRILLIC")


def needs_more_letters(text: str) -> bool:
    """True where a text has letters of other scripts than Latin, Greek and Cyrillic."""
    return any(
        not unicodedata.name(each, "LATIN").startswith(_OWN_LETTERS)
        for each in set(text)
        if unicodedata.category(each) in ("Lo", "Lm") and each not in "ªºʰⁿ"
    )


def paper(data: Mapping[str, Any]) -> bytes:
    """The PDF. Its bytes depend on nothing but the data, the template and the version of typst: no date.

    Fonts of the system are used only where a text needs letters that typst brings no font for (Korean, Japanese,
    Chinese, …): then the bytes are the same on machines with the same fonts.
    """
    import typst  # loaded when somebody asks for a paper: thirty megabytes

    foreign = needs_more_letters(json.dumps(data, ensure_ascii=False))
    held = json.dumps({**data, "fonts": FALLBACK if foreign else []}, ensure_ascii=False, sort_keys=True)
    source = (_HERE / "batch.typ").read_bytes()
    made = typst.compile(source, format="pdf", ignore_system_fonts=not foreign, sys_inputs={"data": held})
    assert isinstance(made, bytes)  # noqa: S101 - one PDF was asked for
    return made
