"""The address of a list says it completely, and a mistyped one still answers."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from techex.core import vocabulary
from techex.core.text import clean_line
from techex.errors import BadInput
from techex.listings.forms import SORTS, Asked, read_list
from techex.listings.queries import Browse
from techex.listings.rules import Kind
from techex.regions.service import countries, provinces, regions


def _some(codes: object) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(list(codes)), max_size=3, unique=True).map(tuple)  # type: ignore[call-overload]


def _lists() -> st.SearchStrategy[Asked]:
    def of(kind: Kind) -> st.SearchStrategy[Asked]:
        words = st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), max_size=20).map(clean_line)
        return st.builds(
            Browse,
            kind=st.just(kind),
            words=words,
            fields=_some(vocabulary.FIELDS),
            countries=_some(countries()),
            provinces=_some(provinces()),
            regions=_some(regions()),
            trl_min=st.none() | st.integers(1, 9),
            ip_statuses=_some(vocabulary.IP_STATUSES),
            transfer_forms=_some(vocabulary.TRANSFER_FORMS),
            organisation_kinds=_some(vocabulary.ORGANISATION_KINDS),
            languages=_some(vocabulary.LANGUAGES),
            organisation=st.sampled_from(["", "to-lich"]),
            sort=st.sampled_from(SORTS[kind]),
            page=st.integers(1, 50),
        ).map(Asked)

    return st.sampled_from(list(Kind)).flatmap(of)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=_lists())
def test_an_address_says_the_whole_list_again(app: Flask, asked: Asked) -> None:
    with app.test_request_context():
        address = urlsplit(asked.address())
        assert read_list(MultiDict(parse_qsl(address.query)), asked.filters.kind) == asked
        for parameter, code in asked.applied():
            assert (parameter, code) not in asked.without(parameter, code).applied()
        assert asked.bare().applied() == []


@pytest.mark.parametrize(
    "query", ["page=-3", "page=x", "page=" + "9" * 40, "trl=0", "trl=ten", "sort=worst", "field=999", "lang=xx", "ip="]
)
def test_what_cannot_be_meant_is_left_out(query: str) -> None:
    assert read_list(MultiDict(parse_qsl(query)), Kind.NEED) == Asked(Browse(Kind.NEED))


def test_a_control_character_is_refused_with_its_name() -> None:
    with pytest.raises(BadInput, match=r"q: contains a control character"):
        read_list(MultiDict({"q": "a\x00b"}), Kind.NEED)


def test_endless_words_are_cut() -> None:
    assert len(read_list(MultiDict({"q": "nước " * 1000}), Kind.NEED).filters.words) <= 200
