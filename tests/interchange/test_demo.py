"""The demo exchange is what the README says it is, and its judgements hold together."""

from __future__ import annotations

import unicodedata
from collections import Counter

from sqlalchemy import func, select

from techex.core import changes
from techex.core.context import Context
from techex.core.database import Database
from techex.interchange import demo
from techex.interchange.demo import demo_exchange
from techex.listings.rules import FIELD_BY_NAME, Kind
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations.tables import Organisation
from techex.regions.service import provinces


def test_it_is_large_enough_and_comes_from_everywhere() -> None:
    exchange = demo_exchange()
    assert len(exchange.of_kind(Kind.NEED)) >= 80
    assert len(exchange.of_kind(Kind.OFFER)) >= 160
    assert {o.province for o in exchange.organisations if o.province} == set(provinces())
    assert len({o.country for o in exchange.organisations} - {"VN"}) >= 10
    languages = Counter(listing.draft.language for listing in exchange.listings)
    assert all(languages[language] >= 6 for language in ("vi", "en", "id", "nl", "ko", "ja", "zh"))


def test_keys_and_texts_are_unique_and_composed() -> None:
    exchange = demo_exchange()
    assert max(Counter(listing.key for listing in exchange.listings).values()) == 1
    assert max(Counter(listing.draft.values["title"] for listing in exchange.listings).values()) == 1
    assert max(Counter(organisation.slug for organisation in exchange.organisations).values()) == 1
    for listing in exchange.listings:
        for text in listing.draft.values.values():
            assert not isinstance(text, str) or unicodedata.is_normalized("NFC", text)


def test_every_judgement_names_offers_that_exist() -> None:
    exchange = demo_exchange()
    offers = {listing.key for listing in exchange.of_kind(Kind.OFFER)}
    for judgement in exchange.judgements:
        assert set(judgement.grades) <= offers, judgement.need
        fits = [key for key, grade in judgement.grades.items() if grade == 2]
        assert bool(fits) is not judgement.unmatched, judgement.need
        assert 0 in judgement.grades.values() or not judgement.unmatched, judgement.need


def test_at_least_half_of_the_fits_cross_a_language_border() -> None:
    exchange = demo_exchange()
    language = {listing.key: listing.draft.language for listing in exchange.listings}
    pairs = [(j.need, key) for j in exchange.judgements for key, grade in j.grades.items() if grade == 2]
    assert sum(language[need] != language[offer] for need, offer in pairs) >= len(pairs) / 2


def test_thirty_needs_stand_in_vietnamese_and_english_and_both_versions_are_valid() -> None:
    exchange = demo_exchange()
    by_key = {listing.key: listing.draft for listing in exchange.listings}
    parallel = [judgement for judgement in exchange.judgements if judgement.parallel]
    assert len(parallel) == 30
    for judgement in parallel:
        assert {judgement.parallel["language"], by_key[judgement.need].language} == {"vi", "en"}
        fields = {name: text for name, text in judgement.parallel.items() if name in FIELD_BY_NAME}
        checked_draft(Kind.NEED, fields, language=judgement.parallel["language"], country="VN")


def test_ten_needs_have_nothing_that_fits() -> None:
    assert sum(judgement.unmatched for judgement in demo_exchange().judgements) == 10


def test_loading_twice_changes_nothing_and_everything_is_marked_illustrative(
    each_database: Database, context: Context
) -> None:
    first = demo.load(each_database, context)
    with each_database.reading() as session:
        before = changes.last(session)
    second = demo.load(each_database, context)
    assert (first.created, second.unchanged) == (len(demo_exchange().listings),) * 2
    with each_database.reading() as session:
        assert changes.last(session) == before
        assert session.scalar(select(func.count()).select_from(Listing).where(~Listing.illustrative)) == 0
        assert session.scalar(select(func.count()).select_from(Organisation).where(~Organisation.illustrative)) == 0


def test_removing_the_demo_leaves_real_listings_alone(each_database: Database, context: Context) -> None:
    demo.load(each_database, context)
    with each_database.transaction() as session:
        session.scalars(select(Listing).limit(1)).unique().one().illustrative = False
    assert demo.remove(each_database, context) == len(demo_exchange().listings) - 1
    with each_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Listing)) == 1
        assert session.scalar(select(func.count()).select_from(Organisation)) == 1
