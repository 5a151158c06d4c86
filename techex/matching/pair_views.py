"""A need and a result side by side with the evidence, and why a listing is not in a list of matches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.text import clean, has_words
from techex.errors import NotFound
from techex.listings import queries
from techex.listings import service as listings
from techex.listings.queries import Browse
from techex.listings.rules import FIELD_BY_NAME, Kind
from techex.listings.tables import Listing
from techex.matching import verdicts
from techex.matching.forms import CODES, Search, read_search
from techex.matching.rules import MatchPage, Standing
from techex.matching.views import blueprint, matcher
from techex.regions import service as regions
from techex.web import identity, policy, replies

if TYPE_CHECKING:
    # A worker is ready before numpy is there.
    from techex.matching.pairs import Lack, SearchText
    from techex.matching.table import Message

MOST_FOUND = 8  # listings to choose from where the other one was named by words
LONGEST_NAME = 300  # characters of what names the other listing: an address or a title

# "https://techex.example/results/120", "/needs/7?…", "no. 120", "120"
_ADDRESS = re.compile(r"(?:needs|results)/(\d{1,9})(?:\D|$)")
_NUMBER = re.compile(r"\W*+(?:(?:no|số|nr)\W*+)?(\d{1,9})\W*+", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """One side as the page tells it: a listing, or the words of a search."""

    kind: Kind
    language: str
    listing: Listing | None = None
    text: str = ""


@blueprint.get("/pairs/<int:need_id>/<int:offer_id>")
@policy.open_to(policy.everyone)
def pair(need_id: int, offer_id: int) -> Response:
    """A need and a result side by side: strength, evidence, facts that agree or clash, questions to ask."""
    return pair_page(need_id, offer_id)


def pair_page(
    need_id: int,
    offer_id: int,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a pair; `errors` and `typed` belong to the form of a verdict that was refused."""
    with identity.database().reading() as session:
        context = identity.context()
        need = listings.get_visible(session, context, need_id, Kind.NEED)
        offer = listings.get_visible(session, context, offer_id, Kind.OFFER)
        given = verdicts.standing_of(session, context, need_id, offer_id) if context.actor.is_signed_in else None
        said = {"judgement": given.judgement, "reason": given.reason or "", "text": given.text} if given else {}
        # The strength is that of the list the reader came from: among the needs for a result it may be another one.
        own, other = (offer, need) if request.args.get("from") == Kind.OFFER else (need, offer)
        standing = matcher().standing_for(session, context, own, other)
        return replies.page(
            "matching/pair.html",
            status,
            may_judge=verdicts.may_judge(context.actor, need, offer) and standing.strength is not None,
            given=given,
            errors=errors or {},
            typed=typed or said,
            reasons=verdicts.REASONS,
            longest_text=verdicts.LONGEST_TEXT,
            sides=(Told(Kind.NEED, need.language, need), Told(Kind.OFFER, offer.language, offer)),
            seen_from=Kind(own.kind),
            standing=standing,
            back=matcher().standing_for(session, context, other, own),
            distance=regions.distance_between(need.place, offer.place),
            search=Search(kind=Kind(other.kind), listing_id=own.id),
            evidence=matcher().pairs.evidence(context.actor, need, offer),
            lack=_lack(context, standing, own, other),
        )


@blueprint.route("/pairs/text/<int:listing_id>", methods=["GET", "POST"])
@policy.open_to(policy.everyone)
def text_pair(listing_id: int) -> Response:
    """The words of a search side by side with one listing; a POST where they are too long for an address."""
    asked = read_search(request.values)
    with identity.database().reading() as session:
        context = identity.context()
        listing = listings.get_visible(session, context, listing_id)
        if not has_words(asked.text):
            return replies.see_other(_address_of(listing))
        asked = replace(asked, kind=Kind(listing.kind))
        evidence = matcher().pairs.evidence(context.actor, _own(asked, None), listing)
        side = evidence.need if asked.kind is Kind.OFFER else evidence.offer
        own = Told(asked.kind.other, side.language, text=asked.text)
        theirs = Told(asked.kind, listing.language, listing)
        standing = _standing(session, context, asked, None, listing)
        return replies.page(
            "matching/pair.html",
            sides=(own, theirs) if asked.kind is Kind.OFFER else (theirs, own),
            seen_from=asked.kind.other,
            standing=standing,
            back=None,
            distance=regions.distance_between(asked.place, listing.place) if asked.place else None,
            search=asked,
            evidence=evidence,
            lack=_lack(context, standing, _own(asked, None), listing),
        )


@blueprint.get("/matches/<int:listing_id>/why")
@policy.open_to(policy.everyone)
def why(listing_id: int) -> Response:
    """Why a listing is not among the matches of another one."""
    with identity.database().reading() as session:
        context = identity.context()
        listing = listings.get_visible(session, context, listing_id)
        asked = replace(read_search(request.args), text="", kind=Kind(listing.kind).other, listing_id=listing_id)
        return _why(session, context, asked, listing)


@blueprint.route("/matches/why", methods=["GET", "POST"])
@policy.open_to(policy.everyone)
def text_why() -> Response:
    """Why a listing is not among the matches of a text."""
    asked = read_search(request.values)
    if not has_words(asked.text):
        return replies.see_other(url_for("matching.search"))
    with identity.database().reading() as session:
        return _why(session, identity.context(), asked, None)


def _why(session: Session, context: Context, asked: Search, listing: Listing | None) -> Response:
    named = clean(request.values.get("other", ""), "other")[:LONGEST_NAME].strip()
    number = _number(named)
    other, absent = None, False
    found: Sequence[Listing] = ()
    if number is not None:
        try:
            other = listings.get_visible(session, context, number)
        except NotFound:
            absent = True  # the same words whether it is absent, not published or not open to this reader
    elif has_words(named):
        found = _named(session, context, named, asked.kind)
    standing = _standing(session, context, asked, listing, other) if other else None
    lack, evidence = None, None
    if other is not None and standing is not None and standing.obstacle != "kind":
        evidence = matcher().pairs.evidence(context.actor, _own(asked, listing), other)
        lack = matcher().pairs.lacks(context.actor, _own(asked, listing), [other]).get(other.id)
    return replies.page(
        "matching/why.html",
        search=asked,
        listing=listing,
        other=other,
        named=named,
        absent=absent,
        found=found,
        standing=standing,
        evidence=evidence,
        lack=lack,
    )


def _number(named: str) -> int | None:
    """The number of the listing that an address or a number names; None for words."""
    found = _ADDRESS.search(named) or _NUMBER.fullmatch(named)
    return int(found.group(1)) if found else None


def _named(session: Session, context: Context, words: str, kind: Kind) -> Sequence[Listing]:
    """Listings with these words in title, summary or the name of their owner; else those that mean the same."""
    found = queries.browse(session, context, Browse(kind, words), facets=False, size=MOST_FOUND).listings
    if found:
        return found
    matches = matcher().matches_for_text(session, context, words, kind).matches
    return [match.listing for match in matches][:MOST_FOUND]


def _standing(session: Session, context: Context, asked: Search, listing: Listing | None, other: Listing) -> Standing:
    if listing is not None:
        return matcher().standing_for(session, context, listing, other, asked.filters)
    return matcher().standing_for_text(
        session, context, asked.text, other, asked.kind, asked.language, asked.place, asked.filters
    )


def _own(asked: Search, listing: Listing | None) -> Listing | SearchText:
    """What a list of matches answers."""
    if listing is not None:
        return listing
    from techex.matching.pairs import SearchText

    return SearchText(asked.text, asked.language, asked.place)


def _lack(context: Context, standing: Standing, own: Listing | SearchText, other: Listing) -> Lack | None:
    """What a pair below the mark falls short of."""
    if standing.band != "none":
        return None
    return matcher().pairs.lacks(context.actor, own, [other]).get(other.id)


def lacks_of(found: MatchPage, asked: Search, listing: Listing | None = None) -> Mapping[int, Lack]:
    """What the closest listings fall short of, by listing, where nothing fits; within a bounded time."""
    if found.suitable or found.mode == "keywords":
        return {}
    shown = [match.listing for match in found.matches]
    return matcher().pairs.lacks(identity.context().actor, _own(asked, listing), shown)


def strength_marks() -> tuple[int, int, int]:
    """From which strengths on a match is worth an introduction, a closer look, keeping in mind."""
    from techex.matching.strength import EXPLORE, INTRODUCE, REVIEW

    return INTRODUCE, REVIEW, EXPLORE


def say(message: Message, **languages: str) -> Markup:
    """A message of matching in the language of the page; the words of the listings in it stay as they are.

    `languages` says of each of its values in which language it is.
    """
    values = {
        name: Markup('<span lang="{}">{}</span>').format(languages[name], text) if name in languages else text
        for name, text in message.values.items()
    }
    return Markup.escape(gettext(message.template)) % values


def pair_address(asked: Search, other: Listing) -> str:
    """Where a match is shown side by side with what it answers; "" where the text is too long for an address."""
    if asked.listing_id is None:
        if not asked.shareable:
            return ""
        return replies.address("matching.text_pair", _parameters(asked), listing_id=other.id)
    if other.is_need:
        seen_from: dict[str, Any] = {"from": Kind.OFFER.value}  # a word that Python keeps for itself
        return url_for("matching.pair", need_id=other.id, offer_id=asked.listing_id, **seen_from)
    return url_for("matching.pair", need_id=asked.listing_id, offer_id=other.id)


def why_parameters(asked: Search) -> list[tuple[str, str]]:
    """What a form has to send along so that the same matches are meant."""
    found = replace(asked, page=1).parameters()
    return [
        (name, str(value)) for name, held in found.items() for value in (held if isinstance(held, list) else [held])
    ]


def why_address(asked: Search, other: int | None = None) -> str:
    """Where the question is answered why a listing is not among these matches; with `other`, why that one is not."""
    named = {} if other is None else replace(asked, page=1).parameters() | {"other": other}
    if asked.listing_id is None:
        return replies.address("matching.text_why", named)
    return replies.address("matching.why", named, listing_id=asked.listing_id)


def _parameters(asked: Search) -> dict[str, Any]:
    """Text, language and place of a search: what its evidence depends on."""
    return replace(asked.bare(), kind=Kind.OFFER).parameters()


def _address_of(listing: Listing) -> str:
    return url_for("listings.show_need" if listing.is_need else "listings.show_result", listing_id=listing.id)


def field_label(name: str) -> str:
    """What a field of a listing is called, in the language of the page."""
    return gettext(FIELD_BY_NAME[name].label) if name in FIELD_BY_NAME else name


def filter_parameter(attribute: str) -> str:
    """The parameter of the address that sets a filter: "countries" -> "country"."""
    names = {field: parameter for parameter, (field, _) in CODES.items()}
    return names.get(attribute, "trl" if attribute == "trl_min" else attribute)


def init_app(app: Flask) -> None:
    """Teach the templates what a pair is."""
    app.jinja_env.globals.update(
        pair_address=pair_address,
        why_address=why_address,
        why_parameters=why_parameters,
        lacks_of=lacks_of,
        strength_marks=strength_marks,
        field_label=field_label,
        filter_parameter=filter_parameter,
    )
    app.jinja_env.filters.update(say=say)
