"""The best pairs across regions, for operators: a page and the same as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.context import Context
from techex.errors import BadInput
from techex.listings import queries
from techex.listings.rules import visible_classes
from techex.matching.pair_sorts import SORTS, placed
from techex.matching.views import blueprint, matcher
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY
from techex.web import identity, policy, replies, tables
from techex.web.language import page_language

if TYPE_CHECKING:
    # A worker is ready before numpy is there.
    from techex.matching.best_pairs import Asked, Count, Pair

# What one page goes through; a need takes about 5 ms. The command line has no such limit.
MOST_NEEDS = 400
PAGE_SIZE = 25
STRENGTHS = (80, 60, 40)
FRESH_SECONDS = 600  # vectors arrive a moment after the change that asks for them; so long may one be missing here
MOST_REMEMBERED = 20

_KEY = "techex.best_pairs"


def init_app(app: Flask) -> None:
    """Give the running exchange a place for what was computed last."""
    app.extensions[_KEY] = Remembered()


class Remembered:
    """The pairs that were asked for last, until anything changes in the exchange, and for FRESH_SECONDS at most."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], tuple[Sequence[Pair], Count]] = {}
        self._writing = Lock()

    def pairs(self, session: Session, context: Context, asked: Asked) -> tuple[Sequence[Pair], Count]:
        """All pairs in the order in which they are shown, and what was gone through."""
        from techex.matching.best_pairs import Count
        from techex.matching.spread import spread_pairs

        actor = context.actor
        moment = int(context.now.timestamp() // FRESH_SECONDS)
        # Whoever brokers may know whose every listing is; others may not, each for themselves.
        reader = None if actor.is_operator else actor.person_id
        key = (asked, visible_classes(actor), reader, changes.last(session), moment)
        if (known := self._found.get(key)) is None:
            count = Count()
            found = sorted(
                matcher().best_pairs(session, context, asked, count),
                key=lambda pair: (-pair.strength, -pair.score, pair.need.id, pair.offer.id),
            )
            known = [found[place] for place in spread_pairs(found)], count
            with self._writing:
                while len(self._found) >= MOST_REMEMBERED:
                    self._found.pop(next(iter(self._found)))
                self._found[key] = known
        return known


@blueprint.get("/pairs")
@policy.open_to(policy.operator, policy.administrator)
def best_pairs() -> Response:
    """The best pairs between two places, or of the whole exchange."""
    asked, wrong = _asked(request.args)
    with identity.database().reading() as session:
        context = identity.context()
        found, count = remembered().pairs(session, context, asked)
        places = sorted(
            {place.country for place in queries.counts_by_place(session, context)} - {HOME_COUNTRY},
            key=lambda code: regions.country_name(code, page_language()),
        )
    return replies.page(
        "matching/best_pairs.html",
        asked=asked,
        wrong=wrong,
        found=_table(asked).ask(placed(found), request.args),
        count=count,
        most_needs=MOST_NEEDS,
        countries=places,
        home=HOME_COUNTRY,
        regions=list(regions.regions()),
        provinces=list(regions.provinces()),
        strengths=STRENGTHS,
    )


@blueprint.get(f"/pairs.{tables.FILE}")
@policy.open_to(policy.operator, policy.administrator)
def best_pairs_file(suffix: str) -> Response:
    """The pairs of that page as a table for a spreadsheet."""
    asked, _ = _asked(request.args)
    with identity.database().reading() as session:
        found, _ = remembered().pairs(session, identity.context(), asked)
    return _table(asked).file(placed(found), request.args, suffix)


def _table(asked: Asked) -> tables.Table:
    """The list of pairs that are asked for: its orders, and the columns of its file."""
    from techex.matching.best_pairs import COLUMNS

    root = url_for("matching.home", _external=True)
    columns = [tables.Column(name, lambda one, name=name: one.pair.row(root)[name]) for name in COLUMNS]  # type: ignore[misc]
    columns.append(tables.Column("since", lambda one: one.since))
    return tables.Table(
        "matching.best_pairs",
        "matching.best_pairs_file",
        SORTS,
        columns,
        size=PAGE_SIZE,
        always=_parameters(asked),
        name="pairs",
    )


def remembered() -> Remembered:
    """What the running exchange computed last."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Remembered)  # noqa: S101 - only init_app writes it
    return found


def _asked(arguments: Mapping[str, str]) -> tuple[Asked, str]:
    """What the address asks for; a place that nobody calls so is everywhere, with a sentence that says it."""
    from techex.matching.best_pairs import EVERYWHERE, Asked, territory
    from techex.matching.strength import EXPLORE

    wrong, ends = "", {}
    for name in ("from", "to"):
        try:
            ends[name] = territory(arguments.get(name, ""))
        except BadInput:
            ends[name] = EVERYWHERE
            wrong = gettext(
                "“%(name)s” is no place known here, so all places are shown. Choose one from the list.",
                name=arguments[name],
            )
    least = arguments.get("least", "")
    return Asked(
        ends["from"],
        ends["to"],
        both=arguments.get("both") == "1",
        across=arguments.get("across") == "1",
        least=int(least) if least in map(str, STRENGTHS) else EXPLORE,
        most_needs=MOST_NEEDS,
    ), wrong


def _parameters(asked: Asked) -> dict[str, Any]:
    """The parameters that say this again; defaults are left out."""
    found: dict[str, Any] = {}
    for name, end in (("from", asked.origin), ("to", asked.application)):
        if end.code:
            found[name] = end.code
    for name, value in (("both", asked.both), ("across", asked.across)):
        if value:
            found[name] = "1"
    if asked.least != STRENGTHS[-1]:
        found["least"] = asked.least
    return found
