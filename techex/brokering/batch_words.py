"""A batch in words: the letter, and the data of the paper; in the language of the reader, only what they may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

from techex.accounts.service import House
from techex.core import mail
from techex.core.mail import said_in
from techex.core.vocabulary import N_, TRANSFER_FORMS
from techex.listings.rules import Visibility
from techex.listings.tables import Listing
from techex.matching.rules import Fact, Match
from techex.regions import service as regions

MOST_QUOTES = 2  # a line; more of them is for the page of the pair
LONGEST_QUOTE = 220  # characters
MOST_FACTS = 4

SUBJECT = N_("%(exchange)s: %(count)s proposals for your listing %(number)s")
LETTER = "%(text)s"
_TO_NEED = N_(
    "We went through the exchange for your need %(about)s. These results suit it best, the best first; each says why "
    "it is here."
)
_TO_RESULT = N_(
    "We went through the exchange for your result %(about)s. These needs suit it best, the best first; each says why "
    "it is here."
)
_TEXT = N_(
    "%(begin)s\n%(note)s\n%(lines)s\n\n"
    "The same as a page and as a PDF, with what only you may read:\n%(link)s\n\n"
    "Which of them would you talk to? Open one and ask for an introduction.\n\n"
    "No more letters with batches, with one press and without signing in: %(stop)s"
)
_LINE = N_("%(rank)s. %(title)s\n   strength %(strength)s of 100 · %(place)s%(facts)s%(why)s\n   %(link)s")
_WHY = N_("it says: “%(words)s”")
_OF_MEMBERS = N_("A listing for members, number %(number)s")
_NUMBER = N_("number %(number)s")
STOP_SHOWN = N_("(here stands a link of each reader's own)")  # in the look before it is sent
_NOTE = N_("From the operator: %(note)s")
_TRL = N_("TRL %(offered)s, asked at least %(asked)s")


def values(
    house: House, language: str, listing: Listing, chosen: Sequence[Match], note: str, link: str, stop: str
) -> dict[str, object]:
    """What fills in the letter. Titles and passages stand in it only of public listings: letters lie about."""

    def said(message: str, **with_: object) -> str:
        return said_in(language, message) % with_

    public = listing.visibility == Visibility.PUBLIC
    about = f"“{listing.title}”" if public else said(_NUMBER, number=listing.id)
    begin = said(_TO_NEED if listing.is_need else _TO_RESULT, about=about)
    lines = "\n\n".join(part.text for part in parts(house, language, chosen))
    words = f"\n{said(_NOTE, note=note)}\n" if note else ""
    text = said(_TEXT, begin=begin, note=words, lines=lines, link=link, stop=stop)
    return {"exchange": house.name, "count": len(chosen), "number": listing.id, "text": text}


def parts(house: House, language: str, chosen: Sequence[Match]) -> list[mail.Part]:
    """The lines of the letter: each leaves only as long as its reader may still see what it is about."""
    return [
        mail.Part(_line(house, language, rank, match), [need_of(match.listing)]) for rank, match in enumerate(chosen, 1)
    ]


def need_of(listing: Listing) -> mail.Need:
    """What its reader must still be allowed; words of a listing stand in a letter only while everybody may read it."""
    return ("public listing" if listing.visibility == Visibility.PUBLIC else "listing", listing.id)


def _line(house: House, language: str, rank: int, match: Match) -> str:
    one = match.listing
    public = one.visibility == Visibility.PUBLIC
    quote = next(iter(match.reasons.quotes), None)
    endpoint = "listings.show_need" if one.is_need else "listings.show_result"
    why = shorten(quote.theirs, LONGEST_QUOTE, placeholder=" …") if quote and public else ""
    met = [words for verdict, words in facts_said(language, match.reasons.facts) if verdict == "met"] if public else []
    return said_in(language, _LINE) % {
        "rank": rank,
        "title": one.title if public else said_in(language, _OF_MEMBERS) % {"number": one.id},
        "strength": match.strength,
        "place": regions.place_name(one.place, language),
        "facts": "".join(f" · {words}" for words in met),
        "why": "\n   " + said_in(language, _WHY) % {"words": why} if why else "",
        "link": house.address_of(endpoint, listing_id=one.id),
    }


def facts_said(language: str, facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """(verdict, words) of the facts that can be said in a few words."""
    found: list[tuple[str, str]] = []
    for fact in facts:
        if fact.verdict == "unknown" or not fact.offer_value:
            continue
        if fact.name == "trl":
            words = said_in(language, _TRL) % {"offered": fact.offer_value, "asked": fact.need_value}
        elif fact.name == "transfer_forms":
            asked = {code.strip() for code in fact.need_value.split(",")}
            offered = [code.strip() for code in fact.offer_value.split(",")]
            shared = [code for code in offered if code in asked] or offered
            words = ", ".join(said_in(language, TRANSFER_FORMS.get(code, code)) for code in shared)
        elif fact.name == "quantity":
            words = f"{fact.need_value} ↔ {fact.offer_value}"
        else:
            continue
        found.append((fact.verdict, words))
    return found[:MOST_FACTS]


PAPER: Mapping[str, str] = {
    "needs": N_("Needs for a result"),
    "results": N_("Results for a need"),
    "for": N_("For"),
    "about": N_("About"),
    "strength": N_("strength"),
    "of": N_("of 100 such pairs about so many fit"),
    "yours": N_("You write"),
    "theirs": N_("They write"),
    "met": N_("met"),
    "clash": N_("contradicts"),
    "note": N_("From the operator"),
    "gone": N_("is no longer listed"),
    "foot": N_("Only what the receiver may read. Strengths are those of the day on which it was made."),
}


def paper_words(language: str) -> dict[str, str]:
    """The fixed words of the paper."""
    return {name: said_in(language, words) for name, words in PAPER.items()}


def paper_line(
    language: str, rank: int, strength: int, listing: Listing | None, quotes: Sequence[Mapping[str, Any]], **more: Any
) -> dict[str, Any]:
    """One line of the paper; of a listing that may not be seen any more only that it is gone."""
    if listing is None:
        return {"rank": rank, "gone": True}
    kept = [
        {name: shorten(str(quote[name]), 2 * LONGEST_QUOTE, placeholder=" …") for name in ("own", "theirs")}
        | {name: str(quote[name]) for name in ("own_language", "their_language")}
        for quote in quotes
    ]
    return {
        "rank": rank,
        "gone": False,
        "strength": strength,
        "title": listing.title,
        "language": listing.language,
        "summary": listing.summary,
        "place": regions.place_name(listing.place, language),
        "trl": f"TRL {'≥ ' if listing.is_need else ''}{listing.trl}" if listing.trl else "",
        "quotes": kept,
        "owner": "",
        "facts": [],
        **more,
    }
