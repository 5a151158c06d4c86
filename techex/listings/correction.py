"""A listing's language put right: nothing of its text changes, only in which language it is read, cut and compared."""

from __future__ import annotations

from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.vocabulary import LANGUAGES, N_
from techex.errors import BadInput, Conflict, NotAllowed, Sentence
from techex.listings import content, lifecycle, service
from techex.listings.lifecycle import Party
from techex.listings.rules import State
from techex.listings.tables import Listing

DONE = "language corrected"


def may_correct(session: Session, context: Context, listing: Listing) -> bool:
    """Whether the actor may say which language a listing is in: its editors, operators of its place, the command
    line."""
    standing = service.standing_of(session, context, listing)
    return standing.seen and any(
        lifecycle.is_party(context.actor, party, standing) for party in (Party.OWNER, Party.OPERATOR, Party.SYSTEM)
    )


def correct_language(session: Session, context: Context, listing: Listing, language: str) -> bool:
    """Say in which language a listing is written; returns whether that is another one than before.

    What it said before stays as a revision; passages, words and vectors follow the change log. Raises NotAllowed,
    BadInput for a code that is no language here, Conflict where the listing has its texts in that language already.
    """
    if not may_correct(session, context, listing):
        raise NotAllowed(Sentence(N_("This is not for you to do: it takes another role for this listing.")))
    if language not in LANGUAGES:
        raise BadInput(
            Sentence(
                N_("%(code)s is no language of listings here. Expected one of: %(known)s."),
                code=language,
                known=", ".join(LANGUAGES),
            ),
            about="language",
        )
    if language == listing.language:
        return False
    if language in (listing.translations or {}):
        raise Conflict(
            Sentence(N_("The listing has its texts in that language as a further one. Take those out first."))
        )
    before, former = content.content_of(listing), listing.language
    listing.language = language
    if listing.state != State.DRAFT:
        service.keep_revision(session, context, listing, before, "past")
    listing.updated_at = context.now
    service.record(session, context, listing, DONE, {"from": former, "to": language})
    return True
