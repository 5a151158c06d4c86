"""A collection follows the database: what one worker publishes, every other finds with its next search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, event

from techex.core import changes
from techex.core.changes import Change
from techex.core.context import Context
from techex.core.database import Database
from techex.embedding.service import passages_of_listing
from techex.listings import content
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.search import sync
from techex.search.collection import Collection, Raw
from techex.search.facts import Filters
from techex.search.sync import Follower, Space

from .conftest import Publish, organisation

SPACE = Space("made", 8, lambda session: Raw())


@pytest.fixture
def database(each_database: Database) -> Database:
    return each_database


def found(collection: Collection, word: str, visibility: Visibility = Visibility.PUBLIC) -> list[int]:
    """Ids of the offers of one class that hold a word."""
    ids, _ = collection.partitions[visibility, Kind.OFFER].keywords({word: 1.0}).top(100)
    return sorted(ids.tolist())


def test_an_empty_exchange_can_be_searched(database: Database) -> None:
    assert found(Follower(database, SPACE).current(), "biogas") == []


def test_what_one_worker_publishes_the_next_search_in_another_finds(database: Database, publish: Publish) -> None:
    first, second = Follower(database, SPACE), Follower(database, SPACE)
    first.current(), second.current()
    biogas = publish(database, "Biogas")
    assert found(first.current(), "bioga") + found(first.current(), "biogas") == [biogas]
    assert first.current().version == second.current().version


def test_a_search_without_changes_costs_one_select(database: Database, publish: Publish) -> None:
    publish(database, "Biogas")
    follower = Follower(database, SPACE)
    collection = follower.current()
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]), named=False
    )
    assert follower.current() is collection
    assert len([text for text in statements if text.upper().startswith("SELECT")]) == 1


def test_an_edited_listing_is_found_by_its_new_words_only(
    database: Database, publish: Publish, edit: Callable[..., None]
) -> None:
    number = publish(database, "Biogas", "zeolite")
    follower = Follower(database, SPACE)
    assert found(follower.current(), "zeolit") + found(follower.current(), "zeolite") == [number]
    edit(database, number, "Biogas", "magnets")
    assert found(follower.current(), "zeolit") + found(follower.current(), "zeolite") == []
    assert number in found(follower.current(), "magnet") + found(follower.current(), "magnets")


def test_a_withdrawn_listing_is_gone_with_the_next_search(
    database: Database, publish: Publish, withdraw: Callable[[Database, int], None]
) -> None:
    number, other = publish(database, "Biogas"), publish(database, "Drying")
    follower = Follower(database, SPACE)
    assert follower.current().listing_count == 2
    withdraw(database, number)
    assert follower.current().partitions[Visibility.PUBLIC, Kind.OFFER].ids().tolist() == [other]


def test_a_listing_made_confidential_leaves_the_public_index(
    database: Database, publish: Publish, edit: Callable[..., None]
) -> None:
    number = publish(database, "Biogas")
    follower = Follower(database, SPACE)
    follower.current()
    edit(database, number, "Biogas", visibility=Visibility.RESTRICTED)
    collection = follower.current()
    assert collection.partitions[Visibility.PUBLIC, Kind.OFFER].ids().tolist() == []
    assert collection.partitions[Visibility.RESTRICTED, Kind.OFFER].ids().tolist() == [number]


def test_a_change_of_an_organisation_reaches_the_filters_of_its_listings(
    database: Database, publish: Publish, context: Context
) -> None:
    number = publish(database, "Biogas")
    follower = Follower(database, SPACE)
    follower.current()
    with database.transaction() as session:
        organisation(session, context, kind="university")
    partition = follower.current().partitions[Visibility.PUBLIC, Kind.OFFER]
    allowed = partition.allowed(Filters(organisation_kinds=frozenset({"university"})))
    assert allowed is not None
    assert allowed.ids.tolist() == [number]


def test_a_follower_whose_changes_were_pruned_reads_everything_anew(
    database: Database, publish: Publish, withdraw: Callable[[Database, int], None]
) -> None:
    kept, gone = publish(database, "Biogas"), publish(database, "Drying")
    follower = Follower(database, SPACE)
    follower.current()
    withdraw(database, gone)
    added = publish(database, "Welding")
    with database.transaction() as session:
        session.execute(delete(Change))
    collection = follower.current()
    assert collection.partitions[Visibility.PUBLIC, Kind.OFFER].ids().tolist() == [kept, added]
    with database.reading() as session:
        assert collection.version == changes.last(session)


def test_a_database_restored_to_an_earlier_state_is_read_anew(database: Database, publish: Publish) -> None:
    publish(database, "Biogas")
    follower = Follower(database, SPACE)
    follower._collection = Collection.build([], card_key="made", dimension=8, version=10_000)
    assert follower.current().listing_count == 1


def test_many_changes_at_once_are_read_anew_and_few_are_followed(
    database: Database, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "REBUILD_LEAST", 3)
    for title in ("Biogas", "Drying", "Welding"):
        publish(database, title)
    follower = Follower(database, SPACE)
    tables = follower.current().tables
    publish(database, "Casting")
    assert follower.current().tables is tables
    for number in range(10):
        publish(database, f"Printing {number}")
    assert follower.current().tables is not tables
    assert follower.current().listing_count == 14


def test_a_collection_handed_out_never_changes(database: Database, publish: Publish) -> None:
    publish(database, "Biogas")
    follower = Follower(database, SPACE)
    before = follower.current()
    publish(database, "Drying")
    follower.current()
    assert before.listing_count == 1


def test_new_means_build_the_collection_anew(database: Database, publish: Publish, context: Context) -> None:
    publish(database, "Biogas")
    follower = Follower(database, SPACE)
    before = follower.current()
    with database.transaction() as session:
        changes.record(session, context, sync.CENTRING, 0, "learned")
    after = follower.current()
    assert after.tables is not before.tables
    assert after.version == before.version + 1


def test_changes_during_a_merge_are_not_lost(
    database: Database, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from techex.search.partitions import Partition

    started, go_on, merged = threading.Event(), threading.Event(), Partition.merged

    def slow(self: Partition) -> Partition:
        started.set()
        assert go_on.wait(10)
        return merged(self)

    monkeypatch.setattr("techex.search.partitions.MERGE_AT", 1)
    monkeypatch.setattr(Partition, "merged", slow)
    follower = Follower(database, SPACE)
    follower.current()
    numbers = [publish(database, "Biogas"), publish(database, "Drying")]
    follower.current()
    assert started.wait(10)
    numbers.append(publish(database, "Welding"))
    assert follower.current().partitions[Visibility.PUBLIC, Kind.OFFER].ids().tolist() == numbers
    go_on.set()
    follower.settle()
    collection = follower.known()
    assert collection is not None
    partition = collection.partitions[Visibility.PUBLIC, Kind.OFFER]
    assert partition.ids().tolist() == numbers
    assert partition.segments[0].ids.tolist() == numbers[:2]
    assert follower.current() is collection


def test_many_threads_searching_and_one_writing_agree_in_the_end(database: Database, publish: Publish) -> None:
    from concurrent.futures import ThreadPoolExecutor

    follower = Follower(database, SPACE)

    def search(_: int) -> int:
        return follower.current().listing_count

    with ThreadPoolExecutor(4) as pool:
        counts = []
        for number in range(8):
            publish(database, f"Printing {number}")
            counts.append(list(pool.map(search, range(4))))
    assert counts == [[number + 1] * 4 for number in range(8)]


def test_a_listing_is_found_by_the_words_of_its_further_languages(
    database: Database, context: Context, publish: Publish
) -> None:
    number = publish(database, "Biogas")
    with database.transaction() as session:
        listing = session.get_one(Listing, number)
        draft = replace(
            content.draft_of(listing, content.content_of(listing)),
            translations={
                "nl": {
                    "origin": "translation",
                    "values": {"title": "Vergisting van mest", "summary": "Een resultaat dat kan worden overgedragen."},
                }
            },
        )
        assert listings.edit(session, context, listing, draft)
        assert {passage.language for passage in passages_of_listing(listing)} == {"en", "nl"}
    follower = Follower(database, SPACE).current()
    assert found(follower, "mest") == [number]
