"""What search keeps in the database beside what it derives from it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base
from techex.listings.tables import Listing


class CentringRow(Base):
    """The means a vector space is centred with, learned from the collection; all workers use the same ones."""

    __tablename__ = "centring"

    card_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    listings: Mapped[int]  # how many they were learned from; they are learned again when the collection has grown
    data: Mapped[bytes] = mapped_column(LargeBinary)


class EmbeddingProgress(Base):
    """The last change whose listings have their passages and vectors, for one vector space."""

    __tablename__ = "embedding_progress"

    card_key: Mapped[str] = mapped_column(String(100), primary_key=True)
    change: Mapped[int]


class ListingFigures(Base):
    """The figures in a listing's texts, read once: some milliseconds each, where an index reads all of them."""

    __tablename__ = "listing_figures"

    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))  # of what they were read from, and of how
    figures: Mapped[bytes] = mapped_column(LargeBinary)  # rows of quantities.compact.FIGURES
