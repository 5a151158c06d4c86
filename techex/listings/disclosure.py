"""Who may see a listing, as its owner decides: class, anonymity, teaser, named organisations; and complaints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, Sentence
from techex.listings import service
from techex.listings.lifecycle import DONE, Verb
from techex.listings.rules import SEARCHABLE, Kind, Teaser, Visibility, verified_organisations
from techex.listings.tables import Listing, ListingGrant, Report
from techex.organisations.tables import Organisation

SHORTEST_TEASER, LONGEST_TEASER = 30, 300
MOST_SHARED = 50  # organisations; beyond that it is no longer for named ones
# Reports hide a listing at once, so nobody may hide many.
MOST_REPORTS_A_DAY = 5

GROUNDS: Mapping[str, str] = {
    "untrue": N_("It is not true"),
    "not_theirs": N_("It is not theirs to offer"),
    "confidential": N_("It tells what should not be told"),
    "unlawful": N_("It is against the law or the rules of the exchange"),
    "advertising": N_("It is advertising, or has nothing to do with technology"),
    "other": N_("Something else"),
}


@dataclass(frozen=True)
class Disclosure:
    """Who may see a listing. `shared_with` are short names of organisations; they and the teaser count while the
    visibility is restricted.
    """

    visibility: Visibility = Visibility.PUBLIC
    anonymous: bool = False
    teaser: Teaser = Teaser.NONE
    teaser_text: str = ""
    shared_with: tuple[str, ...] = ()


def disclosure_of(session: Session, listing: Listing) -> Disclosure:
    """Who may see a listing now."""
    return Disclosure(
        Visibility(listing.visibility),
        listing.anonymous,
        Teaser(listing.teaser),
        listing.teaser_text,
        tuple(organisation.slug for organisation in shared_with(session, listing)),
    )


def shared_with(session: Session, listing: Listing) -> Sequence[Organisation]:
    """The organisations a listing is shared with, by name."""
    query = select(Organisation).join(ListingGrant, ListingGrant.organisation_id == Organisation.id)
    return session.scalars(query.where(ListingGrant.listing_id == listing.id).order_by(Organisation.name)).all()


def disclose(session: Session, context: Context, listing: Listing, asked: Disclosure) -> bool:
    """Let a listing be seen by these; returns whether anything changed. It counts with the next request of anybody.

    Raises FieldErrors, and what `service.permit` raises.
    """
    service.permit(session, context, listing, Verb.DISCLOSE)
    teaser_text, organisations = _checked(session, listing, asked)
    restricted = asked.visibility is Visibility.RESTRICTED
    teaser = asked.teaser if restricted else Teaser.NONE
    kept = {organisation.id for organisation in organisations}
    before = (listing.visibility, listing.anonymous, listing.teaser, listing.teaser_text, _ids(listing.grants))
    listing.visibility, listing.anonymous = asked.visibility.value, asked.anonymous
    listing.teaser, listing.teaser_text = teaser.value, teaser_text if teaser is not Teaser.NONE else ""
    # An introduction was made by an operator and is not undone by this page.
    listing.grants = [grant for grant in listing.grants if grant.organisation_id in kept or grant.introduced]
    for organisation in organisations:
        if organisation.id not in _ids(listing.grants):
            listing.grants.append(_grant(context, organisation.id, introduced=False))
    if before == (listing.visibility, listing.anonymous, listing.teaser, listing.teaser_text, _ids(listing.grants)):
        return False
    listing.updated_at = context.now
    session.flush()
    detail = {"visibility": listing.visibility, "anonymous": listing.anonymous, "teaser": listing.teaser}
    service.record(session, context, listing, DONE[Verb.DISCLOSE], detail | {"shared_with": sorted(kept)})
    return True


def _ids(grants: Iterable[ListingGrant]) -> frozenset[int]:
    return frozenset(grant.organisation_id for grant in grants)


def _grant(context: Context, organisation_id: int, introduced: bool) -> ListingGrant:
    return ListingGrant(
        organisation_id=organisation_id,
        introduced=introduced,
        granted_at=context.now,
        granted_by=context.actor.name,
    )


def _checked(session: Session, listing: Listing, asked: Disclosure) -> tuple[str, Sequence[Organisation]]:
    errors: dict[str, str] = {}
    text = ""
    try:
        text = clean(asked.teaser_text, "teaser_text")
    except BadInput as error:
        errors["teaser_text"] = error.sentence
    restricted = asked.visibility is Visibility.RESTRICTED
    if restricted and asked.teaser is not Teaser.NONE and not SHORTEST_TEASER <= len(text) <= LONGEST_TEASER:
        errors.setdefault(
            "teaser_text",
            Sentence(
                N_("has %(count)s characters; expected %(shortest)s to %(longest)s."),
                count=len(text),
                shortest=SHORTEST_TEASER,
                longest=LONGEST_TEASER,
            ),
        )
    slugs = list(dict.fromkeys(asked.shared_with)) if restricted else []
    found = session.scalars(select(Organisation).where(Organisation.slug.in_(slugs))).all() if slugs else []
    unknown = sorted(set(slugs) - {organisation.slug for organisation in found})
    if unknown:
        pattern = N_("%(slug)s is no short name of an organisation; it stands at the end of the address of its page.")
        errors["shared_with"] = Sentence(pattern, slug=unknown[0][:80])
    elif len(found) > MOST_SHARED:
        errors["shared_with"] = Sentence(N_("names more than %(most)s organisations."), most=MOST_SHARED)
    if errors:
        raise FieldErrors(errors)
    return text, [organisation for organisation in found if organisation.id != listing.organisation_id]


def introduce(session: Session, context: Context, listing: Listing, organisation: Organisation) -> None:
    """Tell the members of an organisation whose listing it is, and let them read it if it is restricted."""
    service.permit(session, context, listing, Verb.INTRODUCE)
    grant = next((one for one in listing.grants if one.organisation_id == organisation.id), None)
    if grant is not None and grant.introduced:
        return
    if grant is None:
        listing.grants.append(_grant(context, organisation.id, introduced=True))
    else:
        grant.introduced = True
    session.flush()
    detail = {"organisation": organisation.id}
    service.record(session, context, listing, DONE[Verb.INTRODUCE], detail)


def shared_listings(session: Session, context: Context) -> Sequence[Listing]:
    """Restricted listings that are shared with an organisation of this person, the newest first."""
    mine = sorted(verified_organisations(context.actor))
    if not mine:
        return []
    query = (
        select(Listing)
        .where(
            Listing.state.in_([state.value for state in SEARCHABLE]),
            Listing.visibility == Visibility.RESTRICTED.value,
            Listing.organisation_id.not_in(mine),
            Listing.id.in_(select(ListingGrant.listing_id).where(ListingGrant.organisation_id.in_(mine))),
        )
        .order_by(Listing.published_at.desc(), Listing.id.desc())
    )
    return session.scalars(query).unique().all()


@dataclass(frozen=True)
class Told:
    """What somebody learns of a restricted listing who may not read it."""

    listing_id: int
    kind: Kind
    language: str
    text: str

    @property
    def is_need(self) -> bool:
        """True for a need."""
        return self.kind is Kind.NEED


def teasers(session: Session, context: Context, kind: Kind | None = None, listing_id: int | None = None) -> list[Told]:
    """Teasers that are for this reader, the newest first; of one kind, or of one listing."""
    if context.actor.is_operator:
        return []  # they read the listings themselves
    shown = [Teaser.PUBLIC.value] + ([Teaser.MEMBERS.value] if context.actor.is_member else [])
    query = select(Listing.id, Listing.kind, Listing.language, Listing.teaser_text).where(
        Listing.state.in_([state.value for state in SEARCHABLE]),
        Listing.visibility == Visibility.RESTRICTED.value,
        Listing.teaser.in_(shown),
    )
    if kind is not None:
        query = query.where(Listing.kind == kind.value)
    if listing_id is not None:
        query = query.where(Listing.id == listing_id)
    rows = session.execute(query.order_by(Listing.published_at.desc(), Listing.id.desc()))
    return [Told(number, Kind(of), language, text) for number, of, language, text in rows]


def report(session: Session, context: Context, listing: Listing, ground: str, text: str) -> Report:
    """Complain about a listing: it is hidden until an operator has looked.

    Raises Conflict beyond MOST_REPORTS_A_DAY, and where an operator has answered this person's complaint about it.
    """
    row = service.permit(session, context, listing, Verb.REPORT)
    if ground not in GROUNDS:
        raise BadInput(Sentence(N_("Choose what is wrong with it.")), about="ground")
    reason = service.checked_reason(row, text)
    reporter = context.actor.person_id
    mine = Report.reporter_id == reporter
    if session.scalar(select(func.count(Report.id)).where(mine, Report.listing_id == listing.id)):
        raise Conflict(Sentence(N_("You have reported this listing before, and an operator has looked at it.")))
    since = context.now - timedelta(days=1)
    if (session.scalar(select(func.count(Report.id)).where(mine, Report.reported_at > since)) or 0) >= (
        MOST_REPORTS_A_DAY
    ):
        raise Conflict(
            Sentence(
                N_("You have reported %(most)s listings within a day. Write to an operator."), most=MOST_REPORTS_A_DAY
            )
        )
    made = Report(listing_id=listing.id, reporter_id=reporter, ground=ground, text=reason, reported_at=context.now)
    session.add(made)
    # The words of the complaint are for operators; the log keeps that there was one.
    service.carry_out(session, context, listing, row)
    return made
