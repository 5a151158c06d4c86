"""What the last look over the whole exchange found: which result is near which need, and how often each is shown.

A view that can be thrown away: the next look writes it anew. Each scope knows only what its readers may compare.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base, UTCDateTime
from techex.listings.tables import Listing


class SurveyedPair(Base):
    """One of the nearest results of a need, with the strength that its page shows; `place` counts from 1."""

    __tablename__ = "surveyed_pair"
    __table_args__ = (Index("ix_surveyed_pair_offer_id", "offer_id"),)

    scope: Mapped[str] = mapped_column(String(8), primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    place: Mapped[int]
    strength: Mapped[int]


class SurveyedListing(Base):
    """How a listing stood in that look: its strongest match (0 to 100), how many are suitable, and how often it was
    among a need's first ten.
    """

    __tablename__ = "surveyed_listing"
    __table_args__ = (Index("ix_surveyed_listing_listing_id", "listing_id"),)

    scope: Mapped[str] = mapped_column(String(8), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    best: Mapped[int]
    suitable: Mapped[int]
    shown: Mapped[int]


class SurveyedAlike(Base):
    """Two needs that nothing close suits and that mean something alike; `need_id` is the smaller number."""

    __tablename__ = "surveyed_alike"
    __table_args__ = (Index("ix_surveyed_alike_other_id", "other_id"),)

    scope: Mapped[str] = mapped_column(String(8), primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    likeness: Mapped[float] = mapped_column(Float)  # in spreads above any two needs


class Survey(Base):
    """One scope's last whole look: up to which change of the exchange, when, and how long it took."""

    __tablename__ = "survey"

    scope: Mapped[str] = mapped_column(String(8), primary_key=True)
    change: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seconds: Mapped[float] = mapped_column(Float)
    without_vectors: Mapped[int]  # needs that could not be compared by meaning
