"""The matches of a draft, beside its form while one writes and as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.text import clean, has_words
from techex.errors import BadInput
from techex.listings import drafting
from techex.listings.posting_tables import SavedDraft
from techex.listings.rules import BODY_FIELDS, FIELD_BY_NAME, GUARDED, Kind
from techex.listings.steps import STEPS, step_of
from techex.listings.tables import Listing
from techex.matching import twins
from techex.matching.forms import LONGEST_TEXT
from techex.matching.rules import MatchPage
from techex.matching.views import blueprint, matcher
from techex.regions.service import place_of_code
from techex.web import identity, policy, replies

BESIDE = 5  # matches beside the form: what one takes in while writing


@blueprint.get("/drafts/<int:draft_id>/matches")
@policy.open_to(policy.signed_in)
def draft_matches(draft_id: int) -> Response:
    """What fits a draft as far as it is written."""
    with identity.database().reading() as session:
        context = identity.context()
        draft = drafting.get_draft(session, context, draft_id)
        kind = Kind(draft.kind)
        return replies.page(
            "matching/draft_matches.html",
            draft=draft,
            step=step_of(kind, request.args.get("step", "")) or STEPS[kind][0],
            found=_matches(session, context, draft, kind.other),
            kind=kind.other,
            most=BESIDE,
        )


def _matches(session: Session, context: Context, draft: SavedDraft, kind: Kind) -> MatchPage | None:
    text = written(draft)
    if not has_words(text):
        return None
    language, place = str(draft.values.get("language", "")) or None, place_of_code(str(draft.values.get("place", "")))
    return matcher().matches_for_text(session, context, text[:LONGEST_TEXT], kind, language, place)


def written(draft: SavedDraft) -> str:
    """All that a draft says which matching would read."""
    return "\n".join([*_heads(draft), *_texts(draft).values()])


def _heads(draft: SavedDraft) -> list[str]:
    return [_plain(draft, "title"), _plain(draft, "summary")]


def _texts(draft: SavedDraft) -> dict[str, str]:
    names = [name for name in BODY_FIELDS if FIELD_BY_NAME[name].embedded and name not in GUARDED]
    return {name: text for name in names if (text := _plain(draft, name))}


def _plain(draft: SavedDraft, name: str) -> str:
    value = draft.values.get(name)
    try:
        return clean(value, name) if isinstance(value, str) else ""
    except BadInput:
        return ""  # the form says what is wrong with it


def twins_of(session: Session, context: Context, draft: SavedDraft) -> Sequence[Listing]:
    """Listings that look like a draft, for its last step."""
    title, summary = _heads(draft)
    asked = twins.Draft(
        Kind(draft.kind),
        draft.organisation_id,
        str(draft.values.get("language", "")),
        title,
        summary,
        _texts(draft),
        draft.listing_id,
    )

    def find(text: str, kind: Kind, language: str) -> MatchPage:
        return matcher().matches_for_text(session, context, text[:LONGEST_TEXT], kind, language or None)

    return twins.twins(session, context, asked, find)
