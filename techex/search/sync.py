"""Keep a collection in step with the database: one number is compared before each search, the rest follows it.

The change log has one sequence in commit order. A follower knows the number of the last change it contains, asks for
the last number there is, and takes over what lies between. It never looks at clocks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.changes import Change
from techex.core.database import Database
from techex.errors import SnapshotDoesNotFit
from techex.search import queries
from techex.search.collection import Centring, Collection, Item

# Changes of these subjects concern the index; all others only move its number on.
LISTING, ORGANISATION, CENTRING = "listing", "organisation", "centring"

# Beyond this share of the collection it is quicker to read everything anew than to follow change by change.
REBUILD_SHARE = 0.2
REBUILD_LEAST = 1_000
# While one thread catches up, others wait so long for it and then search what there is.
PATIENCE_S = 1.0

_log = logging.getLogger(__name__)


class Snapshots(Protocol):
    """Where collections are kept between starts."""

    def load(self, centring: Centring) -> Collection | None:
        """The kept collection; None if there is none. Raises SnapshotDoesNotFit with the reason."""

    def save(self, collection: Collection) -> Collection:
        """Keep it if it is large enough; returns it, its vectors mapped from the file where that saves memory."""


class NoSnapshots:
    """Nothing is kept: every start reads the database."""

    def load(self, centring: Centring) -> Collection | None:
        """Nothing."""
        return None

    def save(self, collection: Collection) -> Collection:
        """The collection as it is."""
        return collection


@dataclass(frozen=True)
class Space:
    """The vector space a follower serves, and how the means it is centred with are found."""

    card_key: str
    dimension: int
    centring: Callable[[Session], Centring]


@dataclass(frozen=True)
class _Step:
    """One catching up, kept so that it can be repeated on a collection that was merged meanwhile."""

    removed: Sequence[int]
    items: Sequence[Item]
    version: int


class Follower:
    """The current collection of one process. Safe to use from any number of threads."""

    def __init__(self, database: Database, space: Space, snapshots: Snapshots | None = None) -> None:
        self._database, self._space = database, space
        self._snapshots = snapshots or NoSnapshots()
        self._collection: Collection | None = None
        self._lock = threading.Lock()  # held by whoever makes the next collection; readers never take it
        self._merger: threading.Thread | None = None
        self._journal: list[_Step] = []  # steps taken since the running merge began

    def current(self) -> Collection:
        """The collection with every change committed before this call (one SELECT when there was none).

        A thread that finds another one catching up waits PATIENCE_S for it at most, then takes what there is.
        """
        with self._database.reading() as session:
            last = changes.last(session)
        collection = self._collection
        if collection is not None and collection.version == last:
            return collection
        if self._lock.acquire(timeout=-1 if collection is None else PATIENCE_S):
            try:
                self._catch_up()
            finally:
                self._lock.release()
        assert self._collection is not None  # noqa: S101 - without one, the lock was waited for and filled it
        return self._collection

    def known(self) -> Collection | None:
        """The collection as it is, without asking the database; None before the first search."""
        return self._collection

    def rebuild(self) -> Collection:
        """Read everything anew, keep a snapshot if the collection is large, and exchange the whole."""
        with self._lock:
            with self._database.reading() as session:
                self._replace(self._read(session))
            assert self._collection is not None  # noqa: S101 - set by _replace
            return self._collection

    def settle(self) -> None:
        """Wait until no merge is running."""
        merger = self._merger
        if merger is not None:
            merger.join()

    def _catch_up(self) -> None:
        with self._database.reading() as session:
            collection = self._collection or self._restored(session)
            if collection is None:
                self._replace(self._read(session))
                return
            if self._collection is None:
                self._replace(collection, keep=False)
            self._follow(session, collection)
        self._merge_if_wanted()

    def _restored(self, session: Session) -> Collection | None:
        try:
            return self._snapshots.load(self._space.centring(session))
        except SnapshotDoesNotFit as refusal:
            _log.warning("%s", refusal)
            return None

    def _follow(self, session: Session, collection: Collection) -> None:
        last = changes.last(session)  # before the rows: they may be newer than the number, never older
        if last == collection.version:
            return
        if last < collection.version or pruned(session, collection.version):
            _log.info("Index at change %d cannot follow the log to %d; reading all anew", collection.version, last)
            self._replace(self._read(session))
            return
        log = list(changes.since(session, collection.version))
        ids = _concerned(session, log)
        if ids is None or len(ids) > REBUILD_LEAST + REBUILD_SHARE * collection.listing_count:
            self._replace(self._read(session))
            return
        items = list(queries.items(session, self._space.card_key, self._space.dimension, ids))
        step = _Step(sorted(ids - {item.entry.listing_id for item in items}), items, log[-1].seq if log else last)
        self._collection = _taken(collection, step)
        if self._merger is not None:
            self._journal.append(step)
        self._follow(session, self._collection)  # the log is read in portions

    def _read(self, session: Session) -> Collection:
        last = changes.last(session)
        space = self._space
        items = queries.items(session, space.card_key, space.dimension)
        return Collection.build(
            items, card_key=space.card_key, dimension=space.dimension, centring=space.centring(session), version=last
        )

    def _replace(self, collection: Collection, keep: bool = True) -> None:
        self._merger = None  # a merge of what is replaced finds that out at its end
        self._journal = []
        self._collection = self._snapshots.save(collection) if keep else collection

    def _merge_if_wanted(self) -> None:
        collection = self._collection
        if collection is None or self._merger is not None:
            return
        if any(partition.wants_merging for partition in collection.partitions.values()):
            self._journal = []
            self._merger = threading.Thread(target=self._merge, args=(collection,), name="techex-merge", daemon=True)
            self._merger.start()

    def _merge(self, start: Collection) -> None:
        merged = {
            key: partition.merged() if partition.wants_merging else partition
            for key, partition in start.partitions.items()
        }
        with self._lock:
            if self._merger is not threading.current_thread():
                return
            collection = replace(start, partitions=merged)
            for step in self._journal:
                collection = _taken(collection, step)
            self._collection = collection
            self._merger = None


def _taken(collection: Collection, step: _Step) -> Collection:
    return collection.changed(step.removed, step.items, step.version)


def pruned(session: Session, version: int) -> bool:
    """True when the change after `version` is no longer in the log."""
    oldest = changes.oldest(session)
    return oldest == 0 or oldest > version + 1


def _concerned(session: Session, log: Sequence[Change]) -> set[int] | None:
    """The listings that changes concern; None when everything has to be read anew."""
    if any(change.subject == CENTRING for change in log):
        return None
    ids = {change.subject_id for change in log if change.subject == LISTING}
    organisations = {change.subject_id for change in log if change.subject == ORGANISATION}
    if organisations:
        ids.update(queries.listings_of(session, organisations))
    return ids
