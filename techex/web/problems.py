"""Errors become replies: one table from our error tree to statuses, one page in the dress of the site.

What happened, what was expected, what to do, in the reader's language. Only what an installation lacks is said in
English, marked so: it is for those who look after the exchange, and names commands and settings.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, jsonify, make_response, request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException, SecurityError

from techex.errors import BadInput, Conflict, Environment, FieldErrors, NotAllowed, NotFound, TechexError, TooMany
from techex.web import language, replies

STATUSES: tuple[tuple[type[TechexError], int], ...] = (
    (BadInput, 422),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (TooMany, 429),
    (Environment, 503),
    (TechexError, 400),
)

# status -> (what happened, what to do)
WORDS = {
    400: (
        _l("This request cannot be read"),
        _l("Something in the address or the form is not as expected. Go back and try again."),
    ),
    403: (
        _l("This page is not open to you"),
        _l("It may need an account, or belong to somebody else. Go back, or start from the first page."),
    ),
    404: (
        _l("There is nothing here"),
        _l("The address may be mistyped, or the listing has ended. Search for what you need instead."),
    ),
    405: (
        _l("This address cannot be used this way"),
        _l("Go back and use the form or the link on the page."),
    ),
    409: (
        _l("Somebody was quicker"),
        _l("What you changed has changed meanwhile. Load the page again and look at its state now."),
    ),
    413: (
        _l("Too much was sent"),
        _l("Shorten the text or choose a smaller file, and send it again."),
    ),
    422: (
        _l("This cannot be used as it is"),
        _l("Correct what the note below names, and send it again."),
    ),
    429: (
        _l("That was too often"),
        _l("To keep others out, this can be tried only so many times. Wait a little, then try again."),
    ),
    500: (
        _l("Something went wrong on our side"),
        _l("It has been noted. Try again in a moment; if it happens again, tell whoever runs this exchange."),
    ),
    503: (
        _l("The exchange is not ready"),
        _l("Whoever runs it finds the reason below. Try again in a few minutes."),
    ),
}


def status_of(error: TechexError) -> int:
    """The HTTP status of an error of ours."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def wants_json() -> bool:
    """True for machines: they say that they prefer JSON to HTML."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def reply(status: int, sentence: str, *, title: str = "", advice: str = "", in_english: bool = False) -> Response:
    """An error page; `title` and `advice`, in the reader's language, stand instead of those of the status."""
    g.policy_asked = True  # an error page discloses nothing
    if wants_json():
        response = jsonify(status=status, title=title or str(WORDS.get(status, WORDS[400])[0]), detail=sentence)
        response.status_code, response.content_type = status, "application/problem+json"
        return response
    words = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    return replies.page(
        "errors/problem.html",
        status,
        code=status,
        title=title or words[0],
        advice=advice or words[1],
        sentence=sentence,
        in_english=in_english,
    )


def said(error: TechexError) -> str:
    """What an error says, in the language of the page; machines, and those who run the exchange, read English."""
    if wants_json() or isinstance(error, Environment):
        return str(error)
    if isinstance(error, FieldErrors):
        return "; ".join(f"{name}: {language.sentence(sentence)}" for name, sentence in error.fields.items())
    if isinstance(error, BadInput) and error.about:
        return f"{error.about}: {language.sentence(error.sentence)}"
    return language.sentence(error.args[0]) if error.args else ""


def _ours(error: TechexError) -> Response:
    status = status_of(error)
    if status >= 500:
        current_app.logger.error("%s: %s", type(error).__name__, error)
    response = reply(status, said(error), in_english=isinstance(error, Environment))
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if isinstance(error, SecurityError):
        # Asked under a name that is not ours: no page can be drawn, since its links would carry that name.
        g.policy_asked = True
        return Response("400: this exchange has another address.\n", status, content_type="text/plain; charset=utf-8")
    response = reply(status, "")
    if allowed := error.get_headers() and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _ours_to_mend(error: Exception) -> Response:
    current_app.logger.exception("an error nobody expected")
    return reply(500, "")


def init_app(app: Flask) -> None:
    """Handle every error; in tests those that nobody expected stay visible."""
    app.register_error_handler(TechexError, _ours)
    app.register_error_handler(HTTPException, _http)
    if not app.testing:
        app.register_error_handler(Exception, _ours_to_mend)
