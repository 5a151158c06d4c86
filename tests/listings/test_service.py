"""Listings are posted, edited, published and withdrawn; who may not see one cannot tell that it is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from techex.core import changes
from techex.core.audit import AuditEntry
from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.errors import NotFound
from techex.listings import queries, service
from techex.listings.queries import Browse
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft


def _post(database: Database, context: Context, number: int = 1, publish: bool = True, **over: Any) -> int:
    values = {
        "title": f"Sấy nhãn bằng bơm nhiệt số {number}",
        "summary": "Cần hệ thống sấy nhãn giữ màu và mùi, dùng điện mặt trời mái nhà.",
        "trl": 6,
        "fields": ["211"],
        "transfer_forms": ["assignment"],
    }
    envelope = {"visibility": over.pop("visibility", "public"), "province": over.pop("province", "33")}
    draft = checked_draft(Kind.NEED, values | over, language="vi", country="VN", **envelope)
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, OrganisationDraft(name="Hợp tác xã Phố Hiến", province="33"))
        listing = service.post(session, context, owner, draft)
        if publish:
            service.publish(session, context, listing)
        return listing.id


@pytest.fixture
def reader(context: Context) -> Context:
    return Context(ANONYMOUS, context.now)


def test_a_published_need_is_seen_and_lives_a_year(each_database: Database, context: Context, reader: Context) -> None:
    number = _post(each_database, context)
    with each_database.reading() as session:
        listing = service.get_visible(session, reader, number)
        assert listing.published_at == context.now
        assert listing.expires_at == context.now + timedelta(days=365)
        assert (listing.fields, listing.transfer_forms, listing.place.province) == (["211"], ["assignment"], "33")


@pytest.mark.parametrize("hidden", ["draft", "withdrawn", "members", "restricted", "absent"])
def test_what_a_reader_may_not_see_is_the_same_as_what_is_not_there(
    each_database: Database, context: Context, reader: Context, hidden: str
) -> None:
    visibility = hidden if hidden in ("members", "restricted") else "public"
    asked = 999
    if hidden != "absent":
        asked = _post(each_database, context, publish=hidden != "draft", visibility=visibility)
    if hidden == "withdrawn":
        with each_database.transaction() as session:
            service.withdraw(session, context, service.get_visible(session, context, asked))
    with each_database.reading() as session:
        with pytest.raises(NotFound) as refused:
            service.get_visible(session, reader, asked)
        assert str(refused.value).replace(str(asked), "N").startswith("There is no listing number N here")
        assert service.visible_by_id(session, reader, [asked]) == {}
        page = queries.browse(session, reader, Browse(Kind.NEED))
        assert (page.total, list(page.listings)) == (0, [])
        assert all(counts == [] for counts in page.facets.values())
        assert queries.totals(session, reader).needs == 0
        assert queries.counts_by_place(session, reader) == {}


def test_an_edit_that_changes_nothing_records_nothing(each_database: Database, context: Context) -> None:
    number = _post(each_database, context)
    same = checked_draft(
        Kind.NEED,
        {
            "title": "Sấy nhãn bằng bơm nhiệt số 1",
            "summary": "Cần hệ thống sấy nhãn giữ màu và mùi, dùng điện mặt trời mái nhà.",
            "trl": 6,
            "fields": ["211"],
            "transfer_forms": ["assignment"],
        },
        language="vi",
        country="VN",
        province="33",
    )
    with each_database.transaction() as session:
        before = changes.last(session)
        assert not service.edit(session, context, service.get_visible(session, context, number), same)
        assert changes.last(session) == before


def test_every_deed_is_a_change_and_an_audit_entry_of_the_same_commit(
    each_database: Database, context: Context
) -> None:
    number = _post(each_database, context)
    with each_database.transaction() as session:
        service.withdraw(session, context, service.get_visible(session, context, number))
    with each_database.reading() as session:
        log = [change.what for change in changes.since(session, 0) if change.subject == "listing"]
        audit = session.scalars(select(AuditEntry).where(AuditEntry.subject == "listing").order_by(AuditEntry.id))
        assert log == ["created", "published", "withdrawn"] == [entry.verb for entry in audit]


def test_facets_count_their_own_values_without_their_own_filter(
    each_database: Database, context: Context, reader: Context
) -> None:
    _post(each_database, context, 1, fields=["211"], trl=4)
    _post(each_database, context, 2, fields=["401", "211"], trl=7, province="92")
    _post(each_database, context, 3, fields=["401"], trl=9)
    with each_database.reading() as session:
        page = queries.browse(session, reader, Browse(Kind.NEED, fields=("211",)))
        assert page.total == 2
        assert page.facets["fields"] == [("211", 2), ("401", 2)]
        assert page.facets["provinces"] == [("33", 1), ("92", 1)]
        narrowed = queries.browse(session, reader, Browse(Kind.NEED, trl_min=5, regions=("MEKONG_DELTA",)))
        assert [listing.title for listing in narrowed.listings] == ["Sấy nhãn bằng bơm nhiệt số 2"]


@pytest.mark.parametrize("asked", [-1, 0, 1, 3, 10**9])
def test_a_page_beyond_either_end_is_the_nearest_one(
    each_database: Database, context: Context, reader: Context, asked: int
) -> None:
    for number in range(queries.PAGE_SIZE + 2):
        _post(each_database, context, number)
    with each_database.reading() as session:
        page = queries.browse(session, reader, Browse(Kind.NEED, page=asked))
        assert page.page == min(max(asked, 1), 2)
        assert len(page.listings) == (queries.PAGE_SIZE if page.page == 1 else 2)


def test_paging_visits_every_listing_once(each_database: Database, context: Context, reader: Context) -> None:
    for number in range(2 * queries.PAGE_SIZE + 1):
        _post(each_database, context, number)
    with each_database.reading() as session:
        for sort in ("newest", "title", "trl", "deadline"):
            pages = [queries.browse(session, reader, Browse(Kind.NEED, sort=sort, page=p)).listings for p in (1, 2, 3)]
            seen = [listing.id for page in pages for listing in page]
            assert sorted(seen) == sorted(session.scalars(select(Listing.id)))


def test_the_command_line_sees_every_class_of_published_listing(each_database: Database, context: Context) -> None:
    for number, visibility in enumerate(Visibility):
        _post(each_database, context, number, visibility=visibility.value)
    with each_database.reading() as session:
        assert queries.totals(session, context).needs == len(Visibility)
