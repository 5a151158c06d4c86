"""The directory finds organisations by every name they have and counts what its filters would leave."""

from __future__ import annotations

import pytest

from techex.core.context import Context
from techex.core.database import Database
from techex.organisations import queries, service
from techex.organisations.queries import Directory
from techex.organisations.rules import OrganisationDraft

DRAFTS = (
    OrganisationDraft("Viện Nghiên cứu Hải sản", "institute", "VN", "31", {"en": "Marine Institute"}, ["405"]),
    OrganisationDraft("Đại học Đồng Tháp Mười", "university", "VN", "82", {"en": "Plain of Reeds University"}),
    OrganisationDraft("한빛에너지 주식회사", "enterprise", "KR", None, {"en": "Hanbit Energy"}, ["207", "405"]),
    OrganisationDraft("Aalsmeer Sensoren B.V.", "enterprise", "NL"),
)


@pytest.fixture
def listed(each_database: Database, context: Context) -> Database:
    with each_database.transaction() as session:
        for draft in DRAFTS:
            service.upsert(session, context, draft)
    return each_database


def _names(database: Database, asked: Directory, language: str = "vi") -> list[str]:
    with database.reading() as session:
        return [found.name_in(language) for found in queries.directory(session, asked, language).organisations]


@pytest.mark.parametrize("words", ["hai san", "Hải Sản", "marine", "inst mar"])
def test_a_name_is_found_in_each_of_its_languages(listed: Database, words: str) -> None:
    assert _names(listed, Directory(words=words)) == ["Viện Nghiên cứu Hải sản"]


def test_names_are_in_the_order_of_the_language_they_are_shown_in(listed: Database) -> None:
    latin = [name for name in _names(listed, Directory(), "vi") if name.isascii() or name[0] in "VĐ"]
    assert latin == ["Aalsmeer Sensoren B.V.", "Đại học Đồng Tháp Mười", "Viện Nghiên cứu Hải sản"]
    english = ["Aalsmeer Sensoren B.V.", "Hanbit Energy", "Marine Institute", "Plain of Reeds University"]
    assert _names(listed, Directory(), "en") == english


def test_filters_narrow_and_facets_count_without_their_own(listed: Database) -> None:
    with listed.reading() as session:
        page = queries.directory(session, Directory(kinds=("enterprise",)), "en")
        assert page.total == 2
        assert page.facets["kinds"] == [("enterprise", 2), ("institute", 1), ("university", 1)]
        assert page.facets["countries"] == [("KR", 1), ("NL", 1)]
        assert page.facets["fields"] == [("207", 1), ("405", 1)]
        in_region = queries.directory(session, Directory(regions=("MEKONG_DELTA",), provinces=("31",)), "en")
        assert in_region.total == 2
        assert in_region.facets["regions"] == [("MEKONG_DELTA", 1), ("RED_RIVER_DELTA", 1)]
        assert queries.directory(session, Directory(fields=("405",)), "en").total == 2


@pytest.mark.parametrize("asked", [0, 1, 2, 10**9])
def test_a_page_beyond_either_end_is_the_nearest_one(listed: Database, asked: int) -> None:
    with listed.reading() as session:
        page = queries.directory(session, Directory(page=asked), "en")
        assert (page.page, page.pages, len(page.organisations)) == (1, 1, len(DRAFTS))
