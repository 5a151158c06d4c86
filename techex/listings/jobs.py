"""What `techex work` does with listings by itself."""

from __future__ import annotations

from techex.core.context import Context
from techex.core.database import Database
from techex.listings import ageing
from techex.listings.tables import Listing
from techex.settings import Settings
from techex.web.security import signing_key


def grow_older(settings: Settings, database: Database, context: Context) -> str | None:
    """Ask owners, expire and archive what is due; what was done, if anything. Without an address of its own the
    exchange writes no letters with links, and asks once it has one.
    """
    key, base = signing_key(settings), settings.base_url.rstrip("/")

    def link_for(listing: Listing) -> str:
        return f"{base}/goes-on/{ageing.token_for(listing, key)}"

    aged = ageing.grow_older(database, context, link_for if base else None, settings.exchange_name)
    if not any((aged.asked, aged.expired, aged.archived)):
        return None
    return f"{aged.asked} owners asked, {aged.expired} expired, {aged.archived} archived"
