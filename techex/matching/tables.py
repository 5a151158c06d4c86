"""What matching keeps: what finds listings that look like one another, and what a person says of each pair."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Float, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.core.database import Base, UTCDateTime
from techex.listings.tables import Listing


class ListingSketch(Base):
    """The sketch of a listing's text (`matching.sketches`), kept so that an import need not read every old text.

    `made_from` is when the listing it was made from had been edited last; marks are little-endian uint32.
    """

    __tablename__ = "listing_sketch"

    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    made_from: Mapped[datetime] = mapped_column(UTCDateTime)
    exact: Mapped[bytes] = mapped_column(LargeBinary)
    head: Mapped[bytes] = mapped_column(LargeBinary)
    whole: Mapped[bytes] = mapped_column(LargeBinary)


class DuplicatePair(Base):
    """Two listings that look like one, and the decision of a person; no decision yet is None.

    `differences` holds figures and title words that only one of them has. A decision outlives edits of both texts.
    """

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="ordered"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"))
    second_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), index=True)
    verdict: Mapped[str] = mapped_column(String(16))
    shared: Mapped[float] = mapped_column(Float)
    differences: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decision: Mapped[str | None] = mapped_column(String(16))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[str] = mapped_column(String(200), default="")

    first: Mapped[Listing] = relationship(foreign_keys=[first_id])
    second: Mapped[Listing] = relationship(foreign_keys=[second_id])


class PairVerdict(Base):
    """What somebody who may judge says of a need and an offer: fit, partly or no with a reason.

    `shown` holds the numbers the pair was shown with: score, its parts, strength, place in the list, versions. A later
    verdict of the same person on the same pair takes the place of this one, which stays on record (`replaced_at`).
    """

    __tablename__ = "pair_verdict"
    __table_args__ = (
        CheckConstraint("judgement IN ('fit', 'partly', 'no')", name="judgement"),
        Index("ix_pair_verdict_standing", "need_id", "offer_id", "replaced_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"))
    offer_id: Mapped[int] = mapped_column(ForeignKey(Listing.id, ondelete="CASCADE"), index=True)
    judgement: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text, default="")
    given_by: Mapped[str] = mapped_column(String(200))
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    shown: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class LearnedVersion(Base):
    """What was learned from the verdicts of one moment, for one vector space; rows are only ever added."""

    __tablename__ = "learned_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    card_key: Mapped[str] = mapped_column(String(100), index=True)
    version: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(200))
    verdicts: Mapped[int]
    pairs: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    report: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class LearnedActivation(Base):
    """A moment from which on a version was applied. The latest one that was not reverted counts."""

    __tablename__ = "learned_activation"

    id: Mapped[int] = mapped_column(primary_key=True)
    learned_id: Mapped[int] = mapped_column(ForeignKey(LearnedVersion.id), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by: Mapped[str] = mapped_column(String(200))
    reverted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reverted_by: Mapped[str] = mapped_column(String(200), default="")

    learned: Mapped[LearnedVersion] = relationship(lazy="joined")
