"""Listings that say the same as a draft: what its writer is told before it is submitted. Nothing is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching.duplicates import compare
from techex.matching.rules import MatchPage
from techex.matching.sketches import portrait

# The draft is compared with the listings that a search for it finds first: a copy is among them.
COMPARED = 10
_NOBODY = 0  # the draft has no number yet


@dataclass(frozen=True)
class Draft:
    """What is compared: a listing that is not stored yet, or the new version of one that is."""

    kind: Kind
    organisation_id: int
    language: str
    title: str
    summary: str
    texts: Mapping[str, str]
    listing_id: int | None = None

    @property
    def words(self) -> str:
        """All it says."""
        return "\n".join([self.title, self.summary, *self.texts.values()])


def twins(
    session: Session, context: Context, draft: Draft, find: Callable[[str, Kind, str], MatchPage]
) -> Sequence[Listing]:
    """Listings visible to the asker that are copies of the draft; `find` searches listings of its own kind.

    Exact and reworded copies in its own language. What is retold or translated is told by vectors and figures once the
    listing is stored (`duplicate_service.check`).
    """
    drawn = portrait(_NOBODY, draft.organisation_id, draft.language, draft.title, draft.summary, draft.texts)
    found = []
    for match in find(draft.words, draft.kind, draft.language).matches[:COMPARED]:
        row = match.listing
        if row.id == draft.listing_id:
            continue
        other = portrait(row.id, row.organisation_id, row.language, row.title, row.summary, row.texts)
        finding = compare(drawn, other, None)
        if finding is not None and finding.verdict.is_duplicate:
            found.append(row)
    return found
