"""Passages and vectors as rows. The vectors in the database are the truth; every index is made from them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base
from techex.listings.tables import Listing


class PassageRow(Base):
    """A piece of a listing's text that is embedded by itself; `position` 0 is title with summary."""

    __tablename__ = "passage"
    __table_args__ = (UniqueConstraint("listing_id", "position"), Index("ix_passage_digest", "digest"))

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"))
    position: Mapped[int]
    field: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(8))
    length_class: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))


class EmbeddingVector(Base):
    """The vector of a text under a card and a role: float16, little-endian, unit length, `dimension` numbers.

    Keyed by what the text is (SHA-256 of its NFC form), not by who wrote it: equal passages share one vector, and
    an edit recomputes only what it changed.
    """

    __tablename__ = "embedding_vector"

    card_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    role: Mapped[str] = mapped_column(String(8), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
