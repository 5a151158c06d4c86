"""What a page of a draft needs so that several people may write it: hidden fields, and texts that were put aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from techex.accounts import service as accounts
from techex.core import vocabulary
from techex.core.vocabulary import LANGUAGES, N_
from techex.listings.posting_tables import SavedDraft
from techex.listings.rules import FIELD_BY_NAME, Visibility
from techex.listings.together import Typed, asides, digest, flat, new_page, shown
from techex.regions import service as regions
from techex.web import language

VISIBILITY_NAMES = {
    Visibility.PUBLIC: N_("Everybody"),
    Visibility.MEMBERS: N_("Members"),
    Visibility.RESTRICTED: N_("On request"),
}


@dataclass(frozen=True)
class Other:
    """A text that somebody else typed into the same field."""

    page: str
    name: str  # of the person; empty for an account that is gone
    at: datetime
    text: str


@dataclass(frozen=True)
class Together:
    """The token of a page, what it shows in digests, and what was put aside, by field."""

    page: str
    seen: str
    others: Mapping[str, Sequence[Other]]


def side_by_side(session: Session, draft: SavedDraft, names: Iterable[str], typed: Typed | None = None) -> Together:
    """For a page of these fields; with `typed` for a form that goes on showing what it has sent."""
    names = list(names)
    digests = shown(draft, names)
    if typed is not None:
        sent = {name: digest(typed.values.get(name)) for name in names}
        # Where something else is stored than the form holds, the form has not seen it.
        digests = {name: kept if kept == sent[name] else typed.seen.get(name, "") for name, kept in digests.items()}
    kept = asides(draft, names)
    ids = {one.person_id for rows in kept.values() for one in rows if one.person_id is not None}
    people = accounts.names_of(session, list(ids))
    others = {
        name: [
            Other(one.page, people.get(one.person_id or 0, ""), datetime.fromisoformat(one.at), said(name, one.value))
            for one in rows
        ]
        for name, rows in kept.items()
    }
    return Together(
        typed.page if typed else new_page(), " ".join(f"{name}:{one}" for name, one in digests.items()), others
    )


def stored_text(draft: SavedDraft, name: str) -> str:
    """What stands in a field, as people read it."""
    return said(name, flat(draft).get(name))


def said(name: str, value: Any) -> str:
    """A value of a field as people read it, codes by their names."""
    if value in (None, "", [], False):
        return ""
    field = name.rpartition(".")[2]
    if field == "place":
        place = regions.place_of_code(str(value))
        return str(regions.place_name(place, language.page_language())) if place else str(value)
    if field == "language":
        return LANGUAGES.get(str(value), str(value))
    if field == "anonymous":
        return str(_("Without our name"))
    if field == "visibility":
        return _(VISIBILITY_NAMES[Visibility(value)]) if value in set(Visibility) else str(value)
    rule = FIELD_BY_NAME.get(field)
    names = getattr(vocabulary, rule.vocabulary) if rule and rule.vocabulary else {}
    known = {str(code): name for code, name in names.items()}
    one_by_one = value if isinstance(value, list) else [value]
    return ", ".join(_(known[str(one)]) if str(one) in known else str(one) for one in one_by_one)
