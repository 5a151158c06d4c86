"""A need of a firm in Hưng Yên and an offer of a university in Hồ Chí Minh City, with the cast around them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from techex.core.context import Actor, Context, Role
from techex.listings.rules import Kind
from techex.listings.service import post, publish
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from tests.cast import CAST, enter, person_of

NEED = {"title": "Dye bath at sixty degrees", "summary": "We dye cotton at 98 °C and want to do it at 60 °C instead."}
OFFER = {
    "title": "Enzymes that dye cotton cold",
    "summary": "A pre-treatment with enzymes lets reactive dyes fix at 60 °C.",
    "description": "The cloth is soaked for twenty minutes in a bath with two enzymes, then dyed at 60 °C. " * 2,
    "advantages": "Half the heat of the usual bath at 98 °C.",
}


@dataclass(frozen=True)
class Pair:
    """Numbers of what stands in the database."""

    need: int
    offer: int
    firm: int
    university: int


def actor_of(session: Session, name: str) -> Actor:
    """One of the cast as services see them."""
    person = person_of(session, name)
    memberships, places = organisations.belonging(session, person.id)
    role = Role.ADMINISTRATOR if person.administrator else Role.PERSON
    return Actor(person.name, role, person.id, memberships, places, CAST[name].second_factor)


def stage(session: Session, context: Context) -> Pair:
    """Bring cast and listings in."""
    enter(session, context)
    return posted(session, context)


def posted(session: Session, context: Context) -> Pair:
    """Bring the listings in, where the cast is there already."""
    firm = organisations.get_organisation(session, "det-may-song-hong")
    university = organisations.get_organisation(session, "dai-hoc-phuong-nam")
    found = []
    for kind, values, owner, province in ((Kind.NEED, NEED, firm, "33"), (Kind.OFFER, OFFER, university, "79")):
        listing = post(
            session, context, owner, checked_draft(kind, values, language="en", country="VN", province=province)
        )
        publish(session, context, listing)
        found.append(listing.id)
    return Pair(*found, firm.id, university.id)
