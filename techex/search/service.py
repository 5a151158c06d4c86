"""Search's public face: the index of a process, and the verbs that look after it."""

from __future__ import annotations

import hashlib
import logging
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.database import Database
from techex.embedding.cards import ModelCard, load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.errors import TechexError
from techex.search import pending, queries
from techex.search.collection import Collection
from techex.search.dense import InvertedIndex
from techex.search.partitions import Partition
from techex.search.pending import Progress
from techex.search.segments import PASSAGES_A_LISTING, short_digest
from techex.search.snapshots import SnapshotFolder
from techex.search.sync import Follower, Snapshots, Space
from techex.settings import Settings

# A stored vector may differ from unit length by what float16 rounds off, and is zero for an empty text.
UNIT_TOLERANCE = 0.01

_log = logging.getLogger(__name__)


class SearchIndex:
    """The index of one process for the card in use. Cheap to make; the first call to `collection` loads it.

    With an `encoder`, listings that lack vectors are embedded in the background when changes arrive; until then they
    are found by their words.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encoder: Callable[[], Encoder] | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        self.card = load_card(settings.card)
        self._settings, self._database, self._encoder = settings, database, encoder
        self._follower = Follower(database, _space(self.card), snapshots or _snapshots(settings, self.card))
        self._lock = threading.Lock()  # held for moments, to agree on who embeds
        self._wanted = self._embedded = -1  # versions of the collection
        self._embedder: threading.Thread | None = None
        self._thorough = True  # look for what was left over: once at the start, and after each failure

    def collection(self) -> Collection:
        """The collection with every change committed before this call; what it returns never changes."""
        collection = self._follower.current()
        if self._encoder:
            self._want(collection.version, self._encoder)
        return collection

    def known(self) -> Collection | None:
        """The collection as it is, without asking the database; None before the first search."""
        return self._follower.known()

    def settle(self) -> None:
        """Wait until nothing runs in the background."""
        if self._embedder is not None:
            self._embedder.join()
        self._follower.settle()

    def _want(self, version: int, encoder: Callable[[], Encoder]) -> None:
        with self._lock:
            self._wanted = version
            if self._embedder is None and self._embedded != version:
                self._embedder = threading.Thread(target=self._embed, args=(encoder,), name="techex-embed", daemon=True)
                self._embedder.start()

    def _embed(self, encoder: Callable[[], Encoder]) -> None:
        while True:
            with self._lock:
                version = self._wanted
                if self._embedded == version:
                    self._embedder = None
                    return
            try:
                pending.embed(self._database, self.card, encoder, thorough=self._thorough)
                self._thorough = False
            except TechexError as error:
                self._thorough = True
                _log.warning("New listings are found by keywords only: %s", error)
            except Exception:
                self._thorough = True
                _log.exception("New listings are found by keywords only: embedding them failed")
            self._embedded = version


@dataclass(frozen=True)
class PartitionStatus:
    """One partition: what is in it, and how it is searched."""

    visibility: str
    kind: str
    listings: int
    without_vectors: int  # found by keywords only
    passages: int
    search: str  # "exact" or "inverted lists"
    bytes: int


@dataclass(frozen=True)
class Status:
    """The index as a process that starts now has it."""

    card: str
    card_key: str
    change: int
    last_change: int
    centring: str
    listings: int
    passages: int
    without_vectors: int
    bytes_per_passage: int
    snapshot: str  # its path; empty where there is none
    partitions: tuple[PartitionStatus, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Verification:
    """What was compared, and a sentence for each thing that is not as it should be."""

    listings: int
    passages: int
    problems: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def embed_pending(settings: Settings, database: Database, progress: Progress | None = None) -> int:
    """Give published listings the passages and vectors they lack; returns how many texts were embedded.

    May be interrupted and run again: nothing is computed twice. Raises ModelNotPrepared if a vector is missing and
    the model is not there.
    """
    card = load_card(settings.card)

    def encoder() -> Encoder:
        return load_encoder(card, settings.models_dir, engine=settings.engine or None, threads=settings.threads)

    return pending.embed(database, card, encoder, progress)


def status(settings: Settings, database: Database) -> Status:
    """Load the index as a starting process does, and say what is in it."""
    card = load_card(settings.card)
    return _status(settings, database, card, _follower(settings, database, card).current())


def rebuild(settings: Settings, database: Database) -> Status:
    """Learn the means from all vectors, build the index from the database and keep a snapshot if it is large."""
    card = load_card(settings.card)
    pending.learn(database, card)
    return _status(settings, database, card, _follower(settings, database, card).rebuild())


def verify(settings: Settings, database: Database, progress: Progress | None = None) -> Verification:
    """Compare the index with the database, and the database with itself.

    Every text is hashed again, every vector is looked at, and the listings and passages of the index that a starting
    process has (from its snapshot, if there is one) are compared by id and digest.
    """
    card = load_card(settings.card)
    collection = _follower(settings, database, card).current()
    with database.reading() as session:
        total = queries.searchable_count(session)
        texts, problems = _texts(session, total, progress)
        vectors, more = _vectors(session, card)
        places = queries.places(session)
    problems += more
    indexed = {listing: key for key, partition in collection.partitions.items() for listing in partition.ids().tolist()}
    for listing in sorted(places.keys() | indexed.keys()):
        if places.get(listing) != indexed.get(listing):
            problems.append(
                f"Listing {listing} is {_place(places.get(listing))} in the database and "
                f"{_place(indexed.get(listing))} in the index."
            )
    wanted = {passage: digest for passage, digest in texts.items() if passage in vectors}
    held = {passage: digest for part in collection.partitions.values() for passage, digest in part.digests().items()}
    for passage in sorted(wanted.keys() | held.keys()):
        if wanted.get(passage) != held.get(passage):
            listing, position = divmod(passage, PASSAGES_A_LISTING)
            what = "is missing from" if passage not in held else "has an old text in"
            what = what if passage in wanted else "is still in"
            problems.append(f"Passage {position} of listing {listing} {what} the index.")
    return Verification(len(indexed), len(held), tuple(problems))


def _texts(session: Session, total: int, progress: Progress | None) -> tuple[dict[int, int], list[str]]:
    """Passage id -> short digest of its text, and what is wrong with texts."""
    digests: dict[int, int] = {}
    problems, seen, before = [], 0, -1
    for listing, position, text, stored in queries.passage_texts(session):
        digest = hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8")).hexdigest()
        if digest != stored:
            problems.append(f"Passage {position} of listing {listing} is not the text its digest names.")
        digests[listing * PASSAGES_A_LISTING + position] = short_digest(stored)
        if listing != before:
            seen, before = seen + 1, listing
            if progress:
                progress(seen, total)
    return digests, problems


def _vectors(session: Session, card: ModelCard) -> tuple[set[int], list[str]]:
    """Passages with a usable vector, and what is wrong with vectors. A missing one is no fault: it is on its way."""
    usable: set[int] = set()
    problems = []
    for listing, position, stored in queries.stored_vectors(session, card.key):
        if stored is None:
            continue
        vector = np.frombuffer(stored, "<f2").astype(np.float32) if len(stored) % 2 == 0 else np.empty(0, np.float32)
        length = float(np.linalg.norm(vector))
        if len(vector) != card.dimension or not abs(length - 1) <= UNIT_TOLERANCE:
            if len(vector) != card.dimension or length != 0:
                problems.append(f"The vector of passage {position} of listing {listing} is damaged.")
            continue
        usable.add(listing * PASSAGES_A_LISTING + position)
    return usable, problems


def _place(key: tuple[str, str] | None) -> str:
    return f"a {key[1]} of the class {key[0]}" if key else "absent"


def _status(settings: Settings, database: Database, card: ModelCard, collection: Collection) -> Status:
    partitions = tuple(_partition_status(*key, part) for key, part in collection.partitions.items() if len(part))
    passages = sum(part.passages for part in partitions)
    snapshot = _snapshots(settings, card).path
    with database.reading() as session:
        last = changes.last(session)
    return Status(
        card=card.name,
        card_key=card.key,
        change=collection.version,
        last_change=last,
        centring=collection.centring.version,
        listings=sum(part.listings for part in partitions),
        passages=passages,
        without_vectors=sum(part.without_vectors for part in partitions),
        bytes_per_passage=round(collection.resident_bytes / passages) if passages else 0,
        snapshot=str(snapshot) if snapshot.is_file() else "",
        partitions=partitions,
    )


def _partition_status(visibility: str, kind: str, partition: Partition) -> PartitionStatus:
    inverted = isinstance(partition.segments[0].index, InvertedIndex)
    return PartitionStatus(
        visibility=str(visibility),
        kind=str(kind),
        listings=len(partition),
        without_vectors=len(partition) - len(partition.ids_with_vectors()),
        passages=partition.passage_count,
        search="inverted lists" if inverted else "exact",
        bytes=partition.resident_bytes,
    )


def _space(card: ModelCard) -> Space:
    return Space(card.key, card.dimension, lambda session: pending.stored_centring(session, card))


def _snapshots(settings: Settings, card: ModelCard) -> SnapshotFolder:
    return SnapshotFolder(settings.indexes_dir, card.name, card.key, card.dimension, settings.snapshot_from)


def _follower(settings: Settings, database: Database, card: ModelCard) -> Follower:
    return Follower(database, _space(card), _snapshots(settings, card))
