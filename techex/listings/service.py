"""The verbs of listings, and the domain's public face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from techex.core import audit, changes
from techex.core.context import Context
from techex.core.text import folded
from techex.errors import NotFound
from techex.listings.queries import shown, shown_of
from techex.listings.rules import (
    BODY_FIELDS,
    LIFE_DAYS,
    LOOSE_FACTS,
    Kind,
    ListingDraft,
    State,
    Visibility,
    may_see,
)
from techex.listings.tables import Listing, ListingField, ListingTransferForm
from techex.organisations.tables import Organisation

_COLUMNS = (
    *("title", "summary", "trl", "ip_status", "ownership", "reach", "industry"),
    *("budget_min", "budget_max", "price", "currency", "deadline", "validity"),
)


def visible(context: Context) -> Select[Listing]:
    """A SELECT of the listings this actor may see."""
    return select(Listing).where(*shown(context))


def get_visible(session: Session, context: Context, listing_id: int, kind: Kind | None = None) -> Listing:
    """One listing (of this kind); raises NotFound with the same sentence whether it is absent or hidden."""
    listing = session.get(Listing, listing_id)
    hidden = listing is None or not may_see(context.actor, State(listing.state), Visibility(listing.visibility))
    if listing is None or hidden or kind not in (None, listing.kind):
        raise NotFound(f"There is no listing number {listing_id} here. It may have ended; search for what you need.")
    return listing


def visible_by_id(session: Session, context: Context, ids: Iterable[int]) -> Mapping[int, Listing]:
    """Those of the given listings that this actor may see, by id: the last word before a result is shown."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = session.scalars(select(Listing).where(*shown_of(context, wanted))).unique()
    return {row.id: row for row in rows}


def find_external(session: Session, organisation: Organisation, kind: str, external_id: str) -> Listing | None:
    """The listing that an organisation imported under this id, whatever its state; or None."""
    return session.scalar(
        select(Listing).where(
            Listing.organisation_id == organisation.id, Listing.kind == kind, Listing.external_id == external_id
        )
    )


def post(session: Session, context: Context, organisation: Organisation, draft: ListingDraft) -> Listing:
    """Store a checked draft as a new listing, not yet published."""
    listing = Listing(
        kind=draft.kind.value,
        state=State.DRAFT.value,
        organisation=organisation,
        organisation_id=organisation.id,
        external_id=draft.external_id,
        created_at=context.now,
        updated_at=context.now,
    )
    _write(listing, draft)
    session.add(listing)
    session.flush()  # its id is needed by the change
    _record(session, context, listing, "created")
    return listing


def edit(session: Session, context: Context, listing: Listing, draft: ListingDraft) -> bool:
    """Bring a listing to what a checked draft says; returns whether anything changed."""
    before = _snapshot(listing)
    _write(listing, draft)
    if _snapshot(listing) == before:
        return False
    listing.updated_at = context.now
    _record(session, context, listing, "edited")
    return True


def publish(session: Session, context: Context, listing: Listing) -> None:
    """Show a listing to those its visibility names, for a year."""
    if listing.state == State.PUBLISHED:
        return
    listing.state = State.PUBLISHED.value
    listing.published_at = context.now
    listing.expires_at = context.now + timedelta(days=LIFE_DAYS)
    _record(session, context, listing, "published")


def withdraw(session: Session, context: Context, listing: Listing) -> None:
    """Take a listing out of the exchange; it stays on record."""
    listing.state = State.WITHDRAWN.value
    _record(session, context, listing, "withdrawn")


def _record(session: Session, context: Context, listing: Listing, what: str) -> None:
    changes.record(session, context, "listing", listing.id, what)
    audit.record(session, context, what, "listing", listing.id, {"kind": listing.kind})


def _write(listing: Listing, draft: ListingDraft) -> None:
    values = draft.values
    listing.language = draft.language
    listing.country, listing.province = draft.country, draft.province
    listing.visibility = draft.visibility.value
    listing.illustrative = draft.illustrative
    for name in _COLUMNS:
        value = values.get(name)
        if name in ("deadline", "validity") and value is not None:
            value = date.fromisoformat(value)
        setattr(listing, name, value)
    listing.keywords = folded(f"{listing.title} {listing.summary}")
    listing.body = {name: values[name] for name in (*BODY_FIELDS, *LOOSE_FACTS) if name in values}
    listing.field_rows = _codes(listing.field_rows, values.get("fields", ()), ListingField)
    listing.transfer_rows = _codes(listing.transfer_rows, values.get("transfer_forms", ()), ListingTransferForm)


def _codes(rows: Sequence[Any], codes: Iterable[str], table: type[Any]) -> list[Any]:
    have = {row.code: row for row in rows}
    return [have.get(code) or table(code=code) for code in codes]


def _snapshot(listing: Listing) -> tuple[Any, ...]:
    columns = tuple(getattr(listing, name) for name in _COLUMNS)
    where = (listing.language, listing.country, listing.province, listing.visibility, listing.illustrative)
    return (*columns, *where, dict(listing.body), listing.fields, listing.transfer_forms)
