"""Verdicts of people on pairs of a need and an offer: what they say, kept with the numbers they were shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session, aliased

from techex.core import audit, changes
from techex.core.context import Actor, Context, MemberRole
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import FieldErrors, NotAllowed, Sentence
from techex.listings import service as listings
from techex.listings.rules import SEARCHABLE, Kind, Visibility
from techex.listings.tables import Listing
from techex.matching.tables import PairVerdict

LONGEST_TEXT = 600  # as an expression of interest
MOST_HEEDED = 30  # of what a person said beside one listing: each text that fits is read for its words, in 1 to 3 ms


class Judgement(StrEnum):
    """What a reader of both texts says."""

    FIT = "fit"
    PARTLY = "partly"
    NO = "no"


class Refusal(StrEnum):
    """Why a pair is no match, or not quite: the reasons for which an interest may be declined."""

    TOO_EARLY = "too_early"
    BENEFIT_UNCLEAR = "benefit_unclear"
    ROUTE_UNCLEAR = "route_unclear"
    DESCRIPTION_UNCLEAR = "description_unclear"
    SCIENTIFIC_DOUBT = "scientific_doubt"
    OUT_OF_SCOPE = "out_of_scope"
    HAVE_ALTERNATIVE = "have_alternative"
    TERMS_OR_PRICE = "terms_or_price"
    IP_CONCERN = "ip_concern"
    CAPACITY_OR_TIMING = "capacity_or_timing"
    OTHER = "other"


# A reason as the one who gives it picks it.
REASONS: Mapping[Refusal, str] = {
    Refusal.TOO_EARLY: N_("Too early for us"),
    Refusal.BENEFIT_UNCLEAR: N_("The benefit is unclear"),
    Refusal.ROUTE_UNCLEAR: N_("The way to the market is unclear"),
    Refusal.DESCRIPTION_UNCLEAR: N_("The description is unclear"),
    Refusal.SCIENTIFIC_DOUBT: N_("We doubt the science"),
    Refusal.OUT_OF_SCOPE: N_("Outside what we do"),
    Refusal.HAVE_ALTERNATIVE: N_("We have an alternative"),
    Refusal.TERMS_OR_PRICE: N_("Terms or price do not suit us"),
    Refusal.IP_CONCERN: N_("The rights worry us"),
    Refusal.CAPACITY_OR_TIMING: N_("No capacity, or not the time"),
    Refusal.OTHER: N_("Something else"),
}

# Reasons that say something about this need and this offer. The others speak of the moment, the terms or one side
# alone: the same pair could be a fit tomorrow, so nothing about matching is learned from them.
ABOUT_THE_PAIR = frozenset({Refusal.TOO_EARLY, Refusal.BENEFIT_UNCLEAR, Refusal.OUT_OF_SCOPE, Refusal.OTHER})

# How well a pair fits, as learning takes it.
GRADES: Mapping[Judgement, float] = {Judgement.FIT: 1.0, Judgement.PARTLY: 0.5, Judgement.NO: 0.0}


@dataclass(frozen=True)
class Shown:
    """The numbers a pair was shown with: `parts` add up to `score`; `strength` 0-100 before and after calibration;
    `rank` from 1, None where the pair was not in a list; `versions` of what made them."""

    score: float
    parts: Mapping[str, float]
    raw_strength: float
    strength: float
    rank: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "score": self.score,
            "parts": dict(self.parts),
            "raw_strength": self.raw_strength,
            "strength": self.strength,
            "rank": self.rank,
            "versions": dict(self.versions),
        }


@dataclass(frozen=True)
class Counts:
    """What stands: verdicts that were not replaced, the pairs and needs they are about, and how many of them teach."""

    verdicts: int
    pairs: int
    needs: int
    teaching: int
    by_judgement: Mapping[str, int]
    by_reason: Mapping[str, int]


def may_judge(actor: Actor, need: Listing, offer: Listing) -> bool:
    """Whether an actor may give a verdict on a pair: editors of either side, operators of either place, the system."""
    return actor.is_system or any(
        actor.belongs_to(side.organisation_id, MemberRole.EDITOR) or actor.operates_in(side.place.code)
        for side in (need, offer)
    )


def need_judge(session: Session, context: Context, need_id: int, offer_id: int) -> tuple[Listing, Listing]:
    """The two listings of a pair, for somebody who may judge it; raises NotFound, NotAllowed."""
    need = listings.get_visible(session, context, need_id, Kind.NEED)
    offer = listings.get_visible(session, context, offer_id, Kind.OFFER)
    if not may_judge(context.actor, need, offer):
        raise NotAllowed(
            Sentence(N_("Verdicts on a pair are given by editors of its two sides and by operators of their places."))
        )
    return need, offer


def standing_of(session: Session, context: Context, need_id: int, offer_id: int) -> PairVerdict | None:
    """What the actor says of a pair at present."""
    return session.scalar(_earlier(context.actor, need_id, offer_id))


def said_of(session: Session, context: Context, listing: Listing) -> dict[int, float]:
    """What a person says at present of listings beside this one, the newest: id -> 1 fit, one half partly, 0 no.

    What they refused for the price, the moment or the like says nothing about what they look for, and is left out.
    """
    if context.actor.person_id is None:
        return {}
    own, other = PairVerdict.need_id, PairVerdict.offer_id
    if not listing.is_need:
        own, other = other, own
    query = select(other, PairVerdict.judgement).where(
        own == listing.id, PairVerdict.given_by == _giver(context.actor), _about_the_pair()
    )
    newest = query.where(PairVerdict.replaced_at.is_(None)).order_by(PairVerdict.id.desc()).limit(MOST_HEEDED)
    rows = session.execute(newest)
    return {listing_id: GRADES[Judgement(judgement)] for listing_id, judgement in rows}


def _about_the_pair() -> ColumnElement[bool]:
    return (PairVerdict.judgement != Judgement.NO.value) | PairVerdict.reason.in_(sorted(ABOUT_THE_PAIR))


def _earlier(actor: Actor, need_id: int, offer_id: int) -> Select[PairVerdict]:
    return select(PairVerdict).where(
        PairVerdict.need_id == need_id,
        PairVerdict.offer_id == offer_id,
        PairVerdict.given_by == _giver(actor),
        PairVerdict.replaced_at.is_(None),
    )


def _giver(actor: Actor) -> str:
    # People by their number: a name may be another's too, and goes when its account does.
    return actor.name if actor.person_id is None else _person(actor.person_id)


def _person(person_id: int) -> str:
    return f"person {person_id}"


def leave(session: Session, context: Context, person_id: int) -> None:
    """Forget the words of somebody who deletes their account; what they said of pairs stays, under a number."""
    session.execute(update(PairVerdict).where(PairVerdict.given_by == _person(person_id)).values(text=""))


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """The verdicts of a person, for that person."""
    rows = session.scalars(
        select(PairVerdict).where(PairVerdict.given_by == _person(person_id)).order_by(PairVerdict.id)
    )
    return {
        "verdicts": [
            {"need": row.need_id, "offer": row.offer_id, "judgement": row.judgement}
            | {"reason": row.reason, "text": row.text, "given_at": row.given_at.isoformat()}
            for row in rows
        ]
    }


def give(
    session: Session,
    context: Context,
    need_id: int,
    offer_id: int,
    judgement: Judgement,
    shown: Shown,
    reason: Refusal | None = None,
    text: str = "",
) -> PairVerdict:
    """Keep what the actor says of a pair; an earlier verdict of theirs on it is replaced and stays on record.

    Raises NotAllowed for people who may not judge, NotFound for a listing they may not see, FieldErrors where `no`
    comes without a reason, `other` without a text, or a fit with a reason.
    """
    need_judge(session, context, need_id, offer_id)
    text = clean(text, "text").strip()
    _check(judgement, reason, text)
    verdict = PairVerdict(
        need_id=need_id,
        offer_id=offer_id,
        judgement=judgement.value,
        reason=reason.value if reason else None,
        text=text,
        given_by=_giver(context.actor),
        given_at=context.now,
        shown=shown.as_dict(),
    )
    for former in session.scalars(_earlier(context.actor, need_id, offer_id)):
        former.replaced_at = context.now
    session.add(verdict)
    session.flush()
    changes.record(session, context, "verdict", verdict.id, "given")
    detail = {"need": need_id, "offer": offer_id, "judgement": judgement.value, "reason": verdict.reason}
    audit.record(session, context, "judged", "verdict", verdict.id, detail)
    return verdict


def counts(session: Session) -> Counts:
    """How many verdicts stand."""
    rows = session.execute(
        select(PairVerdict.need_id, PairVerdict.offer_id, PairVerdict.judgement, PairVerdict.reason).where(
            PairVerdict.replaced_at.is_(None)
        )
    ).all()
    teaching = session.execute(_teaching().with_only_columns(func.count())).scalar_one()
    return Counts(
        len(rows),
        len({(row.need_id, row.offer_id) for row in rows}),
        len({row.need_id for row in rows}),
        teaching,
        dict(Counter(row.judgement for row in rows)),
        dict(Counter(row.reason for row in rows if row.reason)),
    )


def grades(session: Session) -> dict[int, dict[int, float]]:
    """What is learned from: need -> offer -> 1 fit, one half partly, 0 no; of several people the mean.

    Only pairs that everybody may see teach: what is learned moves everybody's lists, and nobody's list may tell of
    listings that are hidden from them. Refusals that say nothing about the pair teach nothing.
    """
    said: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in session.execute(_teaching()):
        said[row.need_id][row.offer_id].append(GRADES[Judgement(row.judgement)])
    return {need: {offer: sum(given) / len(given) for offer, given in offers.items()} for need, offers in said.items()}


def _teaching() -> Select[int, int, str]:
    need, offer = aliased(Listing), aliased(Listing)
    query = (
        select(PairVerdict.need_id, PairVerdict.offer_id, PairVerdict.judgement)
        .join(need, need.id == PairVerdict.need_id)
        .join(offer, offer.id == PairVerdict.offer_id)
        .where(PairVerdict.replaced_at.is_(None))
        .where(_about_the_pair())
    )
    for side in (need, offer):
        query = query.where(side.visibility == Visibility.PUBLIC.value, side.state.in_(sorted(SEARCHABLE)))
    return query


def _check(judgement: Judgement, reason: Refusal | None, text: str) -> None:
    wrong = {}
    if judgement is Judgement.NO and reason is None:
        wrong["reason"] = Sentence(N_("A no needs its reason: one of %(reasons)s."), reasons=", ".join(Refusal))
    if judgement is Judgement.FIT and reason is not None:
        wrong["reason"] = Sentence(N_("A fit has no reason against it. Say partly or no, or leave the reason out."))
    if reason is Refusal.OTHER and not text:
        wrong["text"] = Sentence(N_("The reason “something else” needs a text that says which."))
    if len(text) > LONGEST_TEXT:
        wrong["text"] = Sentence(
            N_("The text has %(count)s characters; at most %(most)s."), count=len(text), most=LONGEST_TEXT
        )
    if wrong:
        raise FieldErrors(wrong)
