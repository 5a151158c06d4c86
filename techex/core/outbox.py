"""Sending what is in the outbox: by SMTP, or as files in a folder.

A letter is claimed for a while before it is sent and marked after, each in a transaction of its own. Whoever is killed
in between leaves a claim that runs out, and the next one sends the letter again: nothing is lost. Into a folder the
second time is the first, since the key is the name of the file and the file appears whole or not at all (unless another
program has taken it away meanwhile). SMTP cannot promise that: between the moment at which a server has taken a letter
and the one at which its receipt is kept here, a kill makes the letter go out twice. It then carries the same
Message-ID, by which most mail systems show it once.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from techex.core import audit
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import SettingsInvalid

CLAIM = timedelta(minutes=2)  # longer than any server takes to answer; SMTP_TIMEOUT is well below
SMTP_TIMEOUT = 30  # seconds
# How long after each failure the next try is made; after the last a person has to look.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1_440))
BATCH = 50


@dataclass
class Sent:
    """What one round did."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0


# Whether a person may do now what a letter needs: (session, now, person, need).
Holds = Callable[[Session, datetime, int, tuple[Any, ...]], bool]
GONE = "Its reader may not see any more what it was about."


class Refused(Exception):  # noqa: N818 - the names of our errors say what happened
    """The mail system will never take this letter."""


class Carrier(Protocol):
    """A way letters leave the exchange."""

    def carry(self, key: str, message: EmailMessage) -> None:
        """Send one letter; raises OSError to try again later, Refused to give up."""


class Folder:
    """Letters as files `<key>.eml`, for other programs to pick up or people to read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def carry(self, key: str, message: EmailMessage) -> None:
        """Write the file aside, make it last, give it its name."""
        self.path.mkdir(parents=True, exist_ok=True)
        aside = self.path / f".{key}.{os.getpid()}.part"
        with aside.open("wb") as file:
            file.write(message.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path / f"{key}.eml")
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Smtp:
    """Letters to a mail server: smtp://user:password@host:587 (STARTTLS where offered) or smtps://host:465."""

    def __init__(self, address: str) -> None:
        self._parts = urlsplit(address)
        if self._parts.scheme not in ("smtp", "smtps") or not self._parts.hostname:
            raise SettingsInvalid(["TECHEX_SMTP_URL: expected smtp://user:password@host:587 or smtps://host:465"])

    @cached_property
    def _context(self) -> ssl.SSLContext:
        # Reading the authorities of a machine takes as long as ten letters.
        return ssl.create_default_context()

    def carry(self, key: str, message: EmailMessage) -> None:
        """Hand the letter to the server."""
        try:
            with self._server() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            if code >= 500:
                raise Refused(str(error)) from error
            raise OSError(str(error)) from error
        except smtplib.SMTPException as error:
            raise OSError(str(error)) from error

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        host, user = str(self._parts.hostname), self._parts.username
        server: smtplib.SMTP
        if self._parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, self._parts.port or 465, timeout=SMTP_TIMEOUT, context=self._context)
        else:
            server = smtplib.SMTP(host, self._parts.port or 25, timeout=SMTP_TIMEOUT)
        with server:
            server.ehlo()
            if self._parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=self._context)
            if user:
                server.login(unquote(user), unquote(self._parts.password or ""))
            yield server


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """A letter as mail programs read it: the same bytes each time it is made."""
    message = EmailMessage(policy=policy.SMTP)
    name, address = parseaddr(sender)
    message["From"] = formataddr((name, address))
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.created_at.astimezone(UTC))
    message["Message-ID"] = f"<{letter.key}@{address.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.language or "en"
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="quoted-printable")
    return message


def send_due(
    database: Database,
    carrier: Carrier,
    sender: str,
    now: datetime,
    *,
    keep_texts: bool = False,
    holds: Holds | None = None,
) -> Sent:
    """Send what is due, one letter after the other; texts with links that open doors are forgotten once sent.

    `holds` says what readers may do now: a letter, or a part of one, that is not for its reader any more is taken out.
    """
    done = Sent()
    for _ in range(BATCH):
        with database.transaction() as session:
            letter = _claim(session, now)
            if letter is not None and (reason := _reduced(session, letter, now, holds)):
                done.dropped += 1
                _drop(session, letter, now, reason)
                continue
        if letter is None:
            break
        try:
            carrier.carry(letter.key, message_of(letter, sender))
        except Refused as error:
            _note(database, letter, state="failed", error=str(error))
            done.failed += 1
        except OSError as error:
            pause = PAUSES[letter.attempts - 1] if letter.attempts <= len(PAUSES) else None
            state = "failed" if pause is None else "waiting"
            _note(database, letter, state=state, due_at=now + (pause or timedelta()), error=str(error))
            done.failed += 1
        else:
            text = "" if letter.secret and not keep_texts else letter.text
            _note(database, letter, state="sent", sent_at=now, text=text, error="")
            done.sent += 1
    return done


def _reduced(session: Session, letter: Letter, now: datetime, holds: Holds | None) -> str:
    """Take out of a letter what its reader may not see any more; why it must not leave at all, else empty."""
    needs = letter.needs or {}
    if "reader" not in needs or holds is None:
        return ""

    def held(need: Sequence[Any]) -> bool:
        return holds(session, now, needs["reader"], tuple(need))

    if not held(("person",)) or not all(held(need) for need in needs["all"]):
        return GONE
    parts = [(start, end, any(held(need) for need in any_of)) for start, end, any_of in needs["parts"]]
    if parts and not any(kept for _start, _end, kept in parts):
        return GONE
    if any(not kept for _start, _end, kept in parts):
        _cut(letter, parts)
        detail = {"parts": sum(not kept for _start, _end, kept in parts), "person": needs["reader"]}
        audit.record(session, Context(COMMAND_LINE, now), "letter reduced", "letter", letter.id, detail)
    return ""


def _cut(letter: Letter, parts: Sequence[tuple[int, int, bool]]) -> None:
    """Take the parts out that are not kept, with the empty lines behind them, and say where the others stand now."""
    stays = [True] * len(letter.text)
    for start, end, kept in parts:
        if not kept:
            after = end + len(letter.text[end:]) - len(letter.text[end:].lstrip("\n"))
            stays[start:after] = [False] * (after - start)
    place = [0, *accumulate(stays)]
    letter.text = "".join(character for character, stay in zip(letter.text, stays, strict=True) if stay)
    any_of = [part[2] for part in letter.needs["parts"]]
    left = [
        [place[start], place[end], needs]
        for (start, end, kept), needs in zip(parts, any_of, strict=True)
        if kept and place[end] > place[start]
    ]
    letter.needs = {**letter.needs, "parts": left}


def _drop(session: Session, letter: Letter, now: datetime, reason: str) -> None:
    """Keep that a letter was not sent, and nothing of what it said."""
    letter.state, letter.error, letter.text, letter.subject, letter.due_at = "dropped", reason, "", "", now
    detail = {"key": letter.key, "person": letter.needs["reader"]}
    audit.record(session, Context(COMMAND_LINE, now), "letter dropped", "letter", letter.id, detail)


def _claim(session: Session, now: datetime) -> Letter | None:
    """The next letter due, claimed for this process: waiting, or left by one that did not come back."""
    letter = session.scalar(
        select(Letter)
        .where(Letter.state.in_(("waiting", "sending")), Letter.due_at <= now)
        .order_by(Letter.due_at, Letter.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if letter is not None:
        letter.state, letter.due_at, letter.attempts = "sending", now + CLAIM, letter.attempts + 1
    return letter


def _note(database: Database, letter: Letter, **values: object) -> None:
    with database.transaction() as session:
        # Only while the claim is still ours: whoever took over after it ran out has the last word.
        session.execute(
            update(Letter)
            .where(Letter.id == letter.id, Letter.state == "sending", Letter.attempts == letter.attempts)
            .values(**values)
        )
