"""What time does to listings: owners are asked, listings expire and are archived; and the link that lets one go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core import letter_links
from techex.core.context import Actor, Context, Role
from techex.core.database import Database
from techex.core.vocabulary import N_
from techex.errors import Conflict, Sentence
from techex.listings import lifecycle, reviews, service
from techex.listings.lifecycle import ARCHIVE_DAYS, NOTICE_DAYS, Verb
from techex.listings.rules import State
from techex.listings.tables import Listing

AT_ONCE = 200  # listings in one transaction, so that nobody waits long for the lock
_SALT = "listing goes on"

LinkFor = Callable[[Listing], str]

_SUBJECT = N_("%(exchange)s: listing %(number)s ends in two weeks")
_LETTER = N_(
    "Your listing %(number)s ends in two weeks.\n\n"
    "If it still holds, open this page and press the button; it then stays for another year:\n%(link)s\n\n"
    "If you do nothing, it is taken out of lists and matches on its last day. You may extend it for a year after that."
)


@dataclass(frozen=True)
class Aged:
    """What a round did."""

    asked: int = 0
    expired: int = 0
    archived: int = 0


def grow_older(database: Database, context: Context, link_for: LinkFor | None, exchange: str) -> Aged:
    """One round of the clock, in short transactions; doing it twice changes nothing the second time.

    Nobody is asked where there is no way to make links.
    """
    ask = (lambda session: ask_owners(session, context, link_for, exchange)) if link_for else (lambda session: 0)
    return Aged(
        asked=_in_portions(database, ask),
        expired=_in_portions(database, lambda session: expire(session, context)),
        archived=_in_portions(database, lambda session: archive(session, context)),
    )


def _in_portions(database: Database, step: Callable[[Session], int]) -> int:
    total = 0
    while True:
        with database.transaction() as session:
            done = step(session)
        total += done
        if done < AT_ONCE:
            return total


def ask_owners(session: Session, context: Context, link_for: LinkFor, exchange: str) -> int:
    """Ask the owners of listings that end within two weeks and may go on; each once."""
    ending = (
        select(Listing)
        .where(
            Listing.state == State.PUBLISHED.value,
            Listing.expires_at > context.now,
            Listing.expires_at <= context.now + timedelta(days=NOTICE_DAYS),
            Listing.extended_at.is_(None),
            Listing.asked_at.is_(None),
        )
        .order_by(Listing.expires_at, Listing.id)
        .limit(AT_ONCE)
    )
    asked = 0
    for listing in session.scalars(ending).unique():
        key = f"ends-{listing.expires_at:%Y%m%d}"
        reviews.tell_owners(session, context, listing, key, _SUBJECT, _LETTER, link_for, exchange)
        listing.asked_at = context.now
        asked += 1
    return asked


def expire(session: Session, context: Context) -> int:
    """Take listings whose last day is over out of lists and matches."""
    over = select(Listing).where(
        Listing.state.in_([State.PUBLISHED.value, State.ON_HOLD.value]), Listing.expires_at <= context.now
    )
    return _each(session, context, over.order_by(Listing.id).limit(AT_ONCE), Verb.EXPIRE)


def archive(session: Session, context: Context) -> int:
    """Put away what was published two years ago, whatever became of it."""
    states = next(row.sources for row in lifecycle.TRANSITIONS if lifecycle.Need.OLD in row.needs)
    old = select(Listing).where(
        Listing.state.in_([state.value for state in states]),
        Listing.published_at <= context.now - timedelta(days=ARCHIVE_DAYS),
    )
    return _each(session, context, old.order_by(Listing.id).limit(AT_ONCE), Verb.ARCHIVE)


def _each(session: Session, context: Context, query: object, verb: Verb) -> int:
    done = 0
    for listing in session.scalars(query).unique():  # type: ignore[call-overload]
        service.do(session, context, listing, verb)
        done += 1
    return done


def token_for(listing: Listing, signing_key: str) -> str:
    """What the link in the notice carries: this listing and this end. Once extended it has another end, so the link
    works once.
    """
    return letter_links.token_of(signing_key, _SALT, [listing.id, _end(listing)])


def _end(listing: Listing) -> str:
    return f"{listing.expires_at:%Y%m%d%H%M}" if listing.expires_at else ""


def listing_of_token(session: Session, token: str, signing_key: str) -> Listing:
    """The listing a link is about; raises NotFound for a link that was not made here, Conflict for one that is over."""
    number, end = letter_links.value_of(signing_key, _SALT, token)
    listing = session.get(Listing, number, with_for_update={"of": Listing})
    if listing is None or _end(listing) != end:
        raise Conflict(Sentence(N_("This link has been used: the listing goes on, or has come to another end.")))
    return listing


def extend_by_link(session: Session, context: Context, token: str, signing_key: str) -> Listing:
    """Let a listing go on for a year, for whoever holds the link that was mailed to its owner."""
    listing = listing_of_token(session, token, signing_key)
    holder = Context(Actor("the link mailed to its owner", Role.ANYONE), context.now)
    service.do(session, holder, listing, Verb.EXTEND, by_link=True)
    return listing
