"""The line of checks under a match: each fact in words, for each verdict, in both languages."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from techex.matching.rules import Fact


def said(app: Flask, fact: Fact, language: str = "en") -> str:
    with app.test_request_context(headers={"Accept-Language": language}):
        module = app.jinja_env.get_template("matching/_match.html").make_module()
        shown = re.sub(r"<[^>]*>", " ", str(module.check(fact)))  # type: ignore[attr-defined]
    return " ".join(shown.split()).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Fact("trl", "met", "6", "8"), "✓ met: TRL 8 ≥ 6"),
        (Fact("trl", "clash", "6", "4"), "✕ contradicts: TRL 4 &lt; 6"),
        (Fact("trl", "unknown", "6", ""), "? TRL not stated, asked: TRL 6"),
        (
            Fact("transfer_forms", "met", "assignment,franchise", "franchise,joint_research"),
            "✓ met: Franchise",
        ),
        (Fact("transfer_forms", "clash", "assignment", "franchise"), "✕ contradicts: Franchise, asked: Assignment"),
        (Fact("budget", "met", "2e+09 VND", "1.45e+09 VND"), "✓ met: ₫1,450,000,000 ≤ ₫2,000,000,000"),
        (Fact("budget", "clash", "1000 EUR", "2000 EUR"), "✕ contradicts: €2,000 &gt; €1,000"),
        (Fact("budget", "unknown", "1000 EUR", ""), "? price not stated, asked: €1,000"),
        (Fact("budget", "unknown", "1000 EUR", "2000000 VND"), "? ₫2,000,000, asked: €1,000"),
        (Fact("deadline", "met", "2027-06-30", "2028-12-31"), "✓ met: on offer until December 31, 2028"),
        (Fact("reach", "met", "country", "VN-33"), "✓ met: Own country"),
        (Fact("reach", "clash", "province", "VN-33"), "✕ contradicts: Hung Yen, asked: Own province"),
        (Fact("reach", "clash", "country", "NL"), "✕ contradicts: Netherlands, asked: Own country"),
        (Fact("offered_within", "met", "country", "VN-33"), "✓ met: offered in: Own country"),
        (
            Fact("partner_kinds", "met", "enterprise", "enterprise,investor"),
            "✓ met: partner sought: Enterprise, Investor",
        ),
        (Fact("partner_kinds", "clash", "public_body", "enterprise"), "✕ contradicts: partner sought: Enterprise"),
        (Fact("quantity", "clash", "≥ 80 °C", "60 °C"), "✕ contradicts: 60 °C, asked: ≥ 80 °C"),
        (Fact("quantity", "met", "60 °C", "60 °C"), "✓ met: 60 °C"),
    ],
)
def test_each_check_is_said_in_words(app: Flask, fact: Fact, words: str) -> None:
    assert said(app, fact) == words


def test_checks_speak_vietnamese(app: Flask) -> None:
    assert (
        said(app, Fact("reach", "clash", "province", "VN-33"), "vi")
        == "✕ trái yêu cầu: Hưng Yên, yêu cầu: Trong tỉnh, thành phố"
    )
    assert said(app, Fact("budget", "unknown", "2e+09 VND", ""), "vi") == "? chưa nêu giá, yêu cầu: 2.000.000.000 ₫"
