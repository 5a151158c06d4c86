"""Lists are searched by words as people type them, and counted by place, field and organisation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from techex.core.context import ANONYMOUS, Actor, Context, MemberRole, Membership, Role
from techex.core.database import Database
from techex.core.text import folded
from techex.listings import queries, service
from techex.listings.queries import Browse, Count
from techex.listings.rules import Kind
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.regions.rules import Place

DRYING = ("Sấy nhãn lồng bằng bơm nhiệt", "Cần hệ thống sấy giữ màu và mùi của quả, dùng điện mặt trời mái nhà.", "vi")
SLUDGE = (
    "Less sludge from dyeing",
    "We look for a process that removes colour without more sludge, 400 m³ a day.",
    "en",
)
DYEING_ZH = (
    "染色废水脱色技术需求与合作",
    "我们的印染厂每天排放四百吨废水,需要在不增加污泥的情况下将色度降低到五十以下,"
    "并且能够在现有的生化池之后运行,占地面积不超过五十平方米。",
    "zh",
)
PLACES = {"vi": Place("VN", "33"), "en": Place("VN", "79"), "zh": Place("CN")}


@pytest.fixture
def reader(context: Context) -> Context:
    return Context(ANONYMOUS, context.now)


def _post(database: Database, context: Context, text: tuple[str, str, str], kind: Kind = Kind.NEED, **over: Any) -> int:
    title, summary, language = text
    place = PLACES[language]
    values: dict[str, Any] = {"title": title, "summary": summary, "fields": ["211"]} | over
    if kind is Kind.OFFER:
        values |= {"description": summary * 3, "advantages": "So với cách làm cũ thì rẻ hơn một nửa."}
    draft = checked_draft(kind, values, language=language, country=place.country, province=place.province)
    owner_draft = OrganisationDraft(
        name="Hợp tác xã Phố Hiến", names={"en": "Pho Hien Cooperative"}, country=place.country, province=place.province
    )
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, owner_draft)
        listing = service.post(session, context, owner, draft)
        service.publish(session, context, listing)
        return listing.id


@pytest.fixture
def listed(each_database: Database, context: Context) -> dict[str, int]:
    return {text[2]: _post(each_database, context, text) for text in (DRYING, SLUDGE, DYEING_ZH)}


def _found(database: Database, reader: Context, words: str) -> set[str]:
    with database.reading() as session:
        page = queries.browse(session, reader, Browse(Kind.NEED, words=words))
        return {listing.language for listing in page.listings}


WORDS: list[tuple[str, set[str]]] = [
    ("sấy nhãn", {"vi"}),
    ("say nhan", {"vi"}),
    ("SẤY NHÃN", {"vi"}),
    ("nhan say", {"vi"}),
    ("sa\u0302\u0301y", {"vi"}),
    ("dien mat troi", {"vi"}),
    ("sludge", {"en"}),
    ("slud", {"en"}),
    ("ludge", set()),
    ("colour sludge", {"en"}),
    ("colour nhan", set()),
    ("废水", {"zh"}),
    ("脱色", {"zh"}),
    ("pho hien cooperative", {"vi", "en", "zh"}),
    ("hợp tác xã sludge", {"en"}),
    ("", {"vi", "en", "zh"}),
    ("…", {"vi", "en", "zh"}),
    ("100%_of", set()),
    ("%", {"vi", "en", "zh"}),
    ("' OR 1=1 --", set()),
]


def test_words_are_found_as_people_type_them(each_database: Database, listed: dict[str, int], reader: Context) -> None:
    found = [(words, _found(each_database, reader, words)) for words, _ in WORDS]
    assert found == WORDS


def test_an_edited_title_is_found_by_its_new_words(each_database: Database, context: Context, reader: Context) -> None:
    number = _post(each_database, context, DRYING)
    with each_database.transaction() as session:
        listing = service.get_visible(session, context, number)
        values = {"title": "Bảo quản vải thiều tươi lâu hơn", "summary": DRYING[1]}
        draft = checked_draft(Kind.NEED, values, language="vi", country="VN", province="33")
        assert service.edit(session, context, listing, draft)
    assert _found(each_database, reader, "vai thieu") == {"vi"}
    assert _found(each_database, reader, "nhan long") == set()


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Đường Ưu đãi", " duong uu dai "), ("LiFePO₄, A/B", " lifepo₄ a b "), ("データが", " データが "), ("  ", "")],
)
def test_folding_keeps_letters_of_other_scripts(text: str, plain: str) -> None:
    assert folded(text) == plain


def test_places_fields_and_organisations_are_counted(
    each_database: Database, listed: dict[str, int], context: Context, reader: Context
) -> None:
    _post(each_database, context, DRYING, Kind.OFFER, fields=["211", "203"])
    with each_database.reading() as session:
        places = queries.counts_by_place(session, reader)
        assert places == {Place("VN", "33"): Count(1, 1), Place("VN", "79"): Count(1, 0), Place("CN"): Count(1, 0)}
        assert queries.counts_by_field(session, reader) == {"211": Count(3, 1), "203": Count(0, 1)}
        assert queries.counts_by_field(session, reader, [Place("VN", "79")]) == {"211": Count(1, 0)}
        assert queries.counts_by_field(session, reader, [Place("VN")]) == {"211": Count(2, 1), "203": Count(0, 1)}
        owner = service.get_visible(session, reader, listed["vi"]).organisation_id
        assert queries.counts_by_organisation(session, reader, [owner]) == {owner: Count(3, 1)}
        needs = queries.newest_in(session, reader, Kind.NEED, [Place("VN", "33"), Place("CN")], 10)
        assert {listing.language for listing in needs} == {"vi", "zh"}


def test_regions_are_added_up_from_their_provinces(
    each_database: Database, listed: dict[str, int], reader: Context
) -> None:
    with each_database.reading() as session:
        facets = queries.browse(session, reader, Browse(Kind.NEED)).facets
        assert facets["regions"] == [("RED_RIVER_DELTA", 1), ("SOUTHEAST", 1)]
        assert facets["provinces"] == [("33", 1), ("79", 1)]


def test_others_in_the_same_field_share_the_most_fields_first(
    each_database: Database, context: Context, reader: Context
) -> None:
    own = _post(each_database, context, DRYING, fields=["211", "203"])
    both = _post(each_database, context, SLUDGE, fields=["203", "211"])
    one = _post(each_database, context, DYEING_ZH, fields=["211"])
    _post(each_database, context, SLUDGE, fields=["401"])
    _post(each_database, context, DRYING, Kind.OFFER)
    with each_database.reading() as session:
        listing = service.get_visible(session, reader, own)
        assert [other.id for other in queries.alike(session, reader, listing, 4)] == [both, one]


@pytest.mark.parametrize("sort", ["newest", "deadline", "title", "trl"])
def test_lists_are_put_in_order_without_reading_their_texts(database: Database, sort: str) -> None:
    member = Actor("member", Role.PERSON, person_id=1, memberships=(Membership(1, MemberRole.VIEWER, verified=True),))
    for actor in (ANONYMOUS, member):
        ordered = queries.ids_of(Context(actor), Browse(Kind.NEED, sort=sort)).limit(20)
        with database.reading() as session:
            compiled = ordered.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            plan = " ".join(str(row[-1]) for row in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))
        assert "USING COVERING INDEX ix_listing_" in plan, plan


def test_a_list_is_sorted_by_the_words_of_its_titles_whatever_their_accents(
    each_database: Database, context: Context, reader: Context
) -> None:
    summary = "Cần hệ thống sấy giữ màu và mùi của quả, dùng điện mặt trời mái nhà."
    titles = ("Ép viên rơm cho lò hơi", "“Đo” độ ẩm của gạo", "Ao tôm thiếu ô-xy về đêm")
    for title, trl in zip(titles, (4, None, 7), strict=True):
        _post(each_database, context, (title, summary, "vi"), trl=trl)
    with each_database.reading() as session:
        found = {
            sort: [row.title for row in queries.browse(session, reader, Browse(Kind.NEED, sort=sort)).listings]
            for sort in ("title", "trl")
        }
    assert found == {"title": [titles[2], titles[1], titles[0]], "trl": [titles[2], titles[0], titles[1]]}
