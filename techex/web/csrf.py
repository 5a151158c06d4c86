"""No write without the token of this browser, and none that another site started.

Every form carries `{{ csrf() }}`; htmx sends the field with its form. Browsers also say where a request comes from
(`Sec-Fetch-Site`, `Origin`): what comes from elsewhere is refused before the token is looked at.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup

from techex.web import problems

FIELD = "csrf_token"
HEADER = "X-CSRFToken"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# Views that take a long text by POST and write nothing: their pages need no cookie and stay the same for everybody.
READS = {"matching.search", "matching.text_pair", "matching.text_why"}
# Views that mail programs press for their reader (RFC 8058): the signed link is the key, and all it opens is silence.
SIGNED = {"alerts.stop_by_link", "batches.stop_by_link", "calendar.stop_by_link"}

_protect = CSRFProtect()


def field() -> Markup:
    """The hidden field of a form (Flask-WTF notes in `g` that the page holds a token)."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, generate_csrf())


def _from_elsewhere() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.host
    except ValueError:  # no address at all
        return True


def _check() -> Response | None:
    if request.method in SAFE or request.endpoint is None or request.endpoint in READS | SIGNED:
        return None
    if _from_elsewhere():
        return _refused()
    _protect.protect()
    return None


def _refused() -> Response:
    return problems.reply(
        403,
        _("The form was sent from another site or without its token, so nothing was done."),
        title=_("This form is no longer good"),
        advice=_("It was open for too long, or you signed in or out meanwhile. Go back, load the page again, send it."),
    )


def _error(_error: CSRFError) -> Response:
    return _refused()


def init_app(app: Flask) -> None:
    """Check every write of `app`, and give templates `csrf()`."""
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # `_check` asks, after it has looked where the request comes from
        WTF_CSRF_TIME_LIMIT=None,  # as good as the session it belongs to
        WTF_CSRF_SSL_STRICT=False,  # `_from_elsewhere` does this without the referrer
        WTF_CSRF_HEADERS=[HEADER],
    )
    _protect.init_app(app)
    app.before_request(_check)
    app.register_error_handler(CSRFError, _error)
    app.jinja_env.globals["csrf"] = field
