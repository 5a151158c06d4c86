"""A deal that both worlds have, with other papers, messages and another agreement in each."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from techex.brokering import agreement_paper, agreements, deals, papers, talk
from techex.brokering.disclosing import Rung
from techex.brokering.papers import Draft
from techex.brokering.pipeline import Verb
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core.context import Actor, Context, MemberRole, Membership, Role
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation

TERMS = {
    "languages": "vi", "law": "VN", "person_a": "Nguyễn Thị Lan", "capacity_a": "Giám đốc", "person_b": "Lê Minh Châu",
    "capacity_b": "Viện trưởng",
}  # fmt: skip


def hand_over(
    session: Session, now: datetime, folder: Path, listing: Listing, sender: Organisation, secret: str, more: bool
) -> int:
    """Bring it in; `secret` is a word that stands wherever people of the deal write, `more` says more often."""
    sides = (sender.id, listing.organisation_id)
    actors = [Actor("", Role.PERSON, memberships=(Membership(side, MemberRole.MANAGER, True),)) for side in sides]
    first, second = (Context(actor, now) for actor in actors)
    operator = Context(Actor("", Role.PERSON, places=frozenset({listing.place.code}), second_factor=True), now)
    texts = {"who": f"We are many. {secret}", "why": f"We look for it. {secret}", "questions": ""}
    interest = Interest(
        listing=listing, sender=sender, receiver=listing.organisation, state=State.ACCEPTED.value, language="en",
        sent_at=now, forwarded_at=now, closed_at=now, **texts,
    )  # fmt: skip
    session.add(interest)
    session.flush()
    deal = deals.open_deal(session, second, interest)
    deals.take(session, operator, deal.id, Verb.INTRODUCE)
    terms = agreement_paper.checked(TERMS | {"place": secret, "years": "5" if more else "9"})
    made = agreement_paper.paper(agreements.parties(deal, "TechEx"), terms)
    agreements.propose(session, first, folder, deal.id, f"{secret}.pdf", made, "vi", terms.as_dict())
    if more:
        for context in (first, second):
            papers.look(session, context, deal.id, 1, 1)
            agreements.accept(session, context, deal.id, made.digest, secret, secret)
    for rung in Rung:
        for _ in range(2 if more else 1):
            draft = Draft(f"Paper of {secret}", f"About {secret}", rung, "en")
            papers.add(session, first, folder, deal.id, f"{secret}.pdf", made, draft)
    for number in range(3 if more else 1):
        deals.write_message(session, second, deal.id, f"{secret} {number}", "en")
    talk.note_reading(session, first, deal)
    return deal.id
