"""What the first page counts and lists; every number is of what this reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.listings.tables import Listing


@dataclass(frozen=True)
class OpenNow:
    """How much is listed, and from how many places."""

    needs: int
    results: int
    provinces: int
    countries: int

    @property
    def any(self) -> bool:
        """True when something is listed."""
        return self.needs + self.results > 0


def open_now(session: Session, context: Context) -> OpenNow:
    """Counts of visible listings and of the places they stand in."""
    shown = listings.visible(context).with_only_columns(Listing.kind, Listing.country, Listing.province).subquery()
    by_kind = session.execute(select(shown.c.kind, func.count()).group_by(shown.c.kind))
    kinds: dict[str, int] = {row[0]: row[1] for row in by_kind}
    provinces, countries = session.execute(
        select(func.count(shown.c.province.distinct()), func.count(shown.c.country.distinct()))
    ).one()
    return OpenNow(kinds.get(Kind.NEED, 0), kinds.get(Kind.OFFER, 0), provinces, countries)


def newest(session: Session, context: Context, kind: Kind, limit: int) -> Sequence[Listing]:
    """The latest published listings of a kind, newest first."""
    return session.scalars(
        listings.visible(context)
        .where(Listing.kind == kind)
        .order_by(Listing.published_at.desc(), Listing.id.desc())
        .limit(limit)
    ).all()
