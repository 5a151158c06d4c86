"""A whole list, row by row, for a file: what its cards say, without the long texts, so that thousands are quick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.listings import queries
from techex.listings.queries import Browse
from techex.listings.tables import Listing, ListingField, ListingTransferForm
from techex.organisations.tables import Organisation
from techex.regions.rules import Place

_AT_ONCE = 500  # ids in one statement: below the number of parameters every database takes


@dataclass(frozen=True)
class Row:
    """What a list shows of a listing. `owner` and its names are empty where the reader may not know whose it is."""

    id: int
    title: str
    language: str
    summary: str
    owner: str
    owner_names: Mapping[str, str]
    place: Place
    fields: Sequence[str]
    trl: int | None
    ip_status: str | None
    transfer_forms: Sequence[str]
    deadline: date | None
    published_at: datetime | None
    illustrative: bool

    def owner_in(self, language: str) -> str:
        """The name of its owner for readers of a language."""
        return self.owner_names.get(language, self.owner)


def rows(session: Session, context: Context, asked: Browse, most: int) -> Iterator[Row]:
    """The rows of a list in its order, at most so many: of what the asker may see, as every list."""
    ids: Sequence[int] = session.scalars(queries.ids_of(context, asked).limit(most)).all()
    for first in range(0, len(ids), _AT_ONCE):
        part = ids[first : first + _AT_ONCE]
        read = _read(session, context, part)
        yield from (read[listing_id] for listing_id in part if listing_id in read)


def _read(session: Session, context: Context, ids: Sequence[int]) -> dict[int, Row]:
    fields, forms = (_codes(session, table, ids) for table in (ListingField, ListingTransferForm))
    query = (
        select(
            *(Listing.id, Listing.title, Listing.language, Listing.summary, Listing.country, Listing.province),
            *(Listing.trl, Listing.ip_status, Listing.deadline, Listing.published_at, Listing.illustrative),
            *(Organisation.name, Organisation.names, queries.owner_known(context).label("known")),
        )
        .join(Organisation, Organisation.id == Listing.organisation_id)
        .where(*queries.shown_of(context, ids))
    )
    found: dict[int, Row] = {}
    for row in session.execute(query):
        owner: tuple[str, Mapping[str, str]] = (row.name, row.names) if row.known else ("", {})
        found[row.id] = Row(
            *(row.id, row.title, row.language, row.summary),
            *owner,
            Place(row.country, row.province),
            fields.get(row.id, ()),
            *(row.trl, row.ip_status),
            forms.get(row.id, ()),
            *(row.deadline, row.published_at, row.illustrative),
        )
    return found


def _codes(session: Session, table: type[Any], ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = select(table.listing_id, table.code).where(table.listing_id.in_(ids)).order_by(table.code)
    for listing_id, code in session.execute(query):
        found.setdefault(listing_id, []).append(code)
    return found
