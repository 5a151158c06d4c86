"""Snapshots give the same answers after a restart, and are refused, with the reason, when anything differs."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from techex.errors import SnapshotDoesNotFit
from techex.listings.rules import Kind, Visibility
from techex.search import dense, snapshots
from techex.search.collection import Collection, Raw
from techex.search.snapshots import SnapshotFolder, read, write

from .listings import DIMENSION, collection_of, made, unit


class OtherMeans(Raw):
    """Means with another name."""

    version = "other"


@pytest.fixture(params=["exact", "inverted"])
def collection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Collection:
    if request.param == "inverted":
        monkeypatch.setattr(dense, "EXACT_UP_TO", 100)
    items = [made(number) for number in range(1, 200)] + [
        made(number, visibility=Visibility.MEMBERS, kind=Kind.NEED) for number in range(200, 220)
    ]
    return collection_of(items).changed([4], [made(7, seed=1), made(300)], version=42)


def kept(path: Path) -> Collection:
    return read(path, card_key="made", dimension=DIMENSION, centring=Raw())


def test_a_restart_gives_the_same_answers(collection: Collection, tmp_path: Path) -> None:
    path = tmp_path / "made.index"
    write(path, collection)
    again = kept(path)
    assert again.version == 42
    query = unit(np.ones((2, DIMENSION)))
    for key, partition in collection.partitions.items():
        other = again.partitions[key]
        assert other.digests() == partition.digests()
        assert other.sample(20).tolist() == partition.sample(20).tolist()
        np.testing.assert_array_equal(other.dense(query, 10)[0], partition.merged().dense(query, 10)[0])
        for a, b in zip(*(p.keywords({"rice": 1.0, "pump": 2.0}).top(50) for p in (other, partition)), strict=True):
            np.testing.assert_allclose(a, b)
        assert [other.facts(number) for number in other.ids()] == [partition.facts(number) for number in other.ids()]
        for a, b in zip(*(p.figures(other.ids()) for p in (other, partition)), strict=True):
            assert a.tolist() == b.tolist()


def test_a_restored_collection_goes_on_changing(collection: Collection, tmp_path: Path) -> None:
    path = tmp_path / "made.index"
    write(path, collection)
    again = kept(path).changed([5], [made(400, words={"newword": 1})], version=43)
    partition = again.partitions[Visibility.PUBLIC, Kind.OFFER].merged()
    assert partition.keywords({"newword": 1.0}).top(5)[0].tolist() == [400]
    assert 5 not in partition.ids()


def test_vectors_of_a_restored_collection_stay_in_the_file(collection: Collection, tmp_path: Path) -> None:
    path = tmp_path / "made.index"
    write(path, collection)
    index = kept(path).partitions[Visibility.PUBLIC, Kind.OFFER].segments[0].index
    if isinstance(index, dense.InvertedIndex):
        assert isinstance(index.halves(), np.memmap)
        in_memory = collection.partitions[Visibility.PUBLIC, Kind.OFFER].segments[0].index
        assert index.resident_bytes < in_memory.resident_bytes


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.02, 0.5, 0.999])
def test_a_file_cut_short_is_refused(collection: Collection, tmp_path: Path, share: float) -> None:
    path = tmp_path / "made.index"
    write(path, collection)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SnapshotDoesNotFit, match=r"only its beginning|damaged"):
        kept(path)


@pytest.mark.parametrize("place", [0, 9, 20, 60, 0.3, 0.6, 0.95])
def test_a_file_with_one_wrong_bit_is_refused(collection: Collection, tmp_path: Path, place: float) -> None:
    path = tmp_path / "made.index"
    write(path, collection)
    content = bytearray(path.read_bytes())
    content[int(place if place >= 1 or place == 0 else place * len(content))] ^= 4
    path.write_bytes(content)
    with pytest.raises(SnapshotDoesNotFit):
        kept(path)


def test_another_model_other_means_or_other_words_are_refused_by_name(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "made.index"
    write(path, collection)
    with pytest.raises(SnapshotDoesNotFit, match="for the model made, this exchange needs other"):
        read(path, card_key="other", dimension=DIMENSION, centring=Raw())
    with pytest.raises(SnapshotDoesNotFit, match="with the means raw, this exchange needs other"):
        read(path, card_key="made", dimension=DIMENSION, centring=OtherMeans())
    monkeypatch.setattr(snapshots, "ANALYSIS_VERSION", "other words")
    with pytest.raises(SnapshotDoesNotFit, match="analysis of words"):
        kept(path)


def test_small_collections_are_not_kept(collection: Collection, tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "indexes", "made", "made", DIMENSION, least=10_000)
    assert folder.save(collection) is collection
    assert folder.load(Raw()) is None


def test_a_full_disk_is_logged_and_the_index_goes_on(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = SnapshotFolder(tmp_path, "made", "made", DIMENSION, least=0)
    folder.save(collection)
    before = folder.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with caplog.at_level(logging.WARNING):
        assert folder.save(collection) is collection
    assert "No space left" in caplog.text
    assert folder.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["made.index"]
