from __future__ import annotations

import unicodedata

import pytest

from techex.accounts import passwords, rules
from techex.errors import BadInput
from tests import once


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("lan@firm.example", "lan@firm.example"),
        ("  Lan.Nguyen+tx@Firm.Example ", "lan.nguyen+tx@firm.example"),
        ("o'neil@firm.example", "o'neil@firm.example"),
        ("lan@viện.example", "lan@xn--vin-5kz.example"),
        (unicodedata.normalize("NFD", "lan@viện.example"), "lan@xn--vin-5kz.example"),
    ],
)
def test_two_spellings_of_one_address_are_one(written: str, key: str) -> None:
    assert rules.checked_address(written).key == key


@pytest.mark.parametrize(
    "written",
    [
        "",
        "lan",
        "@firm.example",
        "lan@",
        "lan@firm",
        "lan@@firm.example",
        "a@b.c, evil@x.example",
        "a@b.cc evil@x.example",
        "Lan <lan@firm.example>",
        '"lan nguyen"@firm.example',
        "lan@firm.example\r\nBcc: evil@x.example",
        "lan@-firm.example",
        "lan@firm..example",
        ".lan@firm.example",
        "lan.@firm.example",
        "lan@[127.0.0.1]",
        "lan@127.0.0.1",
        "lan;evil@x.example",
        "lan@firm.example\x00",
        "l" * 65 + "@firm.example",
        "lan@" + "x" * 64 + ".example",
        "lan@firm.example" * 20,
        "lan%evil.example@",
        "lan\u202e@firm.example",
        "<script>@firm.example",
        "lan@fi rm.example",
    ],
)
def test_what_is_not_exactly_one_address_is_refused(written: str) -> None:
    with pytest.raises(BadInput):
        rules.checked_address(written)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "mật ong rừng U Minh 9",
        "三人行必有我師焉擇其善者而從之",
        "🦀🐙🐚🐳🐬🐟🐠🐡🦑🦞🦐🐌🐛🐜🐝",
    ],
)
def test_a_long_password_of_any_letters_will_do(password: str) -> None:
    assert rules.checked_password(password, "TechEx", "Nguyễn Thị Lan", "lan@firm.example")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "fourteen chars",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "abcdefghijklmnopqrst",
        "passwordpassword1",
        "matkhau matkhau 12",
        "TechExTechEx2026",
        "nguyen thi lan 123",
        "lan@firm.example1",
        "1234567890123456",
        "x" * 257,
    ],
)
def test_a_password_that_others_would_guess_is_refused(password: str) -> None:
    with pytest.raises(BadInput):
        rules.checked_password(password, "TechEx", "Nguyễn Thị Lan", "lan@firm.example")


def test_no_password_is_cut() -> None:
    long = "sông Hồng " * 20
    assert not passwords.fits(passwords.hashed(long + "a"), long + "b")


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    assert passwords.fits(
        passwords.hashed(unicodedata.normalize("NFC", "tiếng Việt")), unicodedata.normalize("NFD", "tiếng Việt")
    )


def test_nobodys_password_fits_nothing() -> None:
    assert not passwords.fits("", "")
    assert not passwords.fits("", "the password of nobody")
    assert not passwords.fits("not a hash", "x")


def test_passwords_are_kept_as_argon2id_with_enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    once.hash_at_full_cost(monkeypatch)
    assert passwords.hashed("x").startswith("$argon2id$v=19$m=47104,t=2,p=1$")


@pytest.mark.parametrize(
    ("sent", "called"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari, iPhone"),
        ("", ""),
    ],
)
def test_a_browser_is_called_as_people_call_it(sent: str, called: str) -> None:
    assert rules.browser_name(sent) == called
