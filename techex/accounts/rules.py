"""What an address, a name and a password must be, how long things last and how often they may be tried."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from techex.accounts.guessing import why_easy
from techex.core.limits import Rate
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence

LONGEST_ADDRESS = 254  # RFC 5321: what fits into a command of the mail protocol
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 120

# NIST SP 800-63B-4: length is what counts; no rules about kinds of characters, no regular changes.
SHORTEST_PASSWORD = 15
LONGEST_PASSWORD = 256

SESSION_LASTS = timedelta(hours=12)
IDLE = timedelta(hours=8)
IDLE_WITH_POWERS = timedelta(minutes=30)  # operators and administrators: an open desk is an open exchange
SEEN_EVERY = timedelta(minutes=1)  # how exactly idle time is kept: a write a minute, not one a request

LINK_LASTS = {
    "register": timedelta(hours=24),
    "reset": timedelta(hours=1),
    "email": timedelta(hours=24),
    "administrator": timedelta(hours=24),
    "second_step": timedelta(minutes=10),
}

# By account and address, so that an attacker elsewhere locks nobody out; by address; by account; all together.
SIGN_IN_PAIR = (Rate(10, 300), Rate(30, 3_600))
SIGN_IN_ADDRESS = (Rate(30, 300), Rate(100, 3_600))
SIGN_IN_ACCOUNT = (Rate(200, 3_600),)
SIGN_IN_ALL = (Rate(1_000, 300),)
CODE = (Rate(5, 300), Rate(20, 3_600), Rate(50, 86_400))
PASSWORD_AGAIN = (Rate(10, 300), Rate(50, 86_400))
LETTERS_TO = (Rate(4, 21_600),)
LETTERS_FROM = (Rate(10, 3_600), Rate(40, 86_400))
LETTERS_ALL = (Rate(500, 3_600),)

# In this order: browsers name those they descend from as well.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
             ("Chrom", "Chrome"), ("Safari", "Safari"))  # fmt: skip
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"),
            ("Linux", "Linux"))  # fmt: skip

NOT_THE_SAME = N_("The two passwords are not the same. Type the new one twice.")

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Address:
    """An e-mail address as it is written, and the key under which two spellings of it are one."""

    written: str
    key: str


def checked_address(text: str) -> Address:
    """The one address in `text`.

    Raises BadInput for anything that is not exactly one plain address: a list, a name with an address, a quoted part.
    """
    written = clean_line(text, "e-mail")
    local, at, domain = written.rpartition("@")
    try:
        labels = domain.encode("idna").decode("ascii").lower().split(".")
    except UnicodeError:
        labels = []
    good = (
        at
        and len(written) <= LONGEST_ADDRESS
        and len(local) <= LONGEST_LOCAL_PART
        and _LOCAL.fullmatch(local)
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
    if not good:
        raise BadInput(
            Sentence(N_("This is not an e-mail address. Expected one address such as lan.nguyen@example.vn."))
        )
    return Address(written, f"{local.lower()}@{'.'.join(labels)}")


def checked_name(text: str) -> str:
    """The name of a person; raises BadInput."""
    name = clean_line(text, "name")
    if not name or not any(character.isalpha() for character in name):
        raise BadInput(Sentence(N_("Please say what you are called: a name has letters.")))
    if len(name) > LONGEST_NAME:
        raise BadInput(Sentence(N_("This name is too long: at most 120 characters.")))
    return name


def checked_password(password: str, *own_words: str) -> str:
    """The password as it is stored and compared (NFC).

    Raises BadInput where it is too short, too long or too easy; `own_words` are what others know of its owner.
    """
    password = unicodedata.normalize("NFC", password)
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(
            Sentence(N_("This password is too short: at least 15 characters. Three or four words of your own will do."))
        )
    if len(password) > LONGEST_PASSWORD:
        raise BadInput(Sentence(N_("This password is too long: at most 256 characters.")))
    if reason := why_easy(password, own_words):
        raise BadInput(Sentence(reason))
    return password


def browser_name(sent: str) -> str:
    """What people call a browser that introduces itself so: "Firefox, Linux"; empty for one nobody knows."""
    found = (next((name for mark, name in marks if mark in sent), "") for marks in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)
