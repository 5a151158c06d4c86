"""What a person may read of the messages and papers of their deals, and finding words in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from techex.brokering import deals, disclosing, pipeline
from techex.brokering.deal_tables import Deal, DealMessage
from techex.brokering.disclosing import Act, Disclosure, Rung
from techex.brokering.paper_tables import DealPaper
from techex.core.context import Context
from techex.core.text import folded

MOST_FOUND = 200  # of one search
LONGEST_ASKED = 200  # characters
EXCERPT = 160  # characters of a message that are shown of it among what was found


@dataclass(frozen=True)
class Word:
    """A word that is looked for: without accents it is found in any spelling, with accents in its own."""

    plain: str
    exact: str  # empty where none were typed

    def stands_in(self, text: str, keywords: str) -> bool:
        """True where a word of the text begins so; in scripts without spaces, where it stands anywhere."""
        found = f" {self.plain}" in keywords or (not self.plain.isascii() and self.plain in keywords)
        return found and (not self.exact or self.exact in unicodedata.normalize("NFC", text).casefold())


def words_of(asked: str) -> list[Word]:
    """The words of a search."""
    found = []
    for token in unicodedata.normalize("NFC", asked[:LONGEST_ASKED]).casefold().split():
        plain = folded(token).strip()
        letters = "".join(character for character in token if character.isalnum())
        if plain:
            found.append(Word(plain, "" if letters == plain.replace(" ", "") else token))
    return found


def disclosed(deal: Deal) -> Disclosure:
    """How far a deal has been disclosed."""
    return disclosing.disclosure(deal.ledger, (deal.interest.sender_id, deal.interest.receiver_id))


def side_in(context: Context, deal: Deal) -> int | None:
    """The organisation for which a person stands in a deal; None for its operators."""
    return pipeline.side_of(context.actor, deals.standing(deal))


def messages(session: Session, context: Context, deal: Deal, words: str = "") -> Sequence[DealMessage]:
    """The messages of a deal that this person may read, in order; only those with these words, if any are given."""
    query = select(DealMessage).where(DealMessage.deal_id == deal.id).order_by(DealMessage.id)
    wanted = words_of(words)
    if words.strip() and not wanted:
        return []
    found = session.scalars(query.where(*_holding(DealMessage.keywords, wanted)))
    return [one for one in _readable(context, deal, found) if _holds(one.text, one.keywords, wanted)]


def _readable(context: Context, deal: Deal, found: Iterable[DealMessage]) -> list[DealMessage]:
    how_far, side = disclosed(deal), side_in(context, deal)
    return [one for one in found if how_far.shows(Rung(one.rung), one.organisation_id, side)]


def hidden(session: Session, context: Context, deal: Deal) -> int:
    """How many messages wait for this person until their rung is open."""
    found = session.scalars(select(DealMessage).where(DealMessage.deal_id == deal.id)).all()
    return len(found) - len(_readable(context, deal, found))


def _holding(column: InstrumentedAttribute[str], wanted: Sequence[Word]) -> list[ColumnElement[bool]]:
    return [column.contains(word.plain, autoescape=True) for word in wanted]


def _holds(text: str, keywords: str, wanted: Sequence[Word]) -> bool:
    return all(word.stands_in(text, keywords) for word in wanted)


def note_reading(session: Session, context: Context, deal: Deal) -> int:
    """Write down which messages of others this person reads now for the first time; returns how many."""
    unread = unread_by(session, context, deal)
    if unread:
        detail = {"person": context.actor.person_id, "messages": unread}
        deals.note(session, context, deal, Act.READ, side_in(context, deal), detail)
    return len(unread)


def unread_by(session: Session, context: Context, deal: Deal) -> list[int]:
    """Numbers of messages that others wrote and this person has not read yet."""
    if not context.actor.is_signed_in:
        return []
    side, read = side_in(context, deal), disclosing.read_by(deal.ledger, context.actor.person_id)
    shown = messages(session, context, deal)
    return [one.id for one in shown if one.organisation_id != side and one.id not in read]


@dataclass(frozen=True)
class Found:
    """A message or a paper with the words that were looked for."""

    deal: Deal
    at: datetime
    language: str
    excerpt: str
    paper: DealPaper | None = None


def papers(session: Session, context: Context, deal: Deal, words: str = "") -> list[DealPaper]:
    """The papers of a deal that this person may know of, in order; withdrawn ones are not found by words."""
    query = select(DealPaper).where(DealPaper.deal_id == deal.id).order_by(DealPaper.number)
    wanted, how_far, side = words_of(words), disclosed(deal), side_in(context, deal)
    if words.strip() and not wanted:
        return []
    return [
        paper
        for paper in session.scalars(query.where(*_holding(DealPaper.keywords, wanted)))
        if how_far.shows(Rung(paper.rung), paper.organisation_id, side)
        and (not wanted or _holds(paper.keywords, paper.keywords, wanted))
        and not (wanted and paper.withdrawn_at)
    ]


def keywords_of(paper: DealPaper, said: str) -> str:
    """What a paper is found by, `said` being the words of its last version: folded, and as they were written."""
    text = " ".join([paper.title, paper.note, *(version.name for version in paper.versions), said])
    return f"{folded(text)}\n{unicodedata.normalize('NFC', text).casefold()}"


def search(session: Session, context: Context, words: str) -> list[Found]:
    """Messages and papers of all deals of this person that hold these words, the newest first."""
    wanted = words_of(words)
    if not wanted:
        return []
    mine = {deal.id: deal for deal in deals.visible(session, context)}
    found: list[Found] = []
    said = select(DealMessage).where(DealMessage.deal_id.in_(mine), *_holding(DealMessage.keywords, wanted))
    for message in session.scalars(said.order_by(DealMessage.id.desc()).limit(MOST_FOUND)):
        deal = mine[message.deal_id]
        if _readable(context, deal, [message]) and _holds(message.text, message.keywords, wanted):
            found.append(Found(deal, message.at, message.language, excerpt(message.text, wanted)))
    given = select(DealPaper.deal_id).where(DealPaper.deal_id.in_(mine), *_holding(DealPaper.keywords, wanted))
    for number in sorted(set(session.scalars(given))):
        found += [
            Found(mine[number], paper.added_at, paper.language, paper.title, paper)
            for paper in papers(session, context, mine[number], words)
        ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:MOST_FOUND]


def excerpt(text: str, wanted: Sequence[Word]) -> str:
    """The part of a text around the first word that was looked for."""
    flat = " ".join(text.split())
    tokens = flat.split(" ")
    hit = next((i for i, token in enumerate(tokens) if any(word.stands_in(token, folded(token)) for word in wanted)), 0)
    start = max(0, len(" ".join(tokens[:hit])) - EXCERPT // 3)
    start = flat.rfind(" ", 0, start) + 1 if start else 0
    part = flat[start : start + EXCERPT]
    if start + EXCERPT < len(flat):
        part = part.rsplit(" ", 1)[0] + " …"
    return ("… " if start else "") + part
