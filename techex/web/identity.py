"""Who asks, and where the data are: what a view hands to a service.

with identity.database().reading() as session:
    listing = service.get_visible(session, identity.context(), listing_id)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address

from flask import Flask, current_app, g, request, url_for

from techex.core import limits
from techex.core.context import ANONYMOUS, Actor, Context
from techex.core.database import Database
from techex.errors import Environment, TooMany

_KEY = "techex.database"
_ACTOR = "techex.actor"
_BASE_URL = "techex.base_url"
_IPV6_PREFIX = 64  # bits: what one customer of a network is given; the rest is theirs to vary
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def init_app(
    app: Flask, database: Database, actor: Callable[[], Actor] = lambda: ANONYMOUS, base_url: str = ""
) -> None:
    """Give the views of `app` this database, a way to ask who asks, and the address people reach it at."""
    app.extensions[_KEY] = database
    app.extensions[_BASE_URL] = base_url.rstrip("/")
    app.extensions[_ACTOR] = actor


def database() -> Database:
    """The database of the running exchange."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Database)  # noqa: S101 - only init_app writes it
    return found


def now() -> datetime:
    """One moment for the whole request."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    found = g.now
    assert isinstance(found, datetime)  # noqa: S101 - only this function writes it
    return found


def context() -> Context:
    """Who asks and when."""
    if "context" not in g:
        g.context = Context(current_app.extensions[_ACTOR](), now())
    found = g.context
    assert isinstance(found, Context)  # noqa: S101 - only this function writes it
    return found


def remote() -> str:
    """The address a request comes from, as limits count it: of IPv6 the network."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> (128 - _IPV6_PREFIX) << (128 - _IPV6_PREFIX)))
    return str(address)


def limited(what: str, who: str, rates: Iterable[limits.Rate]) -> None:
    """Count one more try of `what` by `who` (an account, an address, "all"), in a transaction of its own.

    Raises TooMany when it is beyond one of the rates.
    """
    with database().transaction() as session:
        waits = [limits.hit(session, now(), what, who, rate) for rate in rates]
    if wait := max(waits, default=0):
        raise TooMany(wait)


def outside_url(endpoint: str, **values: str) -> str:
    """The whole address of a page, for a letter.

    Its host comes from the setting: one in a request may be anybody's, and would lead the reader of the letter there.
    Raises Environment where nothing is set and the exchange is not just being tried on this machine.
    """
    path = url_for(endpoint, **values)  # type: ignore[arg-type]
    base: str = current_app.extensions[_BASE_URL]
    if base:
        return base + path
    if request.host.rpartition(":")[0] in _LOOPBACK or request.host in _LOOPBACK:
        return request.host_url.rstrip("/") + path
    raise Environment(
        "Letters with links cannot be written: the exchange does not know its own address. Set TECHEX_BASE_URL to the "
        "address at which people reach it, for instance https://exchange.example.vn."
    )
