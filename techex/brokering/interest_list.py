"""Expressions of interest as a list: whose turn it is, filters, orders, columns of the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext

from techex.brokering.rules import STATES, TURNS, Party, State
from techex.brokering.tables import Interest
from techex.core import vocabulary
from techex.core.vocabulary import N_
from techex.listings.rules import Kind
from techex.listings.service import knows_owner
from techex.organisations.tables import Organisation
from techex.regions import service as regions
from techex.regions.naming import place_called
from techex.regions.rules import Place
from techex.web import identity
from techex.web.language import page_language
from techex.web.tables import BY_PLACE, NEWEST, Column, Filter, Table

YOURS = "yours"  # a filter's word beside the parties


@dataclass(frozen=True)
class Row:
    """An expression of interest as its reader sees it; `names_shown` says whether they may know who the sender is."""

    interest: Interest
    side: Party | None  # the reader's
    turn: Party | None
    is_yours: bool
    names_shown: bool

    @property
    def places(self) -> tuple[Place, Place]:
        """Of the sender and of the listing."""
        return self.interest.sender.place, self.interest.listing.place

    @property
    def codes(self) -> list[str]:
        """Whose turn it is, for the filter."""
        return [*([YOURS] if self.is_yours else ()), *([self.turn.value] if self.turn else ())]


def _turn(code: str) -> str:
    return str(gettext("yours") if code == YOURS else gettext(TURNS[Party(code)]))


def _party(organisation: Organisation, known: bool) -> str:
    if known:
        return organisation.name_in(page_language())
    place = regions.place_name(organisation.place, page_language())
    return f"{gettext(vocabulary.ORGANISATION_KINDS[organisation.kind])}, {place}"


def _from(row: Row) -> str:
    return _party(row.interest.sender, row.side is Party.SENDER or row.side is Party.OPERATOR or row.names_shown)


def _to(row: Row) -> str:
    own = row.side in (Party.RECEIVER, Party.OPERATOR)
    return _party(row.interest.receiver, own or knows_owner(identity.context(), row.interest.listing))


TABLE = Table(
    "brokering.interests",
    "brokering.file",
    {
        "turn": (N_("what waits for you first"), lambda row: (not row.is_yours, row.interest.due or date.max)),
        "newest": (NEWEST, lambda row: -row.interest.id),
        "due": (N_("most urgent first"), lambda row: (row.interest.due or date.max, row.interest.id)),
        "state": (N_("by state"), lambda row: (list(State).index(State(row.interest.state)), -row.interest.id)),
        "place": (BY_PLACE, lambda row: (row.interest.listing.place.code, -row.interest.id)),
    },
    (
        Column(N_("Number"), lambda row: row.interest.id),
        Column(N_("About"), lambda row: row.interest.listing.title),
        Column(N_("Kind"), lambda row: gettext("Need") if row.interest.listing.is_need else gettext("Result")),
        Column(N_("From"), _from),
        Column(N_("To"), _to),
        Column(N_("State"), lambda row: gettext(STATES[State(row.interest.state)])),
        Column(N_("Whose turn"), lambda row: _turn(row.codes[0]) if row.codes else ""),
        Column(N_("Due"), lambda row: row.interest.due),
        Column(N_("Sent"), lambda row: row.interest.sent_at),
    ),
    {
        "state": Filter(N_("State"), lambda row: [row.interest.state], lambda code: gettext(STATES[State(code)])),
        "turn": Filter(N_("Whose turn"), lambda row: row.codes, _turn),
        "kind": Filter(
            N_("Kind"),
            lambda row: [row.interest.listing.kind],
            lambda code: gettext("Need") if code == Kind.NEED else gettext("Result"),
        ),
        "place": Filter(N_("Place"), lambda row: [place.code for place in row.places], place_called),
    },
    words=lambda row: row.interest.listing.title,
)
