"""No text keeps a pattern or a check of ours busy: each is tried with what it likes least, and its time is counted."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from techex.accounts import rules as accounts
from techex.core import text as texts
from techex.embedding import languages, passages
from techex.errors import TechexError
from techex.interchange.rules import shortened
from techex.listings import attachments, figures, linting
from techex.listings.rules import Kind
from techex.listings.validation import checked_draft
from techex.matching import places_in_text, requirements, standards, statements
from techex.matching.forms import LONGEST_TEXT
from techex.organisations import identifiers
from techex.organisations import rules as organisations
from techex.quantities import reading
from techex.search import analysis

from . import hostile_texts

# A pattern meets texts of a field at most; twice the length takes four times as long where it is at its worst.
LENGTH = 2_000
SECONDS = 0.25  # of the processor; a fault takes many times as long
SECONDS_OF_A_CHECK = 5.0  # which uses dozens of patterns on the longest text there is


class TookTooLong(Exception):  # noqa: N818 - says what happened
    """Stopped: nobody waits for the end of a pattern with a fault."""


def seconds_of(call: Callable[[], Any], most: float) -> float:
    """Seconds of the processor, of the quicker of two where it was slow: the machine does other work too."""
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, 2 * most)
        with suppress(TechexError, TookTooLong):
            call()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        best = min(best, time.process_time() - began)
        if best < most:
            break
    return best


def _stop(*given: object) -> None:
    raise TookTooLong


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """Lets `seconds_of` stop what it measures."""
    signal.signal(signal.SIGVTALRM, _stop)
    yield
    signal.signal(signal.SIGVTALRM, signal.SIG_IGN)  # by default one that comes late ends the whole process


@pytest.mark.parametrize("fault", [r"(a+)+b", r"(?:a|a)*!", r"(?:\w+\s?)*$", r"\W*(?:no)?\W*(?:x)?\W*(\d+)\W*"])
def test_a_pattern_with_a_fault_would_be_found(fault: str) -> None:
    pattern = re.compile(fault)
    for text in hostile_texts.against(pattern, 400):
        if seconds_of(lambda: sum(1 for _ in pattern.finditer(text)), SECONDS) >= SECONDS:  # noqa: B023
            return
    pytest.fail("none of the texts kept it busy")


def test_no_pattern_of_ours_can_be_kept_busy() -> None:
    slow, patterns = [], hostile_texts.patterns()
    assert len(patterns) > 120
    for name, pattern in patterns.items():
        for text in hostile_texts.against(pattern, LENGTH):
            took = seconds_of(lambda: sum(1 for _ in pattern.finditer(text)), SECONDS)  # noqa: B023
            if took >= SECONDS:
                slow.append(f"{name}: {took:.2f} s for {text[:40]!r}…")
    assert slow == []


KNOWN = linting.Known("Công ty Dệt may Sông Hồng", website="https://det-may.example")
# Each check of what people send, with a text of its own longest length or of the longest there is.
CHECKS: dict[str, Callable[[str], Any]] = {
    "text": texts.clean,
    "one line": texts.clean_line,
    "folded": texts.folded,
    "need": lambda text: checked_draft(
        Kind.NEED, {"title": text, "summary": text, "problem": text, "required_result": text, "budget_max": text},
        language="vi", country="VN", province="33", visibility="public"
    ),
    "result": lambda text: checked_draft(
        Kind.OFFER, {"title": text, "description": text, "trl": text, "fields": text, "price": text, "deadline": text},
        language="en", country="VN", province="33", visibility="public"
    ),
    "e-mail address": accounts.checked_address,
    "name of a person": accounts.checked_name,
    "password": accounts.checked_password,
    "browser": accounts.browser_name,
    "organisation": lambda text: organisations.checked(organisations.OrganisationDraft(text, province="33")),
    "website": lambda text: organisations.checked(
        organisations.OrganisationDraft("A firm", province="33", website=f"https://{text}")
    ),
    "identifiers": lambda text: [check(text) for check in (identifiers.tax_code, identifiers.ror)],
    "advice on a listing": lambda text: list(linting.lint({"description": text}, "vi", anonymous=True, known=KNOWN)),
    "name of a file": lambda text: (attachments.safe_name(text, "application/pdf"), linting.file_tells(text, KNOWN)),
    "figures": lambda text: (figures.has_figure(text), figures.names_alternative(text)),
    "quantities": reading.find_quantities,
    "requirements": lambda text: requirements.requirements_of({"required_result": text}, "vi"),
    "statements": lambda text: statements.statements_of({"description": text}, "en"),
    "standards": standards.standards_in,
    "places": places_in_text.find,
    "passages": passages.passages_of_text,
    "language": languages.detect,
    "search": lambda text: analysis.search_terms(text, "vi", ("en", "vi")),
    "terms": lambda text: analysis.listing_terms(text, "en"),
    "cut of an import": lambda text: shortened(text, 1_000),
}  # fmt: skip
HOSTILE = tuple(again * (LONGEST_TEXT // len(again)) for again in hostile_texts.COMMON)


@pytest.mark.parametrize("check", CHECKS)
def test_no_check_of_ours_can_be_kept_busy(check: str) -> None:
    slow = []
    for text in HOSTILE:
        took = seconds_of(lambda: CHECKS[check](text), SECONDS_OF_A_CHECK)  # noqa: B023 - called at once
        if took >= SECONDS_OF_A_CHECK:
            slow.append(f"{took:.1f} s for {text[:20]!r}…")
    assert slow == []
