"""Lists, search and directory show verified organisations only, where their reader asks for that."""

from __future__ import annotations

import html

import pytest
from flask import Flask
from sqlalchemy import select

from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.web import identity
from tests.cast import Browser


@pytest.fixture
def visitor(demo_app: Flask) -> Browser:
    browser = Browser(demo_app, demo_app.response_class, use_cookies=True)
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return browser


def test_what_an_unverified_organisation_offers_is_left_out_everywhere(demo_app: Flask, visitor: Browser) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        public = select(Listing).where(Listing.visibility == "public", Listing.anonymous.is_(False))
        offer = session.scalars(public.where(Listing.kind == Kind.OFFER.value, Listing.state == "published")).first()
        assert offer is not None
        title, summary = offer.title, offer.summary
        name, slug = offer.organisation.name, offer.organisation.slug
        offer.organisation.verified_at = None
    for address, words in (
        (f"/results?q={title[:40]}", title),
        (f"/organisations?q={name}", f"/organisations/{slug}"),
    ):
        assert words in html.unescape(visitor.get(address).text), address
        narrowed = html.unescape(visitor.get(f"{address}&verified=yes").text)
        assert words not in narrowed, address
        assert "Verified organisations only" in narrowed
        assert 'value="yes" id="verified" checked' in narrowed
    # What search finds under it: tests/matching/test_service.py.
    assert 'id="verified" checked' in visitor.get(f"/matches?text={summary}&verified=yes").text


def test_an_address_that_says_something_else_asks_for_nothing(visitor: Browser) -> None:
    whole = visitor.get("/results").text.count("card-listing")
    assert visitor.get("/results?verified=maybe").text.count("card-listing") == whole
    assert visitor.get("/results?verified=yes").text.count("card-listing") > 0


def test_an_anonymous_listing_does_not_tell_that_its_owner_is_verified(demo_app: Flask, visitor: Browser) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        published = select(Listing).where(Listing.kind == "offer", Listing.state == "published").order_by(Listing.id)
        offer = next(one for one in session.scalars(published) if one.organisation.verified_at is not None)
        offer.anonymous, title = True, offer.title
    assert title in html.unescape(visitor.get(f"/results?q={title[:40]}").text)
    assert title not in html.unescape(visitor.get(f"/results?q={title[:40]}&verified=yes").text)
