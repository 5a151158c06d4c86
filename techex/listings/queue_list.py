"""The review queue and one's own listings as lists: filters, orders, columns of their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from techex.core.vocabulary import N_
from techex.listings import lifecycle, reviews
from techex.listings.reviews import Waiting
from techex.listings.rules import Kind, State, Suited
from techex.listings.tables import Listing
from techex.regions.naming import place_called
from techex.web.language import page_language
from techex.web.tables import BY_PLACE, BY_TITLE, OLDEST, Column, Filter, Table

# A line of the queue comes with its place in it: that is the usual order.
Line = tuple[int, Waiting]


def kind_name(code: str) -> str:
    """A kind of listing in the language of the page."""
    return str(gettext("Need") if code == Kind.NEED else gettext("Result"))


def state_name(code: str) -> str:
    """A state of a listing in the language of the page."""
    return str(gettext(lifecycle.STATES[State(code)]))


def owner(listing: Listing) -> str:
    """For readers who see it with its owner: operators and its own organisation."""
    return listing.organisation.name_in(page_language())


WORK = {
    "here": N_("in your places"),
    "elsewhere": N_("second reader wanted"),
    "read": N_("read by you, waits for another"),
}


def _work(line: Line) -> str:
    return "elsewhere" if not line[1].own_place else "read" if line[1].read else "here"


def _since(line: Line) -> tuple[object, int]:
    review = line[1].review
    return (review.submitted_at if review else line[1].listing.updated_at, line[0])


TABLE = Table(
    "review.queue",
    "review.file",
    {
        "urgent": (N_("most urgent first"), lambda line: line[0]),
        "oldest": (OLDEST, _since),
        "place": (BY_PLACE, lambda line: (line[1].listing.place.code, line[0])),
        "title": (BY_TITLE, lambda line: (line[1].listing.title.casefold(), line[0])),
    },
    (
        Column(N_("Number"), lambda line: line[1].listing.id),
        Column(N_("Listing"), lambda line: line[1].listing.title),
        Column(N_("Kind"), lambda line: kind_name(line[1].listing.kind)),
        Column(N_("Organisation"), lambda line: owner(line[1].listing)),
        Column(N_("State"), lambda line: state_name(line[1].listing.state)),
        Column(N_("What waits"), lambda line: gettext(WORK[_work(line)])),
        Column(N_("Place"), lambda line: place_called(line[1].listing.place.code)),
        Column(N_("Days left"), lambda line: line[1].days_left),
        Column(N_("Passed by"), lambda line: reviews.passes(line[1].review) if line[1].review else None),
    ),
    {
        "kind": Filter(N_("Kind"), lambda line: [line[1].listing.kind], kind_name),
        "state": Filter(N_("State"), lambda line: [line[1].listing.state], state_name),
        "work": Filter(N_("What waits"), lambda line: [_work(line)], lambda code: gettext(WORK[code])),
        "place": Filter(N_("Place"), lambda line: [line[1].listing.place.code], place_called),
    },
    words=lambda line: f"{line[1].listing.title} {line[1].listing.organisation.name}",
)


@dataclass(frozen=True)
class Own:
    """A listing of one's organisations, and how it stands among the others; None where it was not compared."""

    listing: Listing
    suited: Suited | None = None


MATCHES = {"some": N_("something suits"), "none": N_("nothing suits"), "unknown": N_("not compared")}


def _matches(one: Own) -> str:
    return "unknown" if one.suited is None else "some" if one.suited.count else "none"


def _strongest(one: Own) -> tuple[int, int, int]:
    return (-one.suited.best, -one.suited.count, -one.listing.id) if one.suited else (1, 0, -one.listing.id)


def _ends(one: Own) -> tuple[bool, datetime]:
    ends = one.listing.expires_at
    return (ends is None, ends or one.listing.updated_at)


MINE = Table(
    "life.mine",
    "life.file",
    {
        "touched": (N_("touched last first"), lambda one: (-one.listing.updated_at.timestamp(), -one.listing.id)),
        "strongest": (N_("strongest match first"), _strongest),
        "ends": (N_("ends soonest first"), _ends),
        "state": (N_("by state"), lambda one: (list(State).index(State(one.listing.state)), -one.listing.id)),
        "title": (BY_TITLE, lambda one: (one.listing.title.casefold(), one.listing.id)),
    },
    (
        Column(N_("Number"), lambda one: one.listing.id),
        Column(N_("Title"), lambda one: one.listing.title),
        Column(N_("Kind"), lambda one: kind_name(one.listing.kind)),
        Column(N_("Organisation"), lambda one: owner(one.listing)),
        Column(N_("State"), lambda one: state_name(one.listing.state)),
        Column(N_("Visibility"), lambda one: one.listing.visibility),
        Column(N_("Suitable matches"), lambda one: one.suited.count if one.suited else None),
        Column(N_("Strongest match"), lambda one: one.suited.best if one.suited else None),
        Column(N_("Listed until"), lambda one: one.listing.expires_at),
        Column(N_("Last change"), lambda one: one.listing.updated_at),
    ),
    {
        "kind": Filter(N_("Kind"), lambda one: [one.listing.kind], kind_name),
        "state": Filter(N_("State"), lambda one: [one.listing.state], state_name),
        "of": Filter(N_("Organisation"), lambda one: [owner(one.listing)], lambda name: name),
        "matches": Filter(N_("Matches"), lambda one: [_matches(one)], lambda code: gettext(MATCHES[code])),
    },
    words=lambda one: one.listing.title,
)
