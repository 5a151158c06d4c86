"""The errors of the exchange: one tree, each with a sentence for people.

    TechexError
    ├── BadInput            what was sent cannot be used            -> 422, exit 2
    │   ├── FieldErrors     several fields at once
    │   └── UnreadableFile  a file is not what it should be
    ├── NotFound            it is not there, or not for you          -> 404, exit 2
    ├── NotAllowed          you may not do this                      -> 403, exit 2
    ├── Conflict            somebody else was quicker                -> 409, exit 2
    ├── TooMany             it was tried too often                   -> 429, exit 2
    └── Environment         this installation lacks something        -> 503, exit 3
        ├── SettingsInvalid
        ├── DatabaseNotReady
        ├── CardInvalid
        ├── ModelNotPrepared
        ├── ModelDamaged
        └── SnapshotDoesNotFit

A message says what happened, what was expected and what to do. Knows no HTTP: `web.problems` maps classes to statuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self


class TechexError(Exception):
    """Root of the tree; `str(error)` is the sentence shown to a person."""

    exit_code = 2


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate"
    """Mark a sentence for the catalogues; the page that shows it translates it."""
    return message


class Sentence(str):
    """An English sentence that remembers its pattern and values, so that a page can say it in its reader's language.

    raise BadInput(Sentence(N_("has %(count)s characters."), count=7))
    """

    pattern: str
    values: Mapping[str, object]

    def __new__(cls, pattern: str, **values: object) -> Self:
        made = super().__new__(cls, pattern % values if values else pattern)
        made.pattern, made.values = pattern, values
        return made


class BadInput(TechexError):  # noqa: N818 - the names of this tree say what happened, as the domain does
    """What was sent cannot be used as it is; `about` names the field, `sentence` says what is wrong with it."""

    def __init__(self, sentence: str = "", about: str = "") -> None:
        self.sentence, self.about = sentence, about
        super().__init__(f"{about}: {sentence}" if about else sentence)


class FieldErrors(BadInput):
    """Several fields are wrong; `fields` maps each name to its sentence."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {sentence}" for name, sentence in self.fields.items()))


class UnreadableFile(BadInput):
    """A file is missing, is not of the expected format or has a line that cannot be read."""


class NotFound(TechexError):  # noqa: N818
    """It is not there, or the person asking may not know that it is."""


class NotAllowed(TechexError):  # noqa: N818
    """The person asking may not do this."""


class Conflict(TechexError):  # noqa: N818
    """The state has changed meanwhile."""


class TooMany(TechexError):  # noqa: N818
    """It was tried too often; it may be tried again after so many seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(Sentence(N_("Expected a pause; try again in %(seconds)s seconds."), seconds=seconds))


class Environment(TechexError):  # noqa: N818
    """The installation lacks something; the message names the command or setting that repairs it."""

    exit_code = 3


class SettingsInvalid(Environment):
    """One or more settings are wrong; all of them are named."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("These settings are wrong:\n  " + "\n  ".join(self.problems))


class DatabaseNotReady(Environment):
    """The database cannot be reached or its schema is not the one this version needs."""


class CardInvalid(Environment):
    """A model card is missing, has an unknown key or a wrong value."""


class ModelNotPrepared(Environment):
    """The weights of a card are not on this machine yet."""


class ModelDamaged(Environment):
    """The prepared weights are not what the card says."""


class SnapshotDoesNotFit(Environment):
    """An index snapshot was refused; the reason is in the message. It is rebuilt from the database."""
