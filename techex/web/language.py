"""The language of a page: chosen (cookie), else the browser's (Accept-Language), else the exchange's first.

Also the filters that show numbers, dates and money as the reader writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from typing import Any

from babel import Locale
from babel import dates as babel_dates
from babel import numbers as babel_numbers
from flask import Blueprint, Flask, Response, current_app, g, request
from flask_babel import Babel, get_locale, get_translations, gettext
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from techex import paths
from techex.core.vocabulary import LANGUAGES, N_
from techex.errors import Environment, NotFound, Sentence
from techex.settings import Settings
from techex.translations.build import compile_catalogues
from techex.web import identity, policy, replies, security

COOKIE = "lang"
COOKIE_LIFE = 31_536_000  # seconds: a year
_SETTINGS = "techex.settings"
_READERS_TIMEZONE = "techex.readers_timezone"
_LANGUAGE = "page_language"
SENTENCES_KEPT = 8_192  # all of both catalogues, as text and as markup
NUMBERS_KEPT = 4096  # counts of the same few sizes stand beside every filter
RELATIVE_FOR_DAYS = 45  # older than this, a date says more than "7 weeks ago"

# Who acts and is no person, as it is kept beside what was done.
ACTORS = (N_("anonymous"), N_("command line"), N_("demo exchange"), N_("the link mailed to its owner"))

_COMMAND = re.compile(r"`([^`]+)`")

blueprint = Blueprint("web", __name__)


def _offered() -> list[str]:
    settings = current_app.extensions[_SETTINGS]
    assert isinstance(settings, Settings)  # noqa: S101 - only init_app writes it
    return settings.language_list


def _choose() -> str:
    offered = _offered()
    # In the reader's order; en-GB means English, which exact matching would pass over for a later "vi".
    preferred = [code.replace("_", "-").split("-")[0].lower() for code in request.accept_languages.values()]
    wanted = [request.cookies.get(COOKIE, ""), *preferred]
    return next((code for code in wanted if code in offered), offered[0])


def page_language() -> str:
    """The code of the language this page is in, e.g. "vi"."""
    return _chosen() or "en"


def _chosen() -> str:
    """The same, empty where no page is written; asked for three hundred times a page, so it is kept with the page."""
    if not g:
        return ""
    known: str | None = g.get(_LANGUAGE)
    if known is None:
        locale = get_locale()
        known = str(locale.language) if locale else ""
        setattr(g, _LANGUAGE, known)
    return known


@blueprint.get("/language/<code>")
@policy.open_to(policy.everyone)
def switch_language(code: str) -> Response:
    """Remember a page language and go back to where the reader was."""
    if code not in _offered():
        raise NotFound(Sentence(N_("There are no pages in “%(code)s” here."), code=code))
    response = replies.see_other(security.local_path(request.args.get("next")))
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(COOKIE, code, max_age=COOKIE_LIFE, httponly=True, samesite="Lax", secure=secure)
    return response


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


def sentence(text: str) -> str:
    """An error's sentence in the language of the page, where it remembers its pattern; else as it is."""
    if not isinstance(text, Sentence):
        return text
    values = {name: sentence(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return str(gettext(text.pattern, **values))


def commands(text: str) -> Markup:
    """A sentence whose commands, which stand between backticks, are marked up as such."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def number(value: float) -> str:
    """1234567.5 -> 1.234.567,5 or 1,234,567.5"""
    return _decimal(value, page_language())


@lru_cache(maxsize=NUMBERS_KEPT)
def _decimal(value: float, code: str) -> str:
    return str(babel_numbers.format_decimal(value, locale=_locale(code)))


def money(value: float, currency: str) -> str:
    """An amount without needless cents: 250.000.000 ₫"""
    locale = _locale(page_language())
    whole = float(value).is_integer()
    pattern = locale.currency_formats["standard"].pattern
    if whole:
        pattern = pattern.replace(".00", "")
    return str(babel_numbers.format_currency(value, currency, pattern, locale=locale, currency_digits=False))


def day(value: date | datetime) -> Markup:
    """A date in words, marked up for machines."""
    if isinstance(value, datetime):
        value = here(value)
    shown = babel_dates.format_date(value, "long", locale=_locale(page_language()))
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), shown)


def who(name: str) -> str:
    """Who did something: a person by name, anything else in the language of the page."""
    return str(gettext(name)) if name in ACTORS else name


def here(moment: datetime) -> date:
    """The day it is where the reader is."""
    return moment.astimezone(_timezone()).date()


def day_of(value: str) -> Markup:
    """`day` for a date as it travels: 2027-06-30."""
    return day(date.fromisoformat(value))


def ago(value: datetime) -> Markup:
    """How long ago, with the exact moment in the title; the date itself once that says more."""
    moment = value.astimezone(UTC)
    passed = identity.context().now - moment
    if passed.days > RELATIVE_FOR_DAYS:
        return day(value)
    locale = _locale(page_language())
    exact = babel_dates.format_datetime(moment, "long", tzinfo=_timezone(), locale=locale)
    shown = babel_dates.format_timedelta(-passed, add_direction=True, locale=locale)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), escape(exact), shown)


def _timezone() -> tzinfo:
    settings = current_app.extensions[_SETTINGS]
    return babel_dates.get_timezone(current_app.extensions[_READERS_TIMEZONE]() or settings.timezone)


def read_timezone_from(app: Flask, source: Callable[[], str]) -> None:
    """Let dates follow the reader: `source` names their time zone, or nothing."""
    app.extensions[_READERS_TIMEZONE] = source


def _translating() -> Callable[..., str]:
    """`_` of the templates: that of the i18n extension without its detours, since a page says a hundred sentences.

    The extension looks the language and its catalogue up anew for each, and copies the context inside loops.
    """
    catalogues: dict[str, Any] = {}

    @lru_cache(maxsize=SENTENCES_KEPT)
    def said(code: str, text: str, escaped: bool) -> tuple[str, str | None]:
        """A sentence, and what it is without values; None where it has places for some."""
        if code not in catalogues:
            catalogues[code] = get_translations()
        told = catalogues[code].ugettext(text)
        pattern: str = Markup(told) if escaped else told  # noqa: S704 - what translators wrote
        try:
            return pattern, pattern % {}  # as the extension does: "%%" is a sign of per cent
        except KeyError:
            return pattern, None

    @pass_eval_context
    def translated(context: EvalContext, text: str, /, **values: object) -> str:
        pattern, plain = said(_chosen(), text, bool(context.autoescape))
        return pattern % values if values or plain is None else plain

    return translated


def init_app(app: Flask, settings: Settings) -> None:
    """Set up the catalogues, the filters and the switch."""
    app.extensions[_SETTINGS] = settings
    read_timezone_from(app, str)
    if paths.is_checkout():
        try:
            compile_catalogues(paths.translations_dir())
        except OSError as error:
            raise Environment(
                f"The translations cannot be compiled in {paths.translations_dir()} ({error.strerror}). Make "
                "the folder writable for this account, or install TechEx from a wheel, which brings them compiled."
            ) from error
    Babel(
        app,
        default_locale=settings.language_list[0],
        default_timezone=settings.timezone,
        default_translation_directories=str(paths.translations_dir()),
        locale_selector=_choose,
    )
    app.jinja_env.filters.update(
        number=number, money=money, day=day, day_of=day_of, ago=ago, sentence=sentence, who=who, commands=commands
    )
    app.jinja_env.globals["_"] = _translating()
    app.jinja_env.globals.update(page_language=page_language, page_languages=_offered, language_names=LANGUAGES)
    app.register_blueprint(blueprint)
