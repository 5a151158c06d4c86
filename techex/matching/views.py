"""The first page, the results for a text, and the matches of a listing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Flask, Response, current_app, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.text import has_words
from techex.listings import queries
from techex.listings import queries as listing_queries
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching.forms import LONGEST_TEXT, Search, place_code, read_search
from techex.matching.rules import Band, Filters, MatchPage, Standing
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY, Place
from techex.web import identity, language, policy, replies

if TYPE_CHECKING:
    # A worker is ready before numpy is there.
    from techex.matching.best_pairs import Asked as AskedPairs
    from techex.matching.best_pairs import Count, Pair
    from techex.matching.pairs import Pairs
    from techex.matching.verdicts import Shown

NEWEST = 6  # listings a column on the first page: what a reader takes in before scrolling on
BELOW_LISTING = 5  # matches shown on a listing's own page; its page of matches has all
SHORTEST_TERM = 2  # letters; a shared "a" or "m" underlined would be noise

# Examples in three languages: texts that people might really type.
EXAMPLES = (
    (
        "vi",
        "Xưởng dệt nhuộm của chúng tôi thải 400 m³ nước mỗi ngày, sau bể sinh học độ màu vẫn còn 300 Pt-Co. "
        "Cần giảm xuống dưới 50 mà không sinh thêm bùn.",
    ),
    (
        "en",
        "Our frozen warehouse pays three times the night tariff in the evening. "
        "We want to switch the compressors off at peak hours without the goods warming up.",
    ),
    (
        "ko",
        "SMT 라인 여섯 개에서 AOI가 정상 부품을 불량으로 판정하는 일이 너무 많습니다. "
        "검사기를 새로 사지 않고 과검출을 80% 줄이고 싶습니다.",
    ),
)

blueprint = Blueprint("matching", __name__)


class Finds(Protocol):
    """What the pages ask of matching; `matching.service.Matcher` is the one that serves."""

    def matches_for_text(
        self,
        session: Session,
        context: Context,
        text: str,
        kind: Kind = Kind.OFFER,
        language: str | None = None,
        place: Place | None = None,
        filters: Filters = ...,
        page: int = 1,
    ) -> MatchPage:
        """Matches for a free text."""

    def matches_for(
        self,
        session: Session,
        context: Context,
        listing: Listing,
        filters: Filters = ...,
        page: int = 1,
        heed: bool = False,
    ) -> MatchPage:
        """Matches for a listing, of the other kind; `heed`: in an order that follows what the reader said of some."""

    def standing_for_text(
        self,
        session: Session,
        context: Context,
        text: str,
        other: Listing,
        kind: Kind = Kind.OFFER,
        language: str | None = None,
        place: Place | None = None,
        filters: Filters = ...,
    ) -> Standing:
        """Where one listing stands among what answers a free text."""

    def standing_for(
        self, session: Session, context: Context, listing: Listing, other: Listing, filters: Filters = ...
    ) -> Standing:
        """Where one listing stands among what answers another."""

    def shown(self, session: Session, context: Context, need: Listing, offer: Listing) -> Shown:
        """The numbers an offer stands with among the offers for a need; raises NotFound where it is no candidate."""

    @property
    def pairs(self) -> Pairs:
        """Evidence of pairs."""

    def best_pairs(
        self, session: Session, context: Context, asked: AskedPairs, count: Count | None = None
    ) -> Iterator[Pair]:
        """The best pairs of two territories or of the whole exchange, need by need."""

    def outline(
        self, session: Session, context: Context, listings: Sequence[Listing], most: int = 5
    ) -> list[tuple[int, int, int, Band]]:
        """(listing, its match, strength, band) for the best matches of many listings, without reasons."""

    def state(self) -> dict[str, Any]:
        """Model and index, for machines; loads neither."""

    def warm(self) -> None:
        """Load model and index now; raises Environment errors where they are missing."""


_KEY = "techex.matcher"


def matcher() -> Finds:
    """The matcher of the running exchange; its model and index are loaded when they are first needed."""
    found: Callable[[], Finds] = current_app.extensions[_KEY]
    return found()


def state() -> dict[str, Any]:
    """Model and index, for `/healthz`."""
    return matcher().state()


@blueprint.get("/")
@policy.open_to(policy.everyone)
def home() -> Response:
    """What this is, where to describe a problem, what is listed now."""
    with identity.database().reading() as session:
        context = identity.context()
        return replies.page(
            "matching/home.html",
            open_now=queries.totals(session, context),
            needs=queries.newest(session, context, Kind.NEED, NEWEST),
            results=queries.newest(session, context, Kind.OFFER, NEWEST),
            examples=EXAMPLES,
            search=Search(),
            drawn=regions.province_map(),
            by_province={
                place.province: count
                for place, count in listing_queries.counts_by_place(session, context).items()
                if place.province
            },
        )


@blueprint.route("/matches", methods=["GET", "POST"])
@policy.open_to(policy.everyone)
def search() -> Response:
    """Matches for a text.

    The form is a POST so that no text is too long; a text that fits into an address is sent on to it, since an
    address can be shared and kept.
    """
    asked = read_search(request.values)
    if request.method == "POST" and asked.shareable and not asked.cut:
        return replies.see_other(asked.address())
    with identity.database().reading() as session:
        context = identity.context()
        if not has_words(asked.text):
            newest = queries.newest(session, context, asked.kind, NEWEST)
            return replies.page("matching/nothing_asked.html", search=asked, newest=newest)
        found = matcher().matches_for_text(
            session, context, asked.text, asked.kind, asked.language, asked.place, asked.filters, asked.page
        )
        return replies.page(
            "matching/search.html", search=asked, found=found, places=place_options(language.page_language())
        )


@blueprint.get("/matches/<int:listing_id>")
@policy.open_to(policy.everyone)
def listing_matches(listing_id: int) -> Response:
    """All matches of a listing, with filters."""
    with identity.database().reading() as session:
        context = identity.context()
        listing = listings.get_visible(session, context, listing_id)
        asked = replace(read_search(request.args), text="", kind=Kind(listing.kind).other, listing_id=listing_id)
        found = matcher().matches_for(session, context, listing, asked.filters, asked.page, asked.heed)
        return replies.page("matching/listing_matches.html", listing=listing, search=asked, found=found)


@cache
def places(code: str) -> list[tuple[str, str]]:
    """(code, name) of every place a reader may be at, by name in a page language: provinces, then other countries."""
    provinces = [Place(HOME_COUNTRY, province) for province in regions.provinces()]
    countries = [Place(country) for country in regions.countries() if country != HOME_COUNTRY]
    found = []
    for group in (provinces, countries):
        named = [(place_code(place), regions.place_name(place, code)) for place in group]
        found += sorted(named, key=lambda row: regions.fold(row[1]))
    return found


@cache
def place_options(code: str) -> Markup:
    """The options for those places: three hundred lines that differ between two pages by the one that is chosen."""
    return Markup().join(Markup('<option value="{}">{}</option>').format(*place) for place in places(code))


def chosen(options: Markup, code: str) -> Markup:
    """Options with that of a value selected."""
    return options.replace(f'value="{code}"', f'value="{code}" selected', 1)


def matches_of(listing: Listing) -> Markup:
    """The best matches of a listing, for its own page: a template calls it, so that listings need not know matching."""
    with identity.database().reading() as session:
        found = matcher().matches_for(session, identity.context(), listing, heed=True)
        asked = Search(kind=Kind(listing.kind).other, listing_id=listing.id)
        return Markup(  # noqa: S704 - a template of ours, which escapes
            render_template(
                "matching/_matches_of_listing.html", listing=listing, search=asked, found=found, most=BELOW_LISTING
            )
        )


def underlined(text: str, terms: Iterable[str]) -> Markup:
    """A quote with the notions underlined that both sides share."""
    words = sorted({term for term in terms if len(term) >= SHORTEST_TERM}, key=len, reverse=True)
    if not words:
        return Markup.escape(text)
    pattern = re.compile(rf"(?<!\w)({'|'.join(re.escape(word) for word in words)})", re.IGNORECASE)
    shown, end = Markup(), 0
    for found in pattern.finditer(text):
        shown += Markup.escape(text[end : found.start()])
        shown += Markup('<mark class="shared">{}</mark>').format(found.group())
        end = found.end()
    return shown + Markup.escape(text[end:])


def init_app(app: Flask, provide: Callable[[], Finds]) -> None:
    """Register the pages; `provide` gives the matcher, the same one each time."""
    app.extensions[_KEY] = provide
    app.jinja_env.globals.update(matches_of=matches_of, longest_text=LONGEST_TEXT)
    app.jinja_env.filters.update(underlined=underlined, place_code=place_code, chosen=chosen)
    app.register_blueprint(blueprint)
