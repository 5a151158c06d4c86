"""Listings that look like one listed twice, side by side; an operator of either place or an administrator decides.

What compares listings needs numpy, so it is imported when one of these pages is asked for: a worker is ready before.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.listings import service as listings
from techex.listings.rules import BODY_FIELDS, Kind
from techex.listings.tables import Listing
from techex.matching.tables import DuplicatePair
from techex.regions import service as regions
from techex.regions.naming import place_called
from techex.web import addresses, identity, policy, replies, tables

PAGE_SIZE = 20
# Parameter of the address -> what `duplicate_service.listed` is asked for.
SHOWN: dict[str, dict[str, bool]] = {"waiting": {}, "variants": {"variants": True}, "decided": {"decided": True}}

blueprint = Blueprint("duplicates", __name__)


@dataclass(frozen=True)
class Told:
    """A pair as a page tells it: how alike both are, what was found (a message), and what only one of them says."""

    row: DuplicatePair
    found: str
    shares_figures: bool  # `row.shared` is a share of figures and not of text
    distance: float | None

    def only_in(self, side: int) -> list[str]:
        """Figures and words of the title that only the first (0) or the second (1) listing has."""
        return [each for both in self.row.differences.values() for each in (both or ((), ()))[side]]


@blueprint.get("/duplicates")
@policy.open_to(policy.operator, policy.administrator)
def index() -> Response:
    """Pairs that wait for a decision, variants, or decided ones."""
    from techex.matching import duplicate_service as service

    chosen = _chosen()
    with identity.database().reading() as session:
        context = identity.context()
        rows = service.listed(session, context, **SHOWN[chosen])
        found = _table(chosen).ask(list(enumerate(rows)), request.args)
        return replies.page(
            "matching/duplicates.html",
            pairs=[_told(row) for _, row in found.rows],
            found=found,
            total=len(rows),
            chosen=chosen,
            done=_done(session, context),
            decisions=service.DECISIONS,
        )


@blueprint.get(f"/duplicates.{tables.FILE}")
@policy.open_to(policy.operator, policy.administrator)
def file(suffix: str) -> Response:
    """All pairs of that list, with the same filters."""
    from techex.matching import duplicate_service as service

    chosen = _chosen()
    with identity.database().reading() as session:
        rows = service.listed(session, identity.context(), **SHOWN[chosen])
        return _table(chosen).file(list(enumerate(rows)), request.args, suffix)


def _chosen() -> str:
    return name if (name := request.args.get("show", "")) in SHOWN else "waiting"


def _kind(code: str) -> str:
    return str(gettext("Need") if code == Kind.NEED else gettext("Result"))


def _table(chosen: str) -> tables.Table:
    """The list of these pairs; a row is its place in the usual order and the pair."""
    from techex.matching import duplicate_service as service
    from techex.matching.duplicates import VERDICTS, Verdict

    def verdict(code: str) -> str:
        return str(gettext(VERDICTS[Verdict(code)]))

    return tables.Table(
        "duplicates.index",
        "duplicates.file",
        {
            "alike": (N_("the most alike first"), lambda row: row[0]),
            "newest": (tables.NEWEST, lambda row: (-max(row[1].first_id, row[1].second_id), row[0])),
            "place": (tables.BY_PLACE, lambda row: (row[1].first.place.code, row[0])),
            "title": (tables.BY_TITLE, lambda row: (row[1].first.title.casefold(), row[0])),
        },
        (
            tables.Column(N_("First"), lambda row: row[1].first_id),
            tables.Column(N_("Title of the first"), lambda row: row[1].first.title),
            tables.Column(N_("Second"), lambda row: row[1].second_id),
            tables.Column(N_("Title of the second"), lambda row: row[1].second.title),
            tables.Column(N_("Kind"), lambda row: _kind(row[1].first.kind)),
            tables.Column(N_("How alike"), lambda row: verdict(row[1].verdict)),
            tables.Column(N_("In common (percent)"), lambda row: round(row[1].shared * 100)),
            tables.Column(
                N_("Decision"),
                lambda row: gettext(service.DECISIONS[row[1].decision]) if row[1].decision else "",
            ),
        ),
        {
            "kind": tables.Filter(N_("Kind"), lambda row: [row[1].first.kind], _kind),
            "verdict": tables.Filter(N_("How alike"), lambda row: [row[1].verdict], verdict),
            "place": tables.Filter(
                N_("Place"), lambda row: [row[1].first.place.code, row[1].second.place.code], place_called
            ),
        },
        words=lambda row: f"{row[1].first.title} {row[1].second.title}",
        size=PAGE_SIZE,
        always={} if chosen == "waiting" else {"show": chosen},
    )


@blueprint.get("/duplicates/<int:one_id>/<int:other_id>")
@policy.open_to(policy.operator, policy.administrator)
def pair(one_id: int, other_id: int) -> Response:
    """Both listings side by side, what only one of them says, and the decision."""
    from techex.matching import duplicate_service as service

    with identity.database().reading() as session:
        context = identity.context()
        row = service.get_pair(session, context, one_id, other_id)
        texts = [_texts(context, listing) for listing in (row.first, row.second)]
        return replies.page(
            "matching/duplicate.html",
            told=_told(row),
            row=row,
            texts=texts,
            names=[name for name in BODY_FIELDS if any(name in side for side in texts)],
            decisions=service.DECISIONS,
        )


@blueprint.post("/duplicates/<int:one_id>/<int:other_id>")
@policy.open_to(policy.operator, policy.administrator)
def decide(one_id: int, other_id: int) -> Response:
    """Keep the decision; nothing is merged by it."""
    from techex.matching import duplicate_service as service

    with identity.database().transaction() as session:
        row = service.decide(session, identity.context(), one_id, other_id, request.form.get("decision", ""))
        done = f"{row.first_id}-{row.second_id}"
    return replies.see_other(url_for("duplicates.index", done=done))


def _done(session: Session, context: Context) -> DuplicatePair | None:
    """The pair that was decided a moment ago, as the address says."""
    from techex.matching import duplicate_service as service

    one, _, other = request.args.get("done", "").partition("-")
    pair = addresses.whole(one, 0), addresses.whole(other, 0)
    decided = service.listed(session, context, decided=True) if all(pair) else ()
    return next((row for row in decided if (row.first_id, row.second_id) == pair), None)


def _texts(context: Context, listing: Listing) -> dict[str, str]:
    """The long texts of a listing that this reader may read."""
    hidden = listings.guarded(context, listing)
    return {name: text for name, text in listing.texts.items() if name not in hidden}


def _told(row: DuplicatePair) -> Told:
    from techex.matching.duplicates import VERDICTS, Verdict

    verdict = Verdict(row.verdict)
    distance = regions.distance_between(row.first.place, row.second.place)
    return Told(row, VERDICTS[verdict], verdict is Verdict.SEMANTIC, distance)
