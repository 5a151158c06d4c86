"""From a published listing to an index that finds it by its meaning, and the checks of that index."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update

from techex.core.database import Database
from techex.embedding.cards import load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.embedding.tables import EmbeddingVector, PassageRow
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.search import commands, queries, service
from techex.search.service import SearchIndex
from techex.settings import Settings

from .conftest import Publish

OFFERS = (Visibility.PUBLIC, Kind.OFFER)


@pytest.fixture
def encoder(settings: Settings) -> Encoder:
    return load_encoder(load_card("hashing"), settings.models_dir)


def nearest(index: SearchIndex, encoder: Encoder, text: str) -> list[int]:
    """Ids of public offers, those nearest to a text first."""
    collection = index.collection()
    query = collection.centring.apply(encoder.encode([text], "search"), "en", "search", "short")
    return collection.partitions[OFFERS].dense(query, 10)[0].tolist()


def test_a_published_result_is_found_by_what_it_says(
    settings: Settings, database: Database, publish: Publish, encoder: Encoder
) -> None:
    biogas = publish(database, "Biogas", "Anaerobic digestion of pig manure into methane.")
    publish(database, "Welding", "Laser welding of thin steel sheets.")
    index = SearchIndex(settings, database)
    assert nearest(index, encoder, "methane from pig manure") == []
    assert service.embed_pending(settings, database) > 0
    assert nearest(index, encoder, "methane from pig manure")[0] == biogas


def test_embedding_again_does_nothing(settings: Settings, database: Database, publish: Publish) -> None:
    publish(database, "Biogas")
    service.embed_pending(settings, database)
    before = service.status(settings, database)
    assert service.embed_pending(settings, database) == 0
    assert service.status(settings, database) == before
    assert before.without_vectors == 0


def test_an_edit_embeds_what_it_changed_and_no_more(
    settings: Settings, database: Database, publish: Publish, edit: Callable[..., None], encoder: Encoder
) -> None:
    number = publish(database, "Biogas", "Digestion of manure.")
    first = service.embed_pending(settings, database)
    edit(database, number, "Biogas", "Sorting of optical fibres.")
    again = service.embed_pending(settings, database)
    assert 0 < again < first
    index = SearchIndex(settings, database)
    assert nearest(index, encoder, "optical fibres") == [number]
    assert service.verify(settings, database).is_sound


def test_figures_are_read_once_and_again_when_the_text_changes(
    settings: Settings, database: Database, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = publish(database, "Dryer", "Dries 40 kg an hour at 65 °C.")
    service.embed_pending(settings, database)
    with monkeypatch.context() as reading:
        reading.setattr(queries, "_read_figures", None)  # nothing is read: the index takes what is stored
        rows, _ = SearchIndex(settings, database).collection().partitions[OFFERS].figures(np.array([number]))
    assert sorted(rows["low"].tolist())[1:] == [65]
    with database.transaction() as session:
        session.execute(update(Listing).where(Listing.id == number).values(summary="Dries at 85 °C."))
    rows, _ = SearchIndex(settings, database).collection().partitions[OFFERS].figures(np.array([number]))
    assert sorted(rows["low"].tolist())[1:] == [65, 85]


def test_a_worker_with_a_model_embeds_new_listings_by_itself(
    settings: Settings, database: Database, publish: Publish, encoder: Encoder
) -> None:
    index = SearchIndex(settings, database, lambda: encoder)
    index.collection()
    biogas = publish(database, "Biogas", "Methane from manure.")
    assert biogas in index.collection().partitions[OFFERS].ids()
    index.settle()
    assert nearest(index, encoder, "methane manure") == [biogas]


def test_a_worker_without_its_model_finds_by_keywords_and_says_why(
    settings: Settings, database: Database, publish: Publish, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    without = Settings(
        **settings.model_dump() | {"card": "multilingual-e5-small", "engine": "", "models_dir": tmp_path}
    )

    def encoder() -> Encoder:
        return load_encoder(load_card(without.card), without.models_dir)

    biogas = publish(database, "Biogas")
    index = SearchIndex(without, database, encoder)
    partition = index.collection().partitions[OFFERS]
    index.settle()
    assert partition.ids().tolist() == [biogas]
    assert "models prepare" in caplog.text


def test_status_says_what_waits_for_vectors(settings: Settings, database: Database, publish: Publish) -> None:
    publish(database, "Biogas")
    assert service.status(settings, database).without_vectors == 1
    service.embed_pending(settings, database)
    found = service.status(settings, database)
    assert (found.listings, found.without_vectors) == (1, 0)
    assert found.passages > 0
    assert found.change == found.last_change


def test_a_restart_from_a_snapshot_catches_up(
    settings: Settings, database: Database, publish: Publish, withdraw: Callable[[Database, int], None]
) -> None:
    settings = Settings(**settings.model_dump() | {"snapshot_from": 0})
    first, second = publish(database, "Biogas"), publish(database, "Welding")
    service.embed_pending(settings, database)
    assert Path(service.rebuild(settings, database).snapshot).is_file()
    withdraw(database, first)
    third = publish(database, "Casting")
    partition = SearchIndex(settings, database).collection().partitions[OFFERS]
    assert partition.ids().tolist() == [second, third]
    assert service.verify(settings, database).is_sound


def test_verify_is_content_with_a_sound_index(settings: Settings, database: Database, publish: Publish) -> None:
    for title in ("Biogas", "Welding", "Casting"):
        publish(database, title)
    service.embed_pending(settings, database)
    found = service.verify(settings, database)
    assert found.problems == ()
    assert found.listings == 3


def test_verify_finds_damaged_texts_and_vectors(settings: Settings, database: Database, publish: Publish) -> None:
    publish(database, "Biogas")
    service.embed_pending(settings, database)
    damaged = (np.ones(384) * 3).astype("<f2").tobytes()
    with database.transaction() as session:
        session.execute(update(PassageRow).where(PassageRow.position == 0).values(text="something else"))
        digest = session.query(PassageRow.digest).where(PassageRow.position == 1).scalar()
        session.execute(update(EmbeddingVector).where(EmbeddingVector.digest == digest).values(vector=damaged))
    problems = " ".join(service.verify(settings, database).problems)
    assert "Passage 0 of listing 1 is not the text its digest names." in problems
    assert "The vector of passage 1 of listing 1 is damaged." in problems


def test_verify_finds_a_change_that_was_not_recorded(settings: Settings, database: Database, publish: Publish) -> None:
    settings = Settings(**settings.model_dump() | {"snapshot_from": 0})
    publish(database, "Biogas")
    service.embed_pending(settings, database)
    service.rebuild(settings, database)
    with database.transaction() as session:
        session.execute(delete(PassageRow).where(PassageRow.position == 1))
    assert "Passage 1 of listing 1 is still in the index." in service.verify(settings, database).problems


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run `techex index` with arguments; returns what it prints."""
    monkeypatch.setenv("TECHEX_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TECHEX_INDEXES_DIR", str(settings.indexes_dir))
    monkeypatch.setenv("TECHEX_CARD", "hashing")
    monkeypatch.setenv("TECHEX_ENGINE", "hashing")

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.index, arguments)
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def test_the_commands_speak_json_and_sentences(database: Database, publish: Publish, run: Callable[..., str]) -> None:
    publish(database, "Biogas")
    assert json.loads(run("status", "--json"))["without_vectors"] == 1
    assert "found by keywords only" in run("status")
    assert json.loads(run("rebuild", "--json"))["without_vectors"] == 0
    assert "1 listings" in run("rebuild")
    assert json.loads(run("verify", "--json"))["sound"] is True
    assert "Sound" in run("verify")


def test_verify_exits_with_one_when_something_is_wrong(
    database: Database, publish: Publish, run: Callable[..., str]
) -> None:
    publish(database, "Biogas")
    run("rebuild", "--json")
    with database.transaction() as session:
        session.execute(update(PassageRow).where(PassageRow.position == 0).values(text="something else"))
    assert "techex index rebuild" in run("verify", code=1)
    assert json.loads(run("verify", "--json", code=1))["sound"] is False
