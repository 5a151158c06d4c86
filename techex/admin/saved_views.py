"""Views of lists under a name: filters and order, for oneself or for the colleagues of a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from techex.admin.tables import HandOver, SavedView
from techex.core import audit
from techex.core.context import Context
from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, NotFound, Sentence

LONGEST_NAME = 80
LONGEST_QUERY = 1_000
MOST_VIEWS = 50  # of one person
# The lists that have views, by their endpoints.
LISTS: Mapping[str, str] = {
    "desk.index": N_("Your desk"),
    "deals.board": N_("Deals"),
    "brokering.interests": N_("Expressions of interest"),
    "review.queue": N_("Review queue"),
    "verification.waiting": N_("To verify"),
    "duplicates.index": N_("Listed twice?"),
    "batches.index": N_("Batches"),
    "audit.log": N_("Audit log"),
    "life.mine": N_("My listings"),
    "organisations.directory": N_("Organisations"),
    "matching.best_pairs": N_("Best pairs"),
    "work.pairs": N_("Best pairs nobody has touched"),
}
_NOT_KEPT = ("page", "kind", "saved")


def kept_query(query: str) -> str:
    """What of an address belongs to a view: filters and order, not the page."""
    pairs = parse_qsl(query[: 4 * LONGEST_QUERY], keep_blank_values=False)
    return urlencode([(name, value) for name, value in pairs if name not in _NOT_KEPT])


def parameters(view: SavedView) -> dict[str, list[str]]:
    """The parameters of its address."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(view.query):
        if name.isidentifier() and not name.startswith("_"):
            found.setdefault(name, []).append(value)
    return found


def views_of(session: Session, context: Context, page: str) -> Sequence[SavedView]:
    """The views of a list that this person has, then those that colleagues share, each by name."""
    me = context.actor.person_id
    places = sorted(context.actor.places) if context.actor.is_operator else []
    query = select(SavedView).where(SavedView.page == page)
    query = query.where(or_(SavedView.person_id == me, SavedView.place_code.in_(places)))
    found = session.scalars(query.order_by(SavedView.name, SavedView.id)).all()
    return sorted(found, key=lambda view: view.person_id != me)


def save(session: Session, context: Context, page: str, name: str, query: str, place_code: str = "") -> SavedView:
    """Keep a view; the same name again takes the place of the one before. Raises BadInput."""
    me = context.actor.person_id
    assert me is not None  # noqa: S101 - the door is open to people who have signed in
    if page not in LISTS:
        raise BadInput(Sentence(N_("This list has no views.")), "page")
    name = clean_line(name, "name")
    if not 0 < len(name) <= LONGEST_NAME:
        pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
        raise BadInput(Sentence(pattern, count=len(name), longest=LONGEST_NAME), "name")
    query = kept_query(query)
    if len(query) > LONGEST_QUERY:
        raise BadInput(Sentence(N_("These are too many filters for one view. Take some off.")), "query")
    if place_code and not (context.actor.is_operator and place_code in context.actor.places):
        raise BadInput(
            Sentence(N_("A view is shared with the colleagues of a place that you serve yourself.")), "place"
        )
    own = session.scalars(select(SavedView).where(SavedView.person_id == me)).all()
    view = next((one for one in own if one.page == page and one.name == name), None)
    if view is None:
        if len(own) >= MOST_VIEWS:
            pattern = N_("You have %(most)s views. Delete one first.")
            raise BadInput(Sentence(pattern, most=MOST_VIEWS), "name")
        view = SavedView(person_id=me, page=page, name=name, created_at=context.now)
        session.add(view)
    view.query, view.place_code = query, place_code or None
    session.flush()
    if place_code:
        audit.record(session, context, "view shared", "person", me, {"page": page, "name": name, "place": place_code})
    return view


def forget(session: Session, context: Context, view_id: int) -> str:
    """Delete one's own view; the list it was of. Raises NotFound."""
    view = session.get(SavedView, view_id)
    if view is None or view.person_id != context.actor.person_id:
        raise NotFound(Sentence(N_("There is no view of yours with this number.")))
    session.delete(view)
    return view.page


def leave(session: Session, context: Context, person_id: int) -> None:
    """An account is deleted: its views and hand-overs go with it."""
    session.execute(delete(SavedView).where(SavedView.person_id == person_id))
    session.execute(delete(HandOver).where(or_(HandOver.person_id == person_id, HandOver.to_id == person_id)))


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """Views and hand-overs of a person, for that person."""
    views = session.scalars(select(SavedView).where(SavedView.person_id == person_id).order_by(SavedView.id))
    given = select(HandOver).where(or_(HandOver.person_id == person_id, HandOver.to_id == person_id))
    return {
        "views": [
            {"page": row.page, "name": row.name, "query": row.query, "shared_in": row.place_code} for row in views
        ],
        "handed_over": [
            {
                "mine": row.person_id == person_id,
                "what": f"{row.task} {row.key}".strip() or "everything",
                "since": row.since.isoformat(),
                "until": row.until.isoformat() if row.until else None,
                "note": row.note,
            }
            for row in session.scalars(given.order_by(HandOver.id))
        ],
    }
