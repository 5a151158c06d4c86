"""Vectors are rows, computed once per text and card, on both databases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.database import Database
from techex.embedding import service
from techex.embedding.cards import Role, load_card
from techex.embedding.encoders import FloatArray, HashingEncoder, Progress
from techex.embedding.tables import EmbeddingVector, PassageRow
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation

CARD = load_card("hashing")


class CountingEncoder(HashingEncoder):
    """The hashing encoder, counting what it is asked; it can be told to fail after some texts."""

    def __init__(self, fails_after: int | None = None) -> None:
        super().__init__(CARD)
        self.asked: list[str] = []
        self.fails_after = fails_after

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> FloatArray:
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise KeyboardInterrupt
        self.asked += texts
        return super().encode(texts, role, progress)


def _post(session: Session, context: Context, *titles: str, problem: str = "Rau quả hỏng trong ba ngày.") -> list[int]:
    owner = session.scalar(select(Organisation).where(Organisation.name == "Hợp tác xã"))
    if owner is None:
        owner, _ = organisations.upsert(session, context, OrganisationDraft(name="Hợp tác xã", province="33"))
    ids = []
    for title in titles:
        values = {
            "title": title,
            "summary": "Cho một hợp tác xã ở miền núi, điện yếu và đường đi khó khăn.",
            "problem": problem,
        }
        draft = checked_draft(Kind.NEED, values, language="vi", country="VN", province="33")
        ids.append(listings.post(session, context, owner, draft).id)
    service.store_passages(session, [session.get_one(Listing, number) for number in ids])
    return ids


def _vectors(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(EmbeddingVector)) or 0


def test_each_passage_text_is_embedded_once(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        _post(session, context, "Cần kho lạnh", "Cần máy sấy")
    encoder = CountingEncoder()
    told: list[tuple[int, int]] = []
    # Two heads, one problem that both share, two wholes.
    assert service.embed_missing(each_database, encoder, progress=lambda done, of: told.append((done, of))) == 5
    assert sorted(set(encoder.asked)) == sorted(encoder.asked)
    assert told == [(5, 5)]
    assert service.embed_missing(each_database, encoder) == 0
    assert len(encoder.asked) == 5
    with each_database.reading() as session:
        assert service.counts(session, CARD) == (5, 5)


def test_what_was_embedded_before_an_interruption_is_kept(
    each_database: Database, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "TEXTS_A_COMMIT", 2)
    with each_database.transaction() as session:
        _post(session, context, "Cần kho lạnh", "Cần máy sấy")
    with pytest.raises(KeyboardInterrupt):
        service.embed_missing(each_database, CountingEncoder(fails_after=2))
    with each_database.reading() as session:
        assert service.counts(session, CARD) == (5, 2)
    second = CountingEncoder()
    assert service.embed_missing(each_database, second) == 3
    assert len(second.asked) == 3


def test_an_edit_recomputes_only_what_it_changed(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        (number,) = _post(session, context, "Cần kho lạnh")
    service.embed_missing(each_database, CountingEncoder())
    with each_database.transaction() as session:
        listing = session.get_one(Listing, number)
        assert service.store_passages(session, [listing]) == 0
        listing.title = "Cần kho lạnh mini"
        assert service.store_passages(session, [listing]) == 1
    encoder = CountingEncoder()
    service.embed_missing(each_database, encoder, [number])
    assert len(encoder.asked) == 2  # head and whole; the problem stands as it was
    assert all("mini" in text for text in encoder.asked)
    with each_database.transaction() as session:
        assert service.forget_unused(session, CARD) == 2
        assert _vectors(session) == 3


def test_a_text_that_shrinks_loses_its_passages(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        (number,) = _post(session, context, "Cần kho lạnh", problem="Rau quả hỏng trong ba ngày. " * 60)
        before = len(service.passages_for(session, [number])[number])
        listing = session.get_one(Listing, number)
        listing.body = {}
        service.store_passages(session, [listing])
        rows = service.passages_for(session, [number])[number]
    assert before > 4
    assert [(row.position, row.field) for row in rows] == [(0, "title_summary")]


def test_stored_vectors_come_back_in_order_with_their_passages(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        first, second = _post(session, context, "Cần kho lạnh", "Cần máy sấy")
    encoder = CountingEncoder()
    service.embed_missing(each_database, encoder, [first])
    with each_database.reading() as session:
        stored = service.load_passages(session, CARD)
        rows = service.passages_for(session, [first])[first]
        assert stored.incomplete == {second}
        # The shared problem of the second listing is known already: it is there, but its listing is not complete.
        assert stored.listing_ids.tolist() == [first, first, first, second]
        assert stored.positions.tolist()[:3] == [0, 1, 2]
        assert stored.digests[:3] == [row.digest for row in rows]
        expected = encoder.encode([row.text for row in rows], "listing")
        assert np.allclose(stored.vectors[:3], expected, atol=1e-3)
        found = service.vectors_for(session, CARD, [rows[0].digest, "absent"])
        assert list(found) == [rows[0].digest]
        assert np.allclose(found[rows[0].digest], expected[0], atol=1e-3)
        assert len(service.load_passages(session, CARD, [])) == 0
        assert service.load_passages(session, CARD, [second]).listing_ids.tolist() == [second]


def test_a_vector_that_another_process_stored_first_is_left_as_it_is(each_database: Database) -> None:
    ones, zeros = np.ones((1, 384), np.float32), np.zeros((1, 384), np.float32)
    with each_database.transaction() as session:
        service.store_vectors(session, CARD, "listing", ["d" * 64], ones)
    with each_database.transaction() as session:
        service.store_vectors(session, CARD, "listing", ["d" * 64], zeros)
        service.store_vectors(session, CARD, "search", ["d" * 64], zeros)
        service.store_vectors(session, CARD, "listing", [], zeros[:0])
        assert service.vectors_for(session, CARD, ["d" * 64])["d" * 64].all()
        assert _vectors(session) == 2


def test_passages_go_with_their_listing(each_database: Database, context: Context) -> None:
    with each_database.transaction() as session:
        (number,) = _post(session, context, "Cần kho lạnh")
        session.delete(session.get_one(Listing, number))
        session.flush()
        assert session.scalar(select(func.count()).select_from(PassageRow)) == 0
