"""The quality page: what the figures of a match mean, which model is in use, what was measured on the demo exchange."""

from __future__ import annotations

from babel import Locale
from babel.numbers import format_decimal
from flask import Flask, Response, current_app

from techex.embedding.cards import load_card
from techex.errors import UnreadableFile
from techex.matching import evaluated, quality_charts
from techex.matching.strength import EXPLORE, INTRODUCE, REVIEW
from techex.matching.verdict_figures import LEAST, verdict_figures
from techex.matching.views import blueprint, matcher
from techex.settings import Settings
from techex.web import identity, policy, replies
from techex.web.language import page_language

_KEY = "techex.quality"


@blueprint.get("/quality")
@policy.open_to(policy.everyone)
def quality() -> Response:
    """What match figures mean and how good they are."""
    settings = current_app.extensions[_KEY]
    card = load_card(settings.card)
    names = Locale.parse(page_language()).languages
    found, unreadable = None, False
    try:
        found = evaluated.load(settings.data_dir)
    except UnreadableFile as error:
        current_app.logger.error("%s", error)
        unreadable = True
    with identity.database().reading() as session:
        said = verdict_figures(session)
    return replies.page(
        "matching/quality.html",
        card=card,
        engine=settings.engine or card.engine.name,
        spoken=sorted(names.get(code, code) for code in card.languages),
        state=matcher().state(),
        measured=found,
        unreadable=unreadable,
        three_places=_three_places,
        floors={"introduce": (INTRODUCE, 100), "review": (REVIEW, INTRODUCE - 1)}
        | {"explore": (EXPLORE, REVIEW - 1), "none": (0, EXPLORE - 1)},
        floor=EXPLORE,
        plane=quality_charts.plane(found.reliability.curve) if found and found.reliability else None,
        bars=quality_charts.bars(found.parity) if found and found.parity else [],
        full=quality_charts.FULL,
        names_width=quality_charts.NAMES,
        short_name=_short_name,
        said=said,
        least=LEAST,
    )


def _short_name(language: str) -> str:
    """The name of a language in the page's language, without what stands in brackets: it has a narrow place."""
    return str(Locale.parse(page_language()).languages.get(language, language)).split(" (")[0].removeprefix("Tiếng ")


def _three_places(ratio: float) -> str:
    """0.9 -> 0.900: figures of a column stand in line."""
    return str(format_decimal(ratio, "0.000", locale=page_language()))


def init_app(app: Flask, settings: Settings) -> None:
    """Tell the page which installation it describes."""
    app.extensions[_KEY] = settings
