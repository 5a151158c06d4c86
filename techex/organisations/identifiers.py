"""Numbers by which registers know an organisation: Vietnam's tax code and ROR, with their check digits; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, FieldErrors, Sentence
from techex.regions.rules import HOME_COUNTRY

# Weights of the first nine digits of a Vietnamese tax code; the tenth is 10 less their sum modulo 11.
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
# Base 32 without I, L, O and U, as ROR writes numbers.
_ROR_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def checked_identifiers(identifiers: Mapping[str, str], country: str) -> dict[str, str]:
    """Identifiers in the form in which they are compared, empty ones left out.

    Raises FieldErrors naming each that is wrong.
    """
    found: dict[str, str] = {}
    errors: dict[str, str] = {}
    for scheme, text in identifiers.items():
        try:
            value = clean_line(text, scheme)
            if not value:
                continue
            match scheme:
                case "tax_code" if country == HOME_COUNTRY:
                    found[scheme] = tax_code(value)
                case "tax_code":
                    found[scheme] = _foreign_code(value)
                case "ror":
                    found[scheme] = ror(value)
                case _:
                    raise BadInput(Sentence(N_("expected tax_code or ror.")), about=scheme)
        except BadInput as error:
            errors[scheme] = error.sentence
    if errors:
        raise FieldErrors(errors)
    return found


def tax_code(text: str) -> str:
    """A Vietnamese tax code, 0100109106 or with its branch 0100109106-001; raises BadInput."""
    digits = re.sub(r"[\s.\-–]", "", text)
    if not re.fullmatch(r"[0-9]{10}([0-9]{3})?", digits, re.ASCII) or digits[10:] == "000":
        raise BadInput(
            Sentence(N_("expected 10 digits, or 13 for a branch, such as 0100109106 or 0100109106-001.")),
            about="tax_code",
        )
    expected = 10 - sum(int(digit) * weight for digit, weight in zip(digits, _TAX_WEIGHTS, strict=False)) % 11
    if expected != int(digits[9]):
        raise BadInput(
            Sentence(N_("is no tax code: its check digit does not fit the others. Compare it with the certificate.")),
            about="tax_code",
        )
    return f"{digits[:10]}-{digits[10:]}" if digits[10:] else digits


def _foreign_code(text: str) -> str:
    """A number of another country's register: letters, digits and the marks between them."""
    code = re.sub(r"\s+", "", text).upper()
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z./\-]{3,31}", code, re.ASCII):
        raise BadInput(
            Sentence(N_("expected 4 to 32 letters and digits, as the register of its country writes it.")),
            about="tax_code",
        )
    return code


def ror(text: str) -> str:
    """An identifier of the Research Organization Registry without its address, 05hzhp295; raises BadInput."""
    code = re.sub(r"^(https?://)?(www\.)?ror\.org/", "", text.strip().lower())
    if not re.fullmatch(r"0[a-hj-km-np-tv-z0-9]{6}[0-9]{2}", code, re.ASCII):
        raise BadInput(
            Sentence(N_("expected nine characters that begin with 0, such as 05hzhp295, or the address at ror.org.")),
            about="ror",
        )
    number = 0
    for digit in code[:7]:
        number = number * 32 + _ROR_DIGITS.index(digit)
    if 98 - number * 100 % 97 != int(code[7:]):
        raise BadInput(
            Sentence(N_("is no ROR: its check digits do not fit the others. Copy it from ror.org.")), about="ror"
        )
    return code
