"""Organisations are known by their short name; storing the same one twice changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from techex.core.context import Context
from techex.core.database import Database
from techex.errors import FieldErrors, NotFound
from techex.organisations import service
from techex.organisations.rules import OrganisationDraft, slug_of

INSTITUTE = OrganisationDraft(name="Viện Cơ điện Sông Hậu", kind="institute", province="92", fields=("203", "401"))


def test_storing_twice_changes_nothing(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        assert service.upsert(session, context, INSTITUTE)[1]
        assert not service.upsert(session, context, INSTITUTE)[1]
        found = service.get_organisation(session, "vien-co-dien-song-hau")
        assert (found.field_codes, found.verified_at) == (["203", "401"], None)


def test_it_is_found_by_name_or_short_name(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        made, _ = service.upsert(session, context, INSTITUTE)
        assert service.find_by_name(session, INSTITUTE.name) is made
        assert service.find_by_name(session, "vien-co-dien-song-hau") is made
        assert service.find_by_name(session, "nobody") is None
        with pytest.raises(NotFound, match="nobody"):
            service.get_organisation(session, "nobody")


def test_verification_says_when_and_by_whom(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        made, _ = service.upsert(session, context, INSTITUTE)
        service.verify(session, context, made)
        assert (made.verified_at, made.verified_by) == (context.now, "command line")


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "🙂"}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "Viện\x00"}, "name"),
        ({"name": "Viện \u202ekcehx"}, "name"),
        ({"kind": "shop"}, "kind"),
        ({"country": "XX"}, "country"),
        ({"province": "02"}, "country"),
        ({"fields": ("999",)}, "fields"),
        ({"website": "javascript:alert(1)"}, "website"),
    ],
)
def test_a_wrong_field_is_named(each_database: Database, context: Context, over: dict[str, Any], field: str) -> None:
    with each_database.transaction() as session, pytest.raises(FieldErrors) as refused:
        service.upsert(session, context, OrganisationDraft(**INSTITUTE.__dict__ | over))
    assert field in refused.value.fields


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Đại học Đồng Tháp", "dai-hoc-dong-thap"),
        ("C++ & .NET", "c-net"),
        ("乾燥研究所", "乾燥研究所"),
        ("!!!", "organisation"),
    ],
)
def test_short_names_are_plain(name: str, slug: str) -> None:
    assert slug_of(name) == slug
