"""What a view answers with, and how files are addressed.

htmx asks for the same addresses as everybody and picks its part of the page (`hx-select`): one address, one
representation, so no reply depends on a header and caches stay honest.
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from flask import (
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

SMALLEST_COMPRESSED = 1_000  # bytes; below, the header costs more than is gained
COMPRESSION_LEVEL = 6  # 9 takes three times as long for 1 % on our pages
COMPRESSIBLE = ("text/", "application/json", "application/problem+json", "image/svg+xml", "application/javascript")
LONGEST_BLUR = 100  # bytes; as Django does it ("Heal the Breach")
_HAS_NAME = 0x08  # flag of a gzip header
VENDORED = "vendor/"  # folders below it carry a version in their name
ADDRESSES_KEPT = 4096  # some hundred bytes each
VALUES_KEPT = 64  # of a query, as they are written in addresses
WRITTEN_AS_THEY_ARE = (
    "!$'()*,/:;?@"  # as in all addresses of the pages; https://url.spec.whatwg.org/#percent-encoded-bytes
)
A_YEAR = 31_536_000  # seconds; files carry a digest of their content in their address


def page(template: str, /, status: int = 200, **values: Any) -> Response:
    """A whole page in the language of its reader."""
    return make_response(render_template(template, **values), status)


def private(response: Response) -> Response:
    """A reply at a secret address."""
    # The address is a key: it goes neither into caches nor, as a referrer, to other sites.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def address(endpoint: str, query: Mapping[str, Any], **values: Any) -> str:
    """As `url_for` with a query (names to values or lists of them), for a page that repeats a long text in many links.

    Characters of a text are written out one by one, 5,000 on a page of matches, unless the text is remembered.
    """
    pairs = [(name, one) for name, held in query.items() for one in (held if isinstance(held, list) else [held])]
    said = "&".join(f"{_written(name)}={_written(str(value))}" for name, value in pairs)
    return url_for(endpoint, **values) + ("?" + said if said else "")


@lru_cache(maxsize=VALUES_KEPT)
def _written(value: str) -> str:
    return quote_plus(value, safe=WRITTEN_AS_THEY_ARE)


def see_other(address: str) -> Response:
    """303: the answer to a form stands at another address."""
    return make_response(redirect(address, 303))


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def asset(filename: str) -> str:
    """The address of a file in `static/`, which changes when the file does (by its version, or by a digest)."""
    address = f"{request.script_root}{current_app.static_url_path}/{filename}"
    if filename.startswith(VENDORED):
        return address
    return f"{address}?v={_digest(Path(_static_folder()) / filename)}"


def _static_folder() -> str:
    folder = current_app.static_folder
    assert folder is not None  # noqa: S101 - create_app sets it
    return folder


def _keep(response: Response) -> Response:
    lasting = "v" in request.args or request.path.startswith(f"/static/{VENDORED}")
    if request.endpoint == "static" and lasting and response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-cache"
    return response


def _compress(response: Response) -> Response:
    """gzip for texts. Where a form's token stands beside what a reader typed, the length is blurred against BREACH."""
    if (
        response.status_code not in (200, 404, 422)
        or not request.accept_encodings.quality("gzip")
        or "Content-Encoding" in response.headers
        or not response.content_type.startswith(COMPRESSIBLE)
    ):
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < SMALLEST_COMPRESSED:
        return response
    packed = gzip.compress(body, COMPRESSION_LEVEL, mtime=0)
    if "csrf_token" in g:  # a form of this page carries one
        packed = _blurred(packed)
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    if etag := response.get_etag()[0]:
        response.set_etag(f"{etag}-gzip")
    return response


def _blurred(packed: bytes) -> bytes:
    """The same gzip member with a file name of random length in its header, so that its size tells little."""
    name = b"x" * (1 + secrets.randbelow(LONGEST_BLUR))
    return packed[:3] + bytes([packed[3] | _HAS_NAME]) + packed[4:10] + name + b"\0" + packed[10:]


def _addressing(app: Flask) -> Callable[..., str]:
    """`url_for` of the templates, the last addresses kept: building one takes as long as writing three sentences."""

    @lru_cache(maxsize=ADDRESSES_KEPT)
    def kept(_root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
        return app.url_for(endpoint, **dict(values))

    def address(endpoint: str, /, **values: Any) -> str:
        plain = has_request_context() and all(isinstance(value, str | int) for value in values.values())
        if not plain or "_external" in values or endpoint.startswith("."):
            return app.url_for(endpoint, **values)
        return kept(request.script_root, endpoint, tuple(values.items()))

    return address


def init_app(app: Flask) -> None:
    """Give templates `asset` and `url_for`, and every reply its caching and compression."""
    app.jinja_env.globals.update(asset=asset, url_for=_addressing(app))
    app.after_request(_compress)
    app.after_request(_keep)
