"""An exchange with listings to search in, on every database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.database import Database
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation

Publish = Callable[..., int]


def organisation(
    session: Session, context: Context, name: str = "Thử nghiệm", kind: str = "enterprise"
) -> Organisation:
    """The organisation of this name, made where it is missing, of this kind from now on."""
    return organisations.upsert(session, context, OrganisationDraft(name=name, kind=kind))[0]


def offer_values(title: str, description: str) -> dict[str, str]:
    """What an offer must at least say."""
    return {
        "title": f"{title} technology",
        "summary": f"{title}: a result that can be transferred to enterprises.",
        "description": f"{description} " + "It was tried for a year at two sites and is ready for transfer now. " * 2,
        "advantages": "Costs half of what is in use now.",
    }


@pytest.fixture
def publish(context: Context) -> Publish:
    """Publish an offer: publish(database, title, description="", visibility=..., province=...) -> its id."""

    def publish(
        database: Database,
        title: str,
        description: str = "",
        visibility: Visibility = Visibility.PUBLIC,
        province: str | None = "01",
    ) -> int:
        draft = checked_draft(
            Kind.OFFER,
            offer_values(title, description),
            language="en",
            country="VN",
            province=province,
            visibility=visibility.value,
        )
        with database.transaction() as session:
            listing = listings.post(session, context, organisation(session, context), draft)
            listings.publish(session, context, listing)
            return listing.id

    return publish


@pytest.fixture
def withdraw(context: Context) -> Callable[[Database, int], None]:
    """Withdraw a listing."""

    def withdraw(database: Database, listing_id: int) -> None:
        with database.transaction() as session:
            listing = session.get(Listing, listing_id)
            assert listing is not None
            listings.withdraw(session, context, listing)

    return withdraw


@pytest.fixture
def edit(context: Context) -> Callable[..., None]:
    """Give an offer another text or visibility."""

    def edit(
        database: Database,
        listing_id: int,
        title: str,
        description: str = "",
        visibility: Visibility = Visibility.PUBLIC,
    ) -> None:
        draft = checked_draft(
            Kind.OFFER,
            offer_values(title, description),
            language="en",
            country="VN",
            province="01",
            visibility=visibility.value,
        )
        with database.transaction() as session:
            listing = session.get(Listing, listing_id)
            assert listing is not None
            listings.edit(session, context, listing, draft)

    return edit
