"""What a match is made of: the words in which matching speaks to pages and command line; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

from techex.listings.tables import Listing
from techex.regions.rules import Place

Band = Literal["introduce", "review", "explore", "none"]
Verdict = Literal["met", "clash", "unknown"]
Mode = Literal["vectors", "keywords"]
# Why a listing is not in a list of matches; "" where it is.
Obstacle = Literal["", "kind", "organisation", "reach", "unsearched", "filters", "mark"]

SMALLEST_LACK = 0.1  # spreads; less moves a strength by fewer than four points and explains nothing
PAGE_SIZE = 10  # matches a page: each is read line by line


@dataclass(frozen=True)
class Filters:
    """What a result must be. Values of one field are alternatives; all fields must hold; empty means "any"."""

    fields: tuple[str, ...] = ()  # second-level codes, or a group's single digit
    countries: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    trl_min: int | None = None
    ip_statuses: tuple[str, ...] = ()
    transfer_forms: tuple[str, ...] = ()
    organisation_kinds: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()  # anything: only of organisations that somebody has checked
    elsewhere: bool = False  # only from other regions than one's own (other countries, for a place abroad)

    @property
    def any(self) -> bool:
        """True when something is asked for."""
        return any(getattr(self, each.name) for each in fields(self))


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Quote:
    """One pair of passages that say the same: `own` from what was asked, `theirs` from the match; untranslated."""

    own: str
    theirs: str
    own_language: str
    their_language: str
    strength: int  # 0-100, of this pair alone


@dataclass(frozen=True)
class Fact:
    """One structured fact of both sides: `name` says how the values are to be read.

    Names: trl (digits) · transfer_forms, fields (codes, comma separated) · budget, price (amount and currency) ·
    deadline (dates) · reach (its code against a place such as VN-33) · offered_within (the same, by the offer of the
    need's place) · partner_kinds (what the need's owner is against codes) · quantity (as written, such as "60 °C").
    A value that is not stated is empty.
    """

    name: str
    verdict: Verdict
    need_value: str
    offer_value: str


@dataclass(frozen=True)
class Reason:
    """Why two were matched, made of the numbers that ranked them."""

    quotes: Sequence[Quote] = ()  # the best pair first
    shared_terms: Sequence[str] = ()  # words as written on the matched side or on ours
    facts: Sequence[Fact] = ()


@dataclass(frozen=True)
class Match:
    """One match: a listing this reader may see, how well it fits, and why."""

    listing: Listing
    rank: int  # from 1, through all pages
    strength: int  # 0-100, by comparison with random pairs of the same languages
    band: Band
    score: float
    distance_km: float | None
    reasons: Reason


@dataclass(frozen=True)
class Understood:
    """What was read out of a text; shown on top, so that it can be corrected."""

    language: str
    place: Place | None = None
    quantities: Sequence[str] = ()  # as written
    fields: Sequence[str] = ()  # codes that its best candidates share


@dataclass(frozen=True)
class MatchPage:
    """One page of matches."""

    matches: Sequence[Match]
    total: int
    page: int
    pages: int
    understood: Understood
    suitable: bool  # False: nothing listed fits; `matches` holds the closest
    mode: Mode  # "keywords" where the model is missing
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)  # Filters' field -> (code, count)
    notes: Sequence[str] = ()  # messages for gettext
    said: int = 0  # so many listings that the reader said something of, which the order heeds


@dataclass(frozen=True)
class Standing:
    """Where one listing stands among all that were compared with a question, whatever the reader's filters are.

    `parts` says what each part of the score adds, in spreads of random pairs; `usual` what it adds on average to the
    matches of this question (to the closest listings where nothing fits).
    """

    obstacle: Obstacle
    place: int | None = None  # from 1; None: behind all that were looked at closely
    compared: int = 0  # so many were looked at closely
    fitting: int = 0  # so many of them pass the mark
    strength: int | None = None
    band: Band = "none"
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    filtered_by: Sequence[str] = ()  # fields of Filters that this listing does not meet
    floor: int = 0  # the mark
    mode: Mode = "vectors"  # "keywords" where the question has no vectors

    @property
    def page(self) -> int:
        """The page of the list on which it stands, if it is in it."""
        return 1 if self.place is None else (self.place - 1) // PAGE_SIZE + 1

    @property
    def pulled_down(self) -> Sequence[tuple[str, float]]:
        """The parts that add less than is usual among the matches, the greatest lack first."""
        lacks = [(name, self.parts.get(name, 0.0) - usual) for name, usual in self.usual.items()]
        return sorted((lack for lack in lacks if lack[1] <= -SMALLEST_LACK), key=lambda lack: lack[1])
