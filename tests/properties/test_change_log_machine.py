"""Whatever is published, edited, hidden and withdrawn by whichever worker, every worker has what the database has."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import delete

from techex.core import changes
from techex.core.changes import Change
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.listings import service as listings
from techex.listings.rules import Kind, ListingDraft, State, Visibility
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation
from techex.search import sync
from techex.search.collection import Collection, Raw
from techex.search.sync import Follower, Space

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CONTEXT = Context(COMMAND_LINE, NOW)
SPACE = Space("made", 8, lambda session: Raw())
WORKERS = st.integers(0, 2)
SAID = ("xaa", "xbb", "xcc")
WORDS = st.sampled_from(SAID)
CLASSES = st.sampled_from(list(Visibility))


def content(collection: Collection) -> dict[int, tuple[Visibility, Kind, frozenset[str]]]:
    """Listing -> its class, kind and which of the words it is found by."""
    found = {}
    for (visibility, kind), partition in collection.partitions.items():
        words = {word: set(partition.keywords({word: 1.0}).top(1_000)[0].tolist()) for word in SAID}
        for number in partition.ids().tolist():
            said = frozenset(word for word, holders in words.items() if number in holders)
            found[number] = (visibility, kind, said)
    return found


class ChangeLogMachine(RuleBasedStateMachine):
    """Three workers with one database; a search happens in any of them at any time."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "techex.db")
        self.database = Database(f"sqlite:///{self.folder / 'techex.db'}")
        self.workers = [Follower(self.database, SPACE) for _ in range(3)]
        self.shown: dict[int, tuple[Visibility, Kind, frozenset[str]]] = {}
        self.numbers: list[int] = []

    @initialize()
    def somebody_is_there(self) -> None:
        with self.database.transaction() as session:
            session.add(Organisation(id=1, slug="one", kind="enterprise", name="One", country="VN", created_at=NOW))

    def draft(self, kind: Kind, word: str, visibility: Visibility) -> ListingDraft:
        return ListingDraft(kind, "xx", {"title": word, "summary": "result"}, visibility=visibility)

    @rule(kind=st.sampled_from(list(Kind)), word=WORDS, visibility=CLASSES, live=st.booleans())
    def post(self, kind: Kind, word: str, visibility: Visibility, live: bool) -> None:
        with self.database.transaction() as session:
            organisation = session.get(Organisation, 1)
            assert organisation is not None
            listing = listings.post(session, CONTEXT, organisation, self.draft(kind, word, visibility))
            if live:
                listings.publish(session, CONTEXT, listing)
            number = listing.id
        self.numbers.append(number)
        if live:
            self.shown[number] = (visibility, kind, frozenset({word}))

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), word=WORDS, visibility=CLASSES)
    def edit(self, data: st.DataObject, word: str, visibility: Visibility) -> None:
        number = data.draw(st.sampled_from(self.numbers))
        with self.database.transaction() as session:
            listing = session.get(Listing, number)
            assert listing is not None
            listings.edit(session, CONTEXT, listing, self.draft(Kind(listing.kind), word, visibility))
        if number in self.shown:
            self.shown[number] = (visibility, self.shown[number][1], frozenset({word}))

    @precondition(lambda self: self.numbers)
    @rule(data=st.data())
    def publish_or_withdraw(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.numbers))
        with self.database.transaction() as session:
            listing = session.get(Listing, number)
            assert listing is not None
            if listing.state == State.PUBLISHED:
                listings.withdraw(session, CONTEXT, listing)
                del self.shown[number]
            else:
                listings.publish(session, CONTEXT, listing)
                self.shown[number] = (Visibility(listing.visibility), Kind(listing.kind), frozenset({listing.title}))

    @rule()
    def fail_half_way(self) -> None:
        def attempt() -> None:
            with self.database.transaction() as session:
                organisation = session.get(Organisation, 1)
                assert organisation is not None
                listing = listings.post(session, CONTEXT, organisation, self.draft(Kind.NEED, "xaa", Visibility.PUBLIC))
                listings.publish(session, CONTEXT, listing)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            attempt()

    @rule(worker=WORKERS)
    def search(self, worker: int) -> None:
        assert content(self.workers[worker].current()) == self.shown

    @rule(worker=WORKERS)
    def restart(self, worker: int) -> None:
        self.workers[worker] = Follower(self.database, SPACE)

    @rule(keep=st.integers(0, 5))
    def prune_the_log(self, keep: int) -> None:
        with self.database.transaction() as session:
            session.execute(delete(Change).where(Change.seq <= changes.last(session) - keep))

    @rule(worker=WORKERS)
    def rebuild(self, worker: int) -> None:
        assert content(self.workers[worker].rebuild()) == self.shown

    @invariant()
    def numbers_have_no_gap(self) -> None:
        with self.database.reading() as session:
            kept = [change.seq for change in changes.since(session, 0)]
            last = changes.last(session)
        assert kept == list(range(last - len(kept) + 1, last + 1))

    def teardown(self) -> None:
        for worker in self.workers:
            assert content(worker.current()) == self.shown
            worker.settle()
            assert content(worker.current()) == self.shown
        self.database.close()
        shutil.rmtree(self.folder)


class TestChangeLog(ChangeLogMachine.TestCase):
    settings = settings(max_examples=20, stateful_step_count=15, deadline=None)

    @pytest.fixture(autouse=True)
    def _small(self, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ChangeLogMachine, "template", migrated, raising=False)
        monkeypatch.setattr(sync, "REBUILD_LEAST", 4)
        monkeypatch.setattr("techex.search.partitions.MERGE_AT", 3)
