"""Expressions of interest as rows."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from techex.accounts.tables import Person
from techex.brokering.rules import Standing, State
from techex.core.database import Base, UTCDateTime
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation


class Interest(Base):
    """An organisation's wish to be introduced to the owner of a listing, in three short texts.

    `own_listing_id` is the listing of the sender that it came from, if any. `revision` counts its steps, so that of two
    people who act at once exactly one wins. A `proposed` one was begun by an operator, `person_id`, for both sides; why
    they should meet is `why`.
    """

    __tablename__ = "interest"
    __table_args__ = (
        CheckConstraint("sender_id <> receiver_id", name="two_sides"),
        Index("ix_interest_receiver", "receiver_id", "state"),
        Index("ix_interest_sender", "sender_id", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey(Listing.id), index=True)
    own_listing_id: Mapped[int | None] = mapped_column(ForeignKey(Listing.id))
    sender_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    receiver_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id))
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    language: Mapped[str] = mapped_column(String(8))
    who: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    questions: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default=State.SENT.value)
    due: Mapped[date | None] = mapped_column(Date)  # whoever's turn it is has until the end of this day
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    forwarded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(String(32))
    reason_text: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int] = mapped_column(default=1)
    proposed: Mapped[bool] = mapped_column(default=False, server_default=false())

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - what SQLAlchemy reads

    listing: Mapped[Listing] = relationship(foreign_keys=[listing_id], lazy="joined")
    own_listing: Mapped[Listing | None] = relationship(foreign_keys=[own_listing_id])
    sender: Mapped[Organisation] = relationship(foreign_keys=[sender_id], lazy="joined")
    receiver: Mapped[Organisation] = relationship(foreign_keys=[receiver_id], lazy="joined")
    steps: Mapped[list[InterestStep]] = relationship(order_by="InterestStep.id", cascade="all, delete-orphan")

    @property
    def standing(self) -> Standing:
        """Where it stands, as the rules ask."""
        own = self.own_listing.place_codes if self.proposed and self.own_listing else ()
        return Standing(
            State(self.state),
            self.sender_id,
            self.receiver_id,
            tuple(dict.fromkeys((*own, self.sender.place.code, self.sender.country))),
            tuple(dict.fromkeys((self.listing.place.code, self.listing.country))),
            self.forwarded_at is not None,
            self.due,
            self.proposed,
        )


class InterestStep(Base):
    """One step of an expression of interest: who took it, when, and what they said."""

    __tablename__ = "interest_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    interest_id: Mapped[int] = mapped_column(ForeignKey(Interest.id, ondelete="CASCADE"), index=True)
    verb: Mapped[str] = mapped_column(String(16))
    party: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    note: Mapped[str] = mapped_column(Text, default="")
