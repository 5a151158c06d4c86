"""Argon2id, and the work that is done for an account that does not exist."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP asks for at least 19 MiB with two passes; this takes more memory and about 50 ms of one core.
_HASHER = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)


def hashed(password: str) -> str:
    """What is stored of a password."""
    return _HASHER.hash(unicodedata.normalize("NFC", password))


def fits(stored: str, password: str) -> bool:
    """Whether a password is the stored one; as much work where nothing is stored."""
    try:
        return _HASHER.verify(stored or _nobodys(), unicodedata.normalize("NFC", password)) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """True when the stored hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _HASHER.hash("the password of nobody")
