"""The standards that a text names (ISO 22000, TCVN 9001, HACCP), so that asked and stated ones compare. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Series whose standards have numbers; case counts: "en 12" is no European standard. A Chinese number has four digits
# or more ("GB 4706"), since GB is also a size of memory.
_NUMBERED = (
    r"(?:ISO|IEC|EN|ASTM|IEEE|DIN|JIS|SNI|TCVN|QCVN|TCXDVN)(?:[/ -](?:IEC|ISO|TS|EN))*[ \u00a0-]?"
    r"[A-Z]?\d{2,6}(?:[.-]\d{1,4})*"
)
_CHINESE = r"GB(?:/T)?[ \u00a0]?\d{4,6}"
_NAMED = (
    r"HACCP|GMP(?:-WHO)?|GLP|V(?:iet|IET)GAP|Global(?:G\.?A\.?P|GAP)|GLOBALG\.?A\.?P|ASEAN ?GAP|Halal|HALAL|BRCGS"
    r"|FSSC 22000|HL7|FHIR|DICOM|RoHS|IP ?6[5-9]"
)
# Chinese and Japanese put no space before a name, so only Latin letters and digits make it part of another word.
_STANDARD = re.compile(rf"(?<![A-Za-z\d_À-ỹ])(?:{_NUMBERED}|{_CHINESE}|{_NAMED})(?![A-Za-z\d_À-ỹ])")


def standards_in(text: str) -> dict[str, str]:
    """The standards a text names: a key to compare them by -> the name as it is written, in the order of the text."""
    found: dict[str, str] = {}
    for match in _STANDARD.finditer(text):
        found.setdefault(_key(match.group()), match.group().rstrip(".-"))
    return found


def standards_of(texts: Iterable[object]) -> dict[str, str]:
    """Those of several values, of which only texts name any."""
    found: dict[str, str] = {}
    for text in texts:
        if isinstance(text, str):
            for key, name in standards_in(text).items():
                found.setdefault(key, name)
    return found


def _key(name: str) -> str:
    # "ISO/IEC 27001", "ISO 27001" and "TCVN ISO/IEC 27001" are one; so are QCVN 40 and "QCVN 40:2011/BTNMT", since what
    # follows the number is not read.
    bare = re.sub(r"[\W_]", "", name.upper())
    return re.sub(r"^(?:TCVN|EN|DIN)*(ISO|IEC)(?:IEC|TS)*", r"\1", bare)
