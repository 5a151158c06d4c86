"""A draft as its readers will see it: the same page, made by the same rules for a reader of that sort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import g, render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from techex.core.context import ANONYMOUS, Actor, Context, MemberRole, Membership, Role
from techex.core.vocabulary import N_
from techex.errors import FieldErrors
from techex.listings import attachments, content, drafting, service
from techex.listings.posting_tables import Attachment, SavedDraft
from techex.listings.rules import BODY_FIELDS, FIELD_BY_NAME, State, Teaser, Visibility
from techex.listings.tables import Listing
from techex.regions import working_days
from techex.web import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

# Short texts that stand among the facts of a listing; the others are its body.
FACT_TEXTS = tuple(name for name in BODY_FIELDS if FIELD_BY_NAME[name].shape == "line")
# An organisation that no row has, so that nobody is a colleague of this reader.
_NO_ORGANISATION = -1

READERS: Mapping[str, tuple[str, Actor]] = {
    "everyone": (N_("Everybody"), ANONYMOUS),
    "members": (
        N_("Members of verified organisations"),
        Actor("", Role.PERSON, memberships=(Membership(_NO_ORGANISATION, MemberRole.VIEWER, verified=True),)),
    ),
    "operators": (
        N_("Operators"),
        Actor("", Role.PERSON, places=frozenset({"-"}), second_factor=True),
    ),
}


@dataclass(frozen=True)
class Preview:
    """What one sort of reader will see: the sheet of the listing, or a few words of it, or nothing."""

    reader: str  # one of READERS
    sheet: Markup  # empty where this reader does not see the listing
    teaser: str  # what its owner tells this reader instead
    language: str


def preview(session: Session, draft: SavedDraft, reader: str) -> Preview | None:
    """What a reader of this sort will see once the draft is published; None while it has errors."""
    try:
        ready = drafting.checked(draft)
    except FieldErrors:
        return None
    reader = reader if reader in READERS else "everyone"
    with session.no_autoflush, _read_by(READERS[reader][1]) as context:
        listing = _as_published(draft)
        content.write(listing, ready)
        listing.visibility = ready.visibility.value
        teaser = _teaser(context, listing) if not service.sees(context, listing) else ""
        if teaser or not service.sees(context, listing):
            return Preview(reader, Markup(), teaser, listing.language)
        files = drafting.files_of(session, draft)
        shown = sheet_of(context, listing, [(file, attachments.name_for(context, file, listing)) for file in files])
        html = Markup(render_template("listings/_sheet.html", is_preview=True, **shown))  # noqa: S704 - ours, which escapes
    return Preview(reader, html, "", listing.language)


def sheet_of(context: Context, listing: Listing, files: Sequence[tuple[Attachment, str]]) -> dict[str, Any]:
    """What the sheet of a listing shows to this reader, who sees the listing."""
    guarded = service.guarded(context, listing)
    texts = listing.texts | {name: text for name, text in listing.guarded_texts.items() if name not in guarded}
    decided = listing.body.get("decision_date")
    return {
        "listing": listing,
        "body": [(FIELD_BY_NAME[name], text) for name, text in texts.items() if name not in FACT_TEXTS],
        "fact_texts": [(FIELD_BY_NAME[name], texts[name]) for name in FACT_TEXTS if name in texts],
        "decision_date": date.fromisoformat(decided) if decided else None,
        "days_left": (listing.deadline - working_days.here(context.now)).days if listing.deadline else None,
        "files": files,
        "further_labels": {name: rule.label for name, rule in FIELD_BY_NAME.items()},
    }


def _as_published(draft: SavedDraft) -> Listing:
    """A listing that is in no database, with what a draft does not say taken from the listing it changes."""
    there = draft.listing
    made = Listing(
        kind=draft.kind,
        state=State.PUBLISHED.value,
        organisation_id=draft.organisation_id,
        anonymous=drafting.is_anonymous(draft),
        open_for_interest=True,
        teaser=there.teaser if there else Teaser.NONE.value,
        teaser_text=there.teaser_text if there else "",
        translations={},
        grants=[],
        field_rows=[],
        transfer_rows=[],
    )
    made.organisation = draft.organisation
    return made


def _teaser(context: Context, listing: Listing) -> str:
    told = {Teaser.PUBLIC: True, Teaser.MEMBERS: context.actor.is_member, Teaser.NONE: False}
    restricted = listing.visibility == Visibility.RESTRICTED
    return listing.teaser_text if restricted and told[Teaser(listing.teaser)] else ""


@contextmanager
def _read_by(actor: Actor) -> Iterator[Context]:
    """While this lasts templates answer as they would answer this reader."""
    own = identity.context()
    g.context = replace(own, actor=actor)
    try:
        yield g.context
    finally:
        g.context = own
