"""Drafts: what somebody has written of a listing so far, kept as it is typed, looked over, and submitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.core.context import Context, MemberRole
from techex.core.vocabulary import LANGUAGES, N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.listings import disclosure, service
from techex.listings.completeness import Meter, meter
from techex.listings.content import values_of
from techex.listings.disclosure import Disclosure
from techex.listings.lifecycle import Verb
from techex.listings.linting import Finding, Known, file_tells, lint, texts_of
from techex.listings.posting_tables import Attachment, SavedDraft
from techex.listings.rules import (
    FIELD_BY_NAME,
    GUARDED,
    Kind,
    ListingDraft,
    State,
    Visibility,
    fields_of,
    translated_fields,
)
from techex.listings.tables import Listing
from techex.listings.together import Typed, asides, joined, size
from techex.listings.validation import checked_draft
from techex.organisations.members import members
from techex.organisations.tables import Organisation
from techex.regions.service import place_of_code

MOST_DRAFTS = 60  # of an organisation that wait to be finished
# Characters of all values of a draft together: the longest listing at its limits in six languages, twice.
LONGEST_DRAFT = 150_000

# Finds listings that look like a draft; handed in by whoever can tell (matching, which stands above this domain).
Twins = Callable[[Session, Context, SavedDraft], Sequence[Listing]]


def organisations_of(session: Session, context: Context) -> Sequence[Organisation]:
    """The organisations this person writes for, by name."""
    ids = [m.organisation_id for m in context.actor.memberships if m.role.includes(MemberRole.EDITOR)]
    rows = session.scalars(select(Organisation).where(Organisation.id.in_(ids)))
    return sorted(rows, key=lambda row: (row.name.casefold(), row.id))


def drafts_of(session: Session, context: Context) -> Sequence[SavedDraft]:
    """The drafts of all organisations this person writes for, the last written first."""
    ids = [organisation.id for organisation in organisations_of(session, context)]
    query = select(SavedDraft).where(SavedDraft.organisation_id.in_(ids))
    return session.scalars(query.order_by(SavedDraft.updated_at.desc(), SavedDraft.id.desc())).unique().all()


def get_draft(session: Session, context: Context, draft_id: int, *, to_change: bool = False) -> SavedDraft:
    """A draft of an organisation this person writes for; raises NotFound for any other, there or not.

    Two who read it `to_change` do so one after the other.
    """
    found = session.get(SavedDraft, draft_id, with_for_update={"of": SavedDraft} if to_change else None)
    if found is None or not context.actor.belongs_to(found.organisation_id, MemberRole.EDITOR):
        raise NotFound(
            Sentence(
                N_("There is no draft number %(number)s here. It may have been submitted or thrown away."),
                number=draft_id,
            )
        )
    return found


def start(session: Session, context: Context, organisation: Organisation, kind: Kind, language: str = "") -> SavedDraft:
    """An empty draft for an organisation; raises NotAllowed, Conflict where too many wait already."""
    if not context.actor.belongs_to(organisation.id, MemberRole.EDITOR):
        raise NotAllowed(Sentence(N_("Only editors and managers of an organisation write its listings.")))
    country, province = organisation.country, organisation.province
    values = {
        "language": language if language in LANGUAGES else "vi",
        "place": f"{country}-{province}" if province else country,
        "visibility": Visibility.PUBLIC.value,
    }
    return _add(session, context, organisation.id, kind, values)


def _add(
    session: Session,
    context: Context,
    organisation_id: int,
    kind: Kind,
    values: Mapping[str, Any],
    listing: Listing | None = None,
) -> SavedDraft:
    count = session.scalar(select(func.count(SavedDraft.id)).where(SavedDraft.organisation_id == organisation_id)) or 0
    if count >= MOST_DRAFTS:
        raise Conflict(
            Sentence(N_("%(most)s drafts of this organisation wait already. Finish or discard some."), most=MOST_DRAFTS)
        )
    draft = SavedDraft(
        person_id=context.actor.person_id,
        organisation_id=organisation_id,
        listing_id=listing.id if listing else None,
        kind=kind.value,
        values=dict(values),
        created_at=context.now,
        updated_at=context.now,
    )
    session.add(draft)
    session.flush()
    return draft


def of_listing(session: Session, context: Context, listing: Listing) -> SavedDraft:
    """The draft of a new version of a listing: the one that somebody has begun, or one with what it says now.

    Raises what the table of its life raises where it may not be changed now.
    """
    service.permit(session, context, listing, verb_of(listing))
    found = session.scalar(select(SavedDraft).where(SavedDraft.listing_id == listing.id))
    if found is not None:
        return found
    values = _written(listing)
    values |= {
        "language": listing.language,
        "place": f"{listing.country}-{listing.province}" if listing.province else listing.country,
        "visibility": listing.visibility,
        "anonymous": listing.anonymous,
        "translations": listing.translations or {},
    }
    return _add(session, context, listing.organisation_id, Kind(listing.kind), values, listing)


def _written(listing: Listing) -> dict[str, Any]:
    """The values of a listing as a person would type them."""
    found = values_of(listing)
    for name, value in found.items():
        if isinstance(value, float):
            found[name] = f"{value:.4f}".rstrip("0").rstrip(".")
        else:
            found[name] = [str(one) for one in value] if isinstance(value, list) else str(value)
    return found


def verb_of(listing: Listing) -> Verb:
    """How its owner changes a listing where it stands now."""
    return Verb.PROPOSE if listing.state == State.PUBLISHED else Verb.EDIT


def save(session: Session, context: Context, draft: SavedDraft, typed: Typed) -> Sequence[str]:
    """Keep what was typed, as it was typed, beside what was kept before; the fields that somebody else wrote meanwhile.

    Of these what was typed is put aside (`together`). Raises BadInput beyond LONGEST_DRAFT.
    """
    values, torn = joined(context, draft, typed)
    kept = {name: value for name, value in values.items() if value not in (None, "", [], {})}
    if _length(kept) + size(draft) > LONGEST_DRAFT:
        raise BadInput(
            Sentence(
                N_("The draft has more than %(most)s characters, far beyond what its fields hold. Shorten it."),
                most=LONGEST_DRAFT,
            )
        )
    if kept != draft.values:
        draft.values = kept
        draft.updated_at = context.now
    return torn


def _length(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_length(one) for one in value.values())
    if isinstance(value, list):
        return sum(_length(one) for one in value)
    return len(value) if isinstance(value, str) else 1


def discard(session: Session, context: Context, draft: SavedDraft) -> None:
    """Throw a draft away, with its files; a listing it was to change stays as it is."""
    session.delete(draft)


def checked(draft: SavedDraft) -> ListingDraft:
    """The draft as a listing, through the one validator; raises FieldErrors."""
    values = draft.values
    place = place_of_code(str(values.get("place", "")))
    kind = Kind(draft.kind)
    return checked_draft(
        kind,
        {rule.name: values.get(rule.name) for rule in fields_of(kind)},
        language=str(values.get("language", "")),
        country=place.country if place else str(values.get("place", "")),
        province=place.province if place else None,
        # Who sees a listing that is there is decided on its page, never by what a form of its texts sends.
        visibility=draft.listing.visibility
        if draft.listing
        else str(values.get("visibility", Visibility.PUBLIC.value)),
        external_id=draft.listing.external_id if draft.listing else None,
        illustrative=draft.listing.illustrative if draft.listing else False,
        translations=values.get("translations") or {},
    )


def problems(draft: SavedDraft) -> dict[str, str]:
    """What the validator says against the draft, by field; empty when it may be submitted."""
    try:
        checked(draft)
    except FieldErrors as error:
        return error.fields
    return {}


def undecided(draft: SavedDraft) -> dict[str, str]:
    """The fields that two wrote at the same time, with what is to do."""
    said = N_("Two people wrote this at the same time. Open it and choose one of the texts.")
    return dict.fromkeys(asides(draft), Sentence(said))


def how_complete(draft: SavedDraft) -> Meter:
    """The meter of what has been written so far."""
    return meter(Kind(draft.kind), draft.values)


def known_of(session: Session, organisation: Organisation) -> Known:
    """What would give an organisation away."""
    return Known(
        (organisation.name, *organisation.names.values()),
        tuple(row.person.name for row in members(session, organisation)),
        organisation.website,
    )


def findings(session: Session, draft: SavedDraft) -> list[Finding]:
    """What the linter has to say about a draft, in all its languages and about the names of its files.

    Fields that only operators read may hold names and addresses.
    """
    known, anonymous = known_of(session, draft.organisation), is_anonymous(draft)
    own = {name: text for name, text in texts_of(draft.values).items() if name in FIELD_BY_NAME and name not in GUARDED}
    found = lint(own, str(draft.values.get("language", "")), anonymous=anonymous, known=known)
    for code, text in (draft.values.get("translations") or {}).items():
        texts = {rule.name: text["values"].get(rule.name, "") for rule in translated_fields(Kind(draft.kind))}
        found += [
            Finding(f"{code}.{one.field}", one.tells, one.excerpt, one.blocks)
            for one in lint(texts, code, anonymous=anonymous, known=known)
        ]
    if anonymous:
        found += [one for file in files_of(session, draft) if (one := file_tells(file.name, known))]
    return found


def is_anonymous(draft: SavedDraft) -> bool:
    """True where the listing shall not say whose it is; of one that is there its own page decides."""
    if draft.listing is not None:
        return draft.listing.anonymous
    return draft.values.get("anonymous") in (True, "1")


def files_of(session: Session, draft: SavedDraft) -> Sequence[Attachment]:
    """The files of a draft and of the listing it changes, in the order in which they were added."""
    which = Attachment.draft_id == draft.id
    if draft.listing_id is not None:
        which = which | (Attachment.listing_id == draft.listing_id)
    return session.scalars(select(Attachment).where(which).order_by(Attachment.id)).all()


def submit(session: Session, context: Context, draft: SavedDraft) -> Listing:
    """Make the draft a listing that waits for its review, or a new version of the listing it changes.

    Raises FieldErrors, BadInput where an anonymous listing gives its owner away, and what the table of a listing's life
    raises.
    """
    if torn := undecided(draft):
        raise FieldErrors(torn)
    ready = checked(draft)
    if blocking := [one for one in findings(session, draft) if one.blocks]:
        raise BadInput(
            Sentence(
                N_("%(count)s passages give away whose listing it is: “%(first)s” first. Take them out."),
                count=len(blocking),
                first=blocking[0].excerpt,
            )
        )
    listing = draft.listing
    if listing is None:
        listing = service.post(session, context, draft.organisation, ready)
        disclosure.disclose(session, context, listing, Disclosure(ready.visibility, is_anonymous(draft)))
        service.do(session, context, listing, Verb.SUBMIT)
    elif listing.state == State.PUBLISHED:
        service.propose(session, context, listing, ready)
    else:
        service.edit(session, context, listing, ready)
        service.do(session, context, listing, Verb.SUBMIT)
    for file in session.scalars(select(Attachment).where(Attachment.draft_id == draft.id)):
        file.listing_id, file.draft_id = listing.id, None
    session.flush()  # the files must have left before the draft takes them along
    session.delete(draft)
    return listing
