"""What stands in a link of a letter that works without signing in: signed with our key, for one purpose."""

from __future__ import annotations

from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from techex.core.vocabulary import N_
from techex.errors import NotFound, Sentence


def token_of(key: str, purpose: str, value: Any) -> str:
    """A value (numbers, texts and lists of them) as a word that nobody without the key can make."""
    return str(URLSafeSerializer(key, salt=purpose).dumps(value))


def value_of(key: str, purpose: str, token: str) -> Any:
    """The value of such a word. Raises NotFound for one that was not made here for this purpose."""
    try:
        return URLSafeSerializer(key, salt=purpose).loads(token)
    except BadSignature:
        raise not_ours() from None


def not_ours() -> NotFound:
    """The error for a link that leads nowhere here."""
    return NotFound(
        Sentence(N_("This link is not one of ours, or part of it is missing. Copy it whole from the letter."))
    )
