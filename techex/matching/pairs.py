"""A need and an offer side by side: evidence, gaps and questions, of two listings or of a free text and a listing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from techex.core.context import Actor
from techex.embedding.languages import detect
from techex.errors import Environment
from techex.listings.rules import Kind, hidden_fields
from techex.listings.tables import Listing
from techex.matching.requirements import requirements_of
from techex.matching.rules import Fact
from techex.matching.table import Encode, EvidenceTables, Gap, Message, Side, Table, side_of
from techex.regions.rules import Place
from techex.search.collection import Centring

# Seconds that comparing may take before no further pair is begun. One pair of which nothing is known yet takes 0.1 to
# 0.3: a page of closest listings is not held up by more than that and this together.
LACK_SECONDS = 0.3

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchText:
    """The words of a search: text, language (found out where it is not given), the place of who asks."""

    text: str
    language: str | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Evidence:
    """Both sides of a pair as a reader may see them, and their table; None where there is no model to make it with."""

    need: Side
    offer: Side
    table: Table | None

    @property
    def questions(self) -> Sequence[Message]:
        """What to ask the other side, in the order of the need: one question a row that is open."""
        return [row.question for row in self.table.rows if row.question is not None] if self.table else ()

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts of both forms by name; none without a table."""
        return {fact.name: fact for fact in self.table.facts} if self.table else {}


@dataclass(frozen=True)
class Lack:
    """What a pair falls short of: the figure that is missed by most, and how many requirements are met or left open."""

    gap: Gap | None
    met: int
    left_open: int
    requirements: int
    need_language: str
    offer_language: str


class Pairs:
    """Evidence of pairs for one reader at a time. Tables are kept by the contents that the reader may see."""

    def __init__(self, encode: Encode, centring: Callable[[], Centring]) -> None:
        self._tables = EvidenceTables(encode, centring)

    def evidence(self, actor: Actor, own: Listing | SearchText, other: Listing) -> Evidence:
        """The evidence of two listings, in whichever order they are given, or of a text and a listing."""
        need, offer = _sides(actor, own, other)
        try:
            return Evidence(need, offer, self._tables.table(need, offer))
        except Environment as error:
            _log.warning("No evidence table: %s", error)
            return Evidence(need, offer, None)

    def lacks(
        self,
        actor: Actor,
        own: Listing | SearchText,
        others: Sequence[Listing],
        seconds: float = LACK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> Mapping[int, Lack]:
        """By id of the other listing, what the pair falls short of.

        Pairs that are not reached in time are left out; all where there is no model.
        """
        found: dict[int, Lack] = {}
        end = clock() + seconds
        for other in others:
            if clock() > end:
                break
            need, offer = _sides(actor, own, other)
            try:
                table, gap = self._tables.table(need, offer), self._tables.nearest_gap(need, offer)
            except Environment as error:
                _log.warning("Nothing is compared: %s", error)
                break
            counts = table.count("met"), table.count("not_stated"), len(table.rows)
            found[other.id] = Lack(gap, *counts, need.language, offer.language)
        return found


def readable_side(actor: Actor, listing: Listing) -> Side:
    """The side of a listing without the fields that this reader may not read: what is hidden is not cited either."""
    side = side_of(listing)
    hidden = hidden_fields(actor, listing.organisation_id)
    return replace(side, values={name: value for name, value in side.values.items() if name not in hidden})


def _sides(actor: Actor, own: Listing | SearchText, other: Listing) -> tuple[Side, Side]:
    """Need and offer; a text is taken for what the listing is not."""
    theirs = readable_side(actor, other)
    ours = _side_of_text(own, Kind(other.kind).other) if isinstance(own, SearchText) else readable_side(actor, own)
    return (theirs, ours) if other.is_need else (ours, theirs)


def _side_of_text(asked: SearchText, kind: Kind) -> Side:
    language = asked.language or detect(asked.text)[0]
    if kind is Kind.OFFER:
        return Side(language, {"description": asked.text}, asked.place)
    # What a text asks for stands in the sentences that ask; one that only describes is held against the offer whole.
    asking = requirements_of({"summary": asked.text}, language)
    return Side(language, {"summary" if asking else "required_result": asked.text}, asked.place)
