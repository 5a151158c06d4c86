"""Headers, cookies, the signing key, limits on what is sent, and addresses that may be followed."""

from __future__ import annotations

import secrets
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response
from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser

from techex.errors import Environment
from techex.settings import Settings

LARGEST_REQUEST = 1_000_000  # bytes: the longest text in any script, percent-encoded, many times over
KEY_BYTES = 32


class _NamedFields(FormDataParser):
    """Reads forms. Refuses one in which a part has no name: no browser sends that, and no view is ready for it."""

    def parse(self, *given: Any, **values: Any) -> Any:
        stream, form, files = super().parse(*given, **values)
        if None in form or None in files:
            for file in chain.from_iterable(files.listvalues()):
                file.close()
            raise BadRequest("A part of the form has no name.")
        return stream, form, files


class ReadableRequest(Request):
    """A request whose form consists of named fields."""

    form_data_parser_class = _NamedFields


def headers(settings: Settings) -> Secure:
    """The headers of every reply. Scripts and styles come from our own files alone, never from the page."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'", "data:")
        .object_src("'none'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
    )
    return Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        referrer=ReferrerPolicy().strict_origin_when_cross_origin(),
        permissions=PermissionsPolicy().geolocation().camera().microphone(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        hsts=StrictTransportSecurity().max_age(31_536_000) if settings.cookie_secure else None,
    )


def signing_key(settings: Settings) -> str:
    """The key from the settings, or the one in the data folder, made at the first start.

    Raises Environment where the folder cannot be written to.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret_key"
    try:
        return _made_once(path)
    except OSError as error:
        raise Environment(
            f"The signing key cannot be kept in {path} ({error.strerror}). Set TECHEX_DATA_DIR to a folder you may "
            "write to, or TECHEX_SECRET_KEY to a long random text."
        ) from error


def _made_once(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(KEY_BYTES))
    except FileExistsError:
        pass  # made at an earlier start, or by another process a moment ago
    return path.read_text(encoding="ascii")


def local_path(address: str | None, otherwise: str = "/") -> str:
    """`address` if it is a path on this site, else `otherwise`: nobody is sent elsewhere by a link of ours."""
    if not address or not address.startswith("/") or any(c in address for c in "\\\r\n\t\x00"):
        return otherwise
    try:
        parts = urlsplit(address)
    except ValueError:  # "//[": half of an IPv6 address
        return otherwise
    return otherwise if parts.scheme or parts.netloc or address.startswith("//") else address


def _hosts(settings: Settings) -> list[str] | None:
    """The names this exchange answers to: its own, and those of this machine for health checks; all if none is set."""
    own = urlsplit(settings.base_url).hostname
    return [own, "localhost", "127.0.0.1", "[::1]"] if own else None


def init_app(app: Flask, settings: Settings) -> None:
    """Configure cookies, limits, headers and how forms are read."""
    app.request_class = ReadableRequest
    app.config.update(
        SECRET_KEY=signing_key(settings),
        # The prefix makes browsers refuse such a cookie from a neighbouring site or without HTTPS.
        SESSION_COOKIE_NAME="__Host-techex" if settings.cookie_secure else "techex",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        TRUSTED_HOSTS=_hosts(settings),
    )
    secured = headers(settings)

    @app.after_request
    def _headers(response: Response) -> Response:
        secured.set_headers(response)
        return response
