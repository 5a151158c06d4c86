"""The ladder of disclosure inside a deal, as one table; pure.

How high a deal stands is never written down: it follows from its ledger, so that whoever asks which paper was open to
whom at which moment finds the answer in the chain of hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from techex.core.vocabulary import N_


class Rung(StrEnum):
    """How much of what a side knows the other side is shown."""

    TEASER = "teaser"
    NON_CONFIDENTIAL = "non_confidential"
    UNDER_NDA = "under_nda"
    DOCUMENTS = "documents"


class Act(StrEnum):
    """What the ledger notes beside the steps of the pipeline."""

    ADD = "add_paper"
    CHANGE = "change_paper"
    MOVE = "move_paper"
    WITHDRAW = "withdraw_paper"
    LOOK = "look_at_paper"
    READ = "read_messages"
    OPEN = "open_documents"
    PROPOSE = "propose_nda"
    TAKE_BACK = "take_back_nda"
    ACCEPT = "accept_nda"


@dataclass(frozen=True)
class Step:
    """A rung of the ladder: what stands on it, and what opens it to the other side."""

    rung: Rung
    label: str
    holds: str
    opens: str


LADDER: tuple[Step, ...] = (
    Step(
        Rung.TEASER,
        N_("Teaser"),
        N_("the listing, the three short texts, papers that name nobody"),
        N_("open from the first day"),
    ),
    Step(
        Rung.NON_CONFIDENTIAL,
        N_("Not confidential"),
        N_("names and contacts, messages, papers without secrets"),
        N_("opens when the exchange introduces both sides"),
    ),
    Step(
        Rung.UNDER_NDA,
        N_("Under confidentiality"),
        N_("messages and papers that are secret"),
        N_("opens when both sides have accepted the same agreement on confidentiality"),
    ),
    Step(
        Rung.DOCUMENTS,
        N_("Full documents"),
        N_("recipes, drawings, raw measurements"),
        N_("opens when the side that owns them opens them, under the agreement"),
    ),
)
LABELS: Mapping[Rung, str] = {step.rung: step.label for step in LADDER}
SECRET = frozenset({Rung.UNDER_NDA, Rung.DOCUMENTS})  # shut again for the other side once a deal is lost
SAYABLE = (Rung.NON_CONFIDENTIAL, Rung.UNDER_NDA)  # rungs of messages: what is longer is a document

DONE: Mapping[str, str] = {
    Act.ADD: N_("added a paper"),
    Act.CHANGE: N_("added a new version of a paper"),
    Act.MOVE: N_("moved a paper to another rung"),
    Act.WITHDRAW: N_("withdrew a paper"),
    Act.LOOK: N_("downloaded a paper"),
    Act.READ: N_("read messages"),
    Act.OPEN: N_("opened its full documents to the other side"),
    Act.PROPOSE: N_("proposed an agreement on confidentiality"),
    Act.TAKE_BACK: N_("took the proposed agreement back"),
    Act.ACCEPT: N_("accepted the agreement on confidentiality"),
}


class Line(Protocol):
    """A line of the ledger as these rules read it."""

    @property
    def verb(self) -> str:
        """What was done."""

    @property
    def organisation_id(self) -> int | None:
        """The side for which it was done."""

    @property
    def detail(self) -> dict[str, Any]:
        """What it says besides."""


@dataclass(frozen=True)
class Agreement:
    """The text on confidentiality that lies before both sides, by its digest, and who has accepted exactly it."""

    version: int
    digest: str
    proposed_by: int | None
    accepted: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Disclosure:
    """How far a deal has been disclosed. `sides` are its two organisations."""

    sides: tuple[int, int]
    introduced: bool = False
    lost: bool = False
    agreement: Agreement | None = None
    opened_by: frozenset[int] = frozenset()

    @property
    def in_force(self) -> bool:
        """True when both sides have accepted the same text."""
        return self.agreement is not None and set(self.agreement.accepted) >= set(self.sides)

    @property
    def rung(self) -> Rung:
        """The highest rung that is open to both."""
        if not self.introduced:
            return Rung.TEASER
        if not self.in_force or self.lost:
            return Rung.NON_CONFIDENTIAL
        return Rung.DOCUMENTS if self.opened_by >= set(self.sides) else Rung.UNDER_NDA

    def is_open(self, rung: Rung, owner: int | None) -> bool:
        """True where others than its owner are shown what stands on a rung; `owner` None is the exchange."""
        if rung is Rung.TEASER:
            return True
        if rung is Rung.NON_CONFIDENTIAL:
            return self.introduced
        if not self.in_force or self.lost:
            return False
        return rung is Rung.UNDER_NDA or owner is None or owner in self.opened_by

    def shows(self, rung: Rung, owner: int | None, side: int | None) -> bool:
        """True where a person of a deal sees what stands on a rung; their own side's always. `side` None: operators."""
        return side == owner or self.is_open(rung, owner)

    def may_accept(self, side: int | None) -> bool:
        """True for a side before which an agreement lies that it has not accepted."""
        if side not in self.sides or not self.introduced or self.lost or self.agreement is None:
            return False
        return side not in self.agreement.accepted

    def may_propose(self) -> bool:
        """True while the text may still be changed: what both have accepted stands."""
        return self.introduced and not self.lost and not self.in_force

    def may_open(self, side: int | None) -> bool:
        """True for a side that may open its full documents."""
        return side in self.sides and self.in_force and not self.lost and side not in self.opened_by


def disclosure(ledger: Iterable[Line], sides: Sequence[int]) -> Disclosure:
    """What a ledger says of how far a deal has been disclosed.

    A proposal makes what was accepted before it void, as does taking it back; an acceptance counts for the digest it
    names and for no other.
    """
    introduced = lost = False
    agreement: Agreement | None = None
    opened: set[int] = set()
    for line in ledger:
        side, detail = line.organisation_id, line.detail
        match line.verb:
            case "introduce":
                introduced = True
            case "lose":
                lost = True
            case Act.PROPOSE:
                agreement = Agreement(int(detail["version"]), str(detail["sha256"]), side)
            case Act.TAKE_BACK:
                agreement = None
            case Act.ACCEPT if agreement and side is not None and detail["sha256"] == agreement.digest:
                accepted = {**agreement.accepted, side: detail}
                agreement = Agreement(agreement.version, agreement.digest, agreement.proposed_by, accepted)
            case Act.OPEN if side is not None:
                opened.add(side)
    first, second = sides
    return Disclosure((first, second), introduced, lost, agreement, frozenset(opened))


def looks(ledger: Iterable[Line]) -> list[Line]:
    """Who has looked at which paper, in order."""
    return [line for line in ledger if line.verb == Act.LOOK]


def has_looked(ledger: Iterable[Line], person_id: int | None, digest: str) -> bool:
    """True for a person who has downloaded exactly this content."""
    return any(line.detail.get("person") == person_id and line.detail.get("sha256") == digest for line in looks(ledger))


def read_by(ledger: Iterable[Line], person_id: int | None) -> frozenset[int]:
    """The messages a person has read, by number."""
    found: set[int] = set()
    for line in ledger:
        if line.verb == Act.READ and line.detail.get("person") == person_id:
            found.update(line.detail.get("messages", ()))
    return frozenset(found)
