"""An agreement on confidentiality from the template: checked terms in, a PDF out, the same bytes for the same terms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from techex.brokering import paper_fonts
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, FieldErrors, Sentence
from techex.listings.attachments import Cleaned
from techex.regions import service as regions

_HERE = Path(__file__).parent
LANGUAGES: Mapping[str, str] = {"both": N_("Vietnamese and English"), "vi": N_("Vietnamese"), "en": N_("English")}
LEAST_YEARS, MOST_YEARS, USUAL_YEARS = 1, 20, 5
LONGEST = 100  # characters of a person, a capacity, a place
SHORTEST = 2
PEOPLE = ("person_a", "capacity_a", "person_b", "capacity_b")


@dataclass(frozen=True)
class Parties:
    """What the exchange knows itself: nobody types it. Names by language."""

    exchange: str
    deal: int
    listing: int
    matter: str
    first: Mapping[str, str]
    second: Mapping[str, str]


@dataclass(frozen=True)
class Terms:
    """What somebody chose: languages, years, the law of a country, the place, and who stands for either side."""

    languages: str
    years: int
    law: str
    place: str
    people: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON, and to fill in the form again."""
        return {
            "languages": self.languages,
            "years": self.years,
            "law": self.law,
            "place": self.place,
            "template": template()["version"],
            **self.people,
        }


@cache
def template() -> Mapping[str, Any]:
    """The words, by language."""
    return tomllib.loads((_HERE / "agreement.toml").read_text("utf-8"))


def checked(given: Mapping[str, str]) -> Terms:
    """The terms as a form gives them. Raises FieldErrors naming every field that is wrong."""
    errors: dict[str, str] = {}
    lines: dict[str, str] = {}
    for name in (*PEOPLE, "place"):
        try:
            lines[name] = text = clean_line(given.get(name, ""), name)
        except BadInput as error:
            errors[name] = error.sentence
            continue
        if not SHORTEST <= len(text) <= LONGEST:
            pattern = N_("has %(count)s characters; expected %(shortest)s to %(longest)s.")
            errors[name] = Sentence(pattern, count=len(text), shortest=SHORTEST, longest=LONGEST)
        elif letters := paper_fonts.unprintable(text):
            pattern = N_("has letters that the paper cannot print: %(letters)s. Write it in other letters.")
            errors[name] = Sentence(pattern, letters=paper_fonts.shown(letters))
    languages, law, years = given.get("languages", ""), given.get("law", ""), given.get("years", "").strip()
    if languages not in LANGUAGES:
        errors["languages"] = Sentence(N_("Choose the language of the paper."))
    if law not in regions.countries():
        errors["law"] = Sentence(N_("Choose whose law applies."))
    if not (years.isascii() and years.isdigit() and LEAST_YEARS <= int(years[:4]) <= MOST_YEARS):
        pattern = N_("Expected a number of years from %(least)s to %(most)s.")
        errors["years"] = Sentence(pattern, least=LEAST_YEARS, most=MOST_YEARS)
    if errors:
        raise FieldErrors(errors)
    return Terms(languages, int(years), law, lines.pop("place"), lines)


def paper(parties: Parties, terms: Terms) -> Cleaned:
    """The PDF. Its bytes depend on nothing but what is handed in, the template, typst and our fonts: no date, no font
    of the system. Raises BadInput where a name or the matter has letters that no font of ours has.
    """
    if letters := unprintable(parties, terms.languages):
        pattern = N_(
            "The paper cannot print these letters of a name or the title: %(letters)s. Propose a text of your own."
        )
        raise BadInput(Sentence(pattern, letters=paper_fonts.shown(letters)), "file")
    made = paper_fonts.made("agreement.typ", _data(parties, terms), of_the_system=False)
    return Cleaned("application/pdf", made)


def unprintable(parties: Parties, languages: str = "both") -> str:
    """The letters of what the exchange knows that no font of ours has; "" where all can be printed."""
    names = [side[language] for side in (parties.first, parties.second) for language in _chosen(languages)]
    return paper_fonts.unprintable("".join([parties.exchange, parties.matter, *names]))


def _chosen(languages: str) -> tuple[str, ...]:
    return ("vi", "en") if languages == "both" else (languages,)


def _data(parties: Parties, terms: Terms) -> dict[str, Any]:
    chosen = _chosen(terms.languages)
    return {
        "heading": f"{parties.exchange} · {parties.deal}",
        "version": template()["version"],
        "draft": " · ".join(template()[language]["draft"] for language in chosen),
        "matter": parties.matter,
        "place": terms.place,
        "parts": [_part(parties, terms, language, len(chosen) > 1) for language in chosen],
    }


def _part(parties: Parties, terms: Terms, language: str, both: bool) -> dict[str, Any]:
    words = template()[language]
    values = {
        **terms.people,
        "party_a": parties.first[language],
        "party_b": parties.second[language],
        "matter": parties.matter,
        "listing": parties.listing,
        "deal": parties.deal,
        "exchange": parties.exchange,
        "years": terms.years,
        "law": regions.country_name(terms.law, language),
        "place": terms.place,
    }

    def filled(text: str) -> str:
        return Template(text).substitute(values)

    labels = ("title", "between", "represented", "capacity", "matter", "part", "signatures", "place")
    return {
        **{name: words[name] for name in labels},
        "language": language,
        "signing": filled(words["signing"]),
        "prevails": words["prevails"] if both else "",
        "parties": [
            {
                "name": values[f"party_{letter}"],
                "person": values[f"person_{letter}"],
                "capacity": values[f"capacity_{letter}"],
            }
            for letter in "ab"
        ],
        "articles": [{"heading": article["heading"], "text": filled(article["text"])} for article in words["article"]],
    }
