"""The agreement on confidentiality of a deal: proposed, changed, and accepted by a named person of each side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering import deals, disclosing, papers, pipeline, talk
from techex.brokering.agreement_paper import Parties
from techex.brokering.deal_tables import Deal
from techex.brokering.disclosing import Act, Rung
from techex.brokering.paper_tables import DealPaper
from techex.brokering.papers import Draft
from techex.brokering.pipeline import Verb
from techex.core.context import Context, MemberRole
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, Sentence
from techex.listings.attachments import Cleaned

LONGEST_NAME = 100  # of a person, and of the capacity in which they accept
SHORTEST_NAME = 2
PDF = "application/pdf"


def of_deal(session: Session, deal: Deal) -> DealPaper | None:
    """The paper whose versions are the proposals; whether one lies on the table says the ledger."""
    query = select(DealPaper).where(DealPaper.deal_id == deal.id, DealPaper.kind == papers.AGREEMENT)
    return session.scalar(query)


def parties(deal: Deal, exchange: str) -> Parties:
    """What the exchange itself says in an agreement; of the matter only the title."""
    interest = deal.interest
    names = [
        {language: side.name_in(language) for language in ("vi", "en")} for side in (interest.sender, interest.receiver)
    ]
    return Parties(exchange, deal.id, interest.listing_id, interest.listing.title, *names)


def propose(
    session: Session,
    context: Context,
    data_dir: Path,
    deal_id: int,
    name: str,
    file: Cleaned,
    language: str,
    terms: Mapping[str, Any] | None = None,
    said: str = "",
) -> DealPaper:
    """Lay a text before both sides; what either accepted before is void. Either side may, and their operators.

    Raises NotFound, NotAllowed, BadInput for anything but a PDF, Conflict before the introduction and once both have
    accepted.
    """
    deal = papers.held(session, context, deal_id)
    side = papers.acting_side(context, deal)
    if not talk.disclosed(deal).may_propose():
        pattern = N_("An agreement is proposed after the introduction, and what both sides have accepted stands.")
        raise Conflict(Sentence(pattern))
    if file.media_type != PDF:
        raise BadInput(Sentence(N_("An agreement is a PDF.")), "file")
    paper = of_deal(session, deal)
    if paper is None:
        draft = Draft("", "", Rung.NON_CONFIDENTIAL, language)
        paper = papers.begun(session, context, deal, None, draft, "NDA", papers.AGREEMENT)
    version = papers.with_version(session, context, data_dir, deal, paper, name, file, side, terms)
    paper.keywords = talk.keywords_of(paper, said)
    detail = {"person": context.actor.person_id, "paper": paper.number, "version": version.number}
    deals.note(session, context, deal, Act.PROPOSE, side, detail | {"sha256": version.digest})
    return paper


def take_back(session: Session, context: Context, deal_id: int) -> Deal:
    """Take one's own proposal off the table. Raises NotFound, NotAllowed, Conflict once both have accepted."""
    deal = papers.held(session, context, deal_id)
    side, how_far = papers.acting_side(context, deal), talk.disclosed(deal)
    if how_far.agreement is None or not how_far.may_propose():
        raise Conflict(Sentence(N_("There is no proposal that could be taken back.")))
    if how_far.agreement.proposed_by != side:
        raise NotAllowed(Sentence(N_("Whoever proposed a text may take it back; propose another one instead.")))
    deals.note(session, context, deal, Act.TAKE_BACK, side, {"person": context.actor.person_id})
    return deal


def checked_signer(name: str, capacity: str) -> tuple[str, str]:
    """Who accepts, and as what. Raises FieldErrors."""
    errors: dict[str, str] = {}
    found = {}
    for field, text in (("name", name), ("capacity", capacity)):
        try:
            found[field] = clean_line(text, field)
        except BadInput as error:
            errors[field] = error.sentence
            continue
        if not SHORTEST_NAME <= len(found[field]) <= LONGEST_NAME:
            pattern = N_("has %(count)s characters; expected %(shortest)s to %(longest)s.")
            errors[field] = Sentence(pattern, count=len(found[field]), shortest=SHORTEST_NAME, longest=LONGEST_NAME)
    if errors:
        raise FieldErrors(errors)
    return found["name"], found["capacity"]


def may_accept(context: Context, deal: Deal) -> bool:
    """True for an editor or manager of a side that has not accepted what lies before it."""
    side = pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR)
    return talk.disclosed(deal).may_accept(side)


def ready_to_accept(context: Context, deal: Deal, digest: str) -> int:
    """The side for which this person may now accept the text with this digest.

    Raises NotAllowed to those who may not act for a side, Conflict where the text is another one by now, was accepted,
    or was never opened by this person.
    """
    side = pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR)
    if side is None:
        raise NotAllowed(Sentence(N_("Only an editor or manager of a side accepts for it.")))
    how_far = talk.disclosed(deal)
    if how_far.agreement is None or how_far.agreement.digest != digest:
        raise Conflict(Sentence(N_("The text was changed or taken back meanwhile: look at what lies there now.")))
    if not how_far.may_accept(side):
        raise Conflict(Sentence(N_("Your side has accepted this text already.")))
    if not disclosing.has_looked(deal.ledger, context.actor.person_id, digest):
        raise Conflict(Sentence(N_("Open the agreement first: you accept what you have read.")))
    return side


def accept(session: Session, context: Context, deal_id: int, digest: str, name: str, capacity: str) -> Deal:
    """Accept the text with this digest for one's side, as a named person. With the second acceptance it is in force,
    and a deal that has just been introduced goes on under it.

    Raises NotFound, NotAllowed, FieldErrors, Conflict.
    """
    deal = papers.held(session, context, deal_id)
    side = ready_to_accept(context, deal, digest)
    signer, as_what = checked_signer(name, capacity)
    agreement, paper = talk.disclosed(deal).agreement, of_deal(session, deal)
    assert agreement is not None  # noqa: S101 - it was ready to be accepted
    assert paper is not None  # noqa: S101 - what was proposed is there
    detail = {"person": context.actor.person_id, "paper": paper.number, "version": agreement.version, "sha256": digest}
    deals.note(session, context, deal, Act.ACCEPT, side, detail | {"name": signer, "capacity": as_what})
    if any(row.verb is Verb.KEEP_SECRET for row in deals.verbs(context, deal)):
        deals.take(session, context, deal.id, Verb.KEEP_SECRET)
    return deal
