"""Passwords that others would guess: common ones, own words, runs and repeats, whatever signs stand for letters."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from techex.accounts.guessing import COMMON, OWN, QUICK, REPEATS, RUNS, why_easy
from techex.accounts.rules import LONGEST_PASSWORD
from tests.cast import PASSWORD

WORDS = ("TechEx", "Nguyễn Thị Lan", "lan@firm.example", "Dệt may Sông Hồng", "https://dmsh.example")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("nguyenvannam1990", COMMON),
        ("matkhau123456789", COMMON),
        ("Mật khẩu 2026 2027", COMMON),
        ("anhyeuem123456789", COMMON),
        ("Saigon2024!Saigon", COMMON),
        ("princess sunshine", COMMON),
        ("iloveyou sunshine", COMMON),
        ("lan nguyen lan nguyen", OWN),
        ("Dệt May Sông Hồng 1", OWN),
        ("detmaysonghong99", OWN),
        ("dmsh.example 2026", OWN),
        ("iloveyouiloveyou", REPEATS),
        ("p@ssw0rdp@ssw0rd1", REPEATS),
        ("19900101 19900101", REPEATS),
        ("sông Hồng " * 20, REPEATS),
        ("abcdefgh12345678", RUNS),
    ],
)
def test_the_sentence_says_what_makes_a_password_easy(password: str, reason: str) -> None:
    assert why_easy(password, WORDS) == reason


@pytest.mark.parametrize("reason", [COMMON, OWN, REPEATS, RUNS, QUICK])
def test_every_sentence_says_what_to_do(reason: str) -> None:
    assert any(word in reason for word in ("Choose", "Add"))


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "thunder lantern copper moss", "con mèo trắng uống trà", "ngôi nhà bên sông Đáy 3", "x7!kQ2#vR9$mL4&wT"],
)
def test_a_few_words_that_do_not_belong_together_are_taken(password: str) -> None:
    assert why_easy(password, ("TechEx", "Trần Minh", "minh@firm.example")) == ""


def test_the_lists_are_read_when_the_first_password_is_chosen_and_not_before() -> None:
    asked = "import sys, techex.accounts.views, techex.accounts.guessing; print('zxcvbn' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "False"


@pytest.mark.parametrize("password", ["4@8({[<369&#!10|$5+7%2 kqv" * 9, "p@$$w0rd1!|7 " * 19, "aB3$kq9zx7!" * 23])
def test_no_password_keeps_the_exchange_busy(password: str) -> None:
    why_easy("warm the lists up first", ())
    started = time.process_time()
    why_easy("x" + password[: LONGEST_PASSWORD - 1], ())
    assert time.process_time() - started < 1
