"""The second factor: time-based codes of an app on a phone (RFC 6238), and recovery codes for the day it is lost.

The seed is made from a random nonce in the person's row and the signing key of the installation: whoever copies the
database has no codes. A new signing key therefore voids second factors, and recovery codes are what remains.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person, RecoveryCode
from techex.core.context import Context

RECOVERY_CODES = 10
_STEP = 30  # seconds, what every app assumes
_SEED_BYTES = 20  # RFC 4226
_GROUPS, _GROUP = 3, 4  # of a recovery code: 60 random bits, as "7k2m-qx4d-9hwa"
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another


def propose(person: Person) -> None:
    """Give a person a new seed that is not asked for yet."""
    person.factor_nonce, person.factor_since, person.factor_step = secrets.token_hex(16), None, 0


def seed(person: Person, key: str) -> str:
    """The seed of a person's codes, as apps take it (base 32)."""
    made = hmac.new(key.encode(), f"second factor {person.id} {person.factor_nonce}".encode(), hashlib.sha256)
    return base64.b32encode(made.digest()[:_SEED_BYTES]).decode()


def address(person: Person, key: str, exchange: str) -> str:
    """What the square code says to an app."""
    return pyotp.TOTP(seed(person, key)).provisioning_uri(name=person.email, issuer_name=exchange)


def code_at(person: Person, key: str, now: datetime) -> str:
    """The code an app shows at this moment."""
    return pyotp.TOTP(seed(person, key)).at(now)


def is_on(person: Person) -> bool:
    """True when a code is asked for at sign-in."""
    return person.factor_since is not None


def accepts(person: Person, key: str, code: str, now: datetime) -> bool:
    """Whether this is the code of now, of the step before or after; a code that was accepted is used up."""
    given = "".join(code.split())
    if not person.factor_nonce or not given.isascii() or not given.isdigit():
        return False
    codes, step = pyotp.TOTP(seed(person, key)), int(now.timestamp()) // _STEP
    for candidate in (step, step - 1, step + 1):
        # The code of an invented person stands on the page, so its second use proves as much as its first.
        fresh = candidate > person.factor_step or person.illustrative
        if hmac.compare_digest(codes.generate_otp(candidate), given) and fresh:
            person.factor_step = max(candidate, person.factor_step)
            return True
    return False


def turn_on(session: Session, context: Context, person: Person) -> list[str]:
    """Ask for codes from now on; returns the recovery codes, which are shown this once."""
    person.factor_since = context.now
    return new_recovery_codes(session, person)


def turn_off(session: Session, person: Person) -> None:
    """Ask for no code any more."""
    person.factor_nonce, person.factor_since, person.factor_step = "", None, 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))


def new_recovery_codes(session: Session, person: Person) -> list[str]:
    """Ten new codes; older ones are void."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(RecoveryCode(person_id=person.id, code_hash=_digest(person, code)) for code in codes)
    session.flush()
    return codes


def use_recovery_code(session: Session, context: Context, person: Person, code: str) -> bool:
    """Whether this is one of the codes not used yet; it is used now."""
    found = session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.person_id == person.id,
            RecoveryCode.code_hash == _digest(person, code),
            RecoveryCode.used_at.is_(None),
        )
    )
    if found is None:
        return False
    found.used_at = context.now
    session.flush()
    return True


def recovery_codes_left(session: Session, person_id: int) -> int:
    """How many codes are not used yet."""
    return (
        session.scalar(select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)))
        or 0
    )


def _digest(person: Person, code: str) -> str:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(f"{person.id} {plain}".encode()).hexdigest()
