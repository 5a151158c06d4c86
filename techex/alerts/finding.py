"""What an alert finds: the matches its page would show, by the code that serves the page; and where it writes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from techex.alerts.service import Find, Place
from techex.alerts.tables import Alert
from techex.core.context import Context
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.matching.forms import Search, read_search
from techex.matching.rules import Match
from techex.matching.views import Finds
from techex.settings import Settings
from techex.web.security import signing_key

PAGES = 3  # of ten matches: whoever wants more than thirty new ones a day wants another search


def place_of(settings: Settings) -> Place:
    """What letters of alerts need to know of this installation."""
    base = settings.base_url.rstrip("/")
    return Place(settings.exchange_name, base, settings.timezone, signing_key(settings))


def search_of(alert: Alert) -> Search:
    """The search that an alert keeps."""
    return read_search(MultiDict(parse_qsl(alert.query)))


def finder(matcher: Finds) -> Find:
    """How alerts look, with this matcher."""

    def find(session: Session, context: Context, alert: Alert) -> Sequence[Match]:
        asked = search_of(alert)
        found: list[Match] = []
        for number in range(1, PAGES + 1):
            if alert.listing_id is not None:
                listing = listings.get_visible(session, context, alert.listing_id)
                asked = replace(asked, kind=Kind(listing.kind).other)
                page = matcher.matches_for(session, context, listing, asked.filters, number)
            else:
                page = matcher.matches_for_text(
                    session, context, asked.text, asked.kind, asked.language, asked.place, asked.filters, number
                )
            if not page.suitable:
                break
            found += page.matches
            if number >= page.pages:
                break
        return found

    return find
