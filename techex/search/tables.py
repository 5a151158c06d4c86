"""What search keeps in the database beside what it derives from it."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base


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
