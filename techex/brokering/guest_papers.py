"""Papers of a deal for its further participants: only what is not confidential, by the consent of both sides.

A participant has not accepted the agreement on confidentiality, so what stands under it stays with the two sides,
whoever consents. Who consented to what is read from the ledger, as all of disclosure is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from techex.brokering import deals, papers, participants, pipeline
from techex.brokering.course import KNOWN_TO_GUEST, LIVING, ParticipantState
from techex.brokering.course_tables import DealParticipant
from techex.brokering.deal_tables import Deal
from techex.brokering.disclosing import Act, Line, Rung
from techex.brokering.paper_tables import DealPaper, DealPaperVersion
from techex.brokering.pipeline import Stage
from techex.core import changes
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.errors import Conflict, NotAllowed, NotFound, Sentence

READABLE = frozenset({Rung.TEASER, Rung.NON_CONFIDENTIAL})
OPEN, SHUT = "guest_open", "guest_shut"  # what the ledger calls a side's consent, and its end


def consented(ledger: Iterable[Line], participant_id: int) -> frozenset[int]:
    """The sides that let a participant read, by the last word of each; pure."""
    found: set[int] = set()
    for line in ledger:
        if line.verb in (OPEN, SHUT) and line.detail.get("participant") == participant_id:
            side = line.organisation_id
            assert side is not None  # noqa: S101 - only sides consent
            found = found | {side} if line.verb == OPEN else found - {side}
    return frozenset(found)


def may_read(one: DealParticipant) -> bool:
    """True for a participant who takes part and whom both sides let read, while the deal goes on."""
    deal = one.deal
    joined, lost = one.state == ParticipantState.JOINED, Stage(deal.stage) is Stage.LOST
    both = consented(deal.ledger, one.id) >= set(deals.standing(deal).sides)
    return joined and not lost and deal.introduced_at is not None and both


def choose(session: Session, context: Context, participant_id: int, *, opened: bool) -> DealParticipant:
    """A side lets a participant read, or no longer. Raises NotFound, NotAllowed, Conflict once it is over."""
    changes.hold(session)
    one = session.get(DealParticipant, participant_id)
    standing = deals.standing(one.deal) if one is not None else None
    known = one is not None and participants.is_guest(context, one) and ParticipantState(one.state) in KNOWN_TO_GUEST
    if one is None or standing is None or not (known or pipeline.may_see(context.actor, standing)):
        raise NotFound(Sentence(N_("There is no participant number %(number)s here."), number=participant_id))
    side = pipeline.side_of(context.actor, standing, MemberRole.EDITOR)
    if side is None:
        raise NotAllowed(Sentence(N_("Editors of both sides decide who reads papers of the deal.")))
    if Stage(one.deal.stage) is Stage.LOST or ParticipantState(one.state) not in LIVING:
        raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now.")))
    if opened != (side in consented(one.deal.ledger, one.id)):
        deals.note(session, context, one.deal, OPEN if opened else SHUT, side, {"participant": one.id})
    return one


def of_participant(session: Session, one: DealParticipant) -> list[DealPaper]:
    """The papers that a participant reads now, in order; those that were withdrawn are left out."""
    if not may_read(one):
        return []
    return [paper for paper in papers.of_deal(session, one.deal) if _is_readable(paper)]


def _is_readable(paper: DealPaper) -> bool:
    return paper.kind == papers.PAPER and paper.withdrawn_at is None and Rung(paper.rung) in READABLE


def look(
    session: Session, context: Context, participant_id: int, number: int, version: int, handed_out: bool = True
) -> tuple[DealPaperVersion, str]:
    """A version of a paper for a participant to download, and its name. That they had it is written into the ledger.

    Raises NotFound for what they may not see, there or not.
    """
    changes.hold(session)
    one = participants.get(session, context, participant_id)
    paper = next((paper for paper in of_participant(session, one) if paper.number == number), None)
    found = next((each for each in paper.versions if each.number == version), None) if paper else None
    if paper is None or found is None:
        raise papers.absent(number)
    if handed_out:
        detail: dict[str, Any] = {"person": context.actor.person_id, "participant": one.id, "paper": number}
        detail |= {"version": version, "sha256": found.digest}
        deals.note(session, context, one.deal, Act.LOOK, one.organisation_id, detail)
    return found, found.name


def state_of(deal: Deal, one: DealParticipant, side: int | None) -> tuple[bool, int]:
    """Whether this side lets a participant read, and how many of both do."""
    sides = consented(deal.ledger, one.id)
    return side in sides, len(sides)
