"""Expressions of interest: what they say, how far they have come and who may take the next step; pure.

TRANSITIONS is the one table that buttons, checks and the tests are read from; PROPOSALS is that of an operator's
proposal to both sides, which is an expression of interest that neither side has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from techex.core.context import Actor, MemberRole
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import FieldErrors, Sentence
from techex.matching import verdicts
from techex.matching.verdicts import LONGEST_TEXT, Refusal

SCREEN_WORKING_DAYS = 2  # an operator reads an expression of interest within so many,
ANSWER_WORKING_DAYS = 10  # and its receiver answers within so many: the reply times the Enterprise Europe Network keeps
SENT_A_WEEK = 10  # by one organisation: enough for a search in earnest, too few for a mailing
AT_A_TIME = 8  # unanswered ones before one organisation: more would not be read


class State(StrEnum):
    """How far an expression of interest has come."""

    SENT = "sent"
    SCREENED = "screened"
    FORWARDED = "forwarded"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    # Of an operator's proposal, where the sender is whoever is asked first or the owner of the result.
    ASKED_FIRST = "asked_first"
    ASKED_BOTH = "asked_both"
    SENDER_AGREED = "sender_agreed"
    RECEIVER_AGREED = "receiver_agreed"


class Verb(StrEnum):
    """What can be done to it."""

    SCREEN = "screen"
    FORWARD = "forward"
    REFUSE = "refuse"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    AGREE = "agree"


class Party(StrEnum):
    """Who may do it."""

    SENDER = "sender"
    RECEIVER = "receiver"
    OPERATOR = "operator"
    SYSTEM = "system"
    BOTH = "both"  # either side, each for itself


STATES: Mapping[State, str] = {
    State.SENT: N_("sent"),
    State.SCREENED: N_("being screened"),
    State.FORWARDED: N_("with the receiver"),
    State.ACCEPTED: N_("accepted"),
    State.DECLINED: N_("declined"),
    State.WITHDRAWN: N_("withdrawn"),
    State.LAPSED: N_("lapsed without an answer"),
    State.ASKED_FIRST: N_("proposed to one side first"),
    State.ASKED_BOTH: N_("proposed to both sides"),
    State.SENDER_AGREED: N_("one side agrees, the other is asked"),
    State.RECEIVER_AGREED: N_("one side agrees, the other is asked"),
}
PARTIES: Mapping[Party, str] = {
    Party.SENDER: N_("an editor or manager of the sender"),
    Party.RECEIVER: N_("an editor or manager of the receiver"),
    Party.OPERATOR: N_("an operator of the receiver's place who belongs to neither side"),
    Party.SYSTEM: N_("the clock"),
    Party.BOTH: N_("an editor or manager of either side"),
}
# Whose turn it is, as both sides read it.
TURNS: Mapping[Party, str] = {
    Party.SENDER: N_("the sender"),
    Party.RECEIVER: N_("the receiver"),
    Party.OPERATOR: N_("the exchange"),
    Party.BOTH: N_("both sides"),
}
LABELS: Mapping[Verb, str] = {
    Verb.SCREEN: N_("Take up"),
    Verb.FORWARD: N_("Forward to the receiver"),
    Verb.REFUSE: N_("Do not forward"),
    Verb.ACCEPT: N_("Yes, introduce us"),
    Verb.DECLINE: N_("No, thank you"),
    Verb.WITHDRAW: N_("Withdraw"),
    Verb.LAPSE: N_("Lapse"),
    Verb.AGREE: N_("Yes, introduce us"),
}
# What a step was, once it is taken.
DONE: Mapping[str, str] = {
    "send": N_("sent"),
    "screen": N_("taken up by the exchange"),
    "forward": N_("forwarded to the receiver"),
    "refuse": N_("not forwarded"),
    "accept": N_("accepted: both sides agree to be introduced"),
    "decline": N_("declined"),
    "withdraw": N_("withdrawn by the sender"),
    "lapse": N_("lapsed: no answer in time"),
    "propose": N_("proposed by the exchange"),
    "agree": N_("one side agrees to be introduced"),
}
# A reason as the one who declines picks it, and as the sender reads it.
REASONS = verdicts.REASONS
KIND_WORDS: Mapping[Refusal, str] = {
    Refusal.TOO_EARLY: N_("They would like to see it again when it is further along."),
    Refusal.BENEFIT_UNCLEAR: N_(
        "They could not see yet what it would gain them. A figure beside a named alternative helps."
    ),
    Refusal.ROUTE_UNCLEAR: N_("They could not see yet how it would reach the market. Say who would make and sell it."),
    Refusal.DESCRIPTION_UNCLEAR: N_(
        "They could not tell from the texts what is meant. Say it more plainly, with figures."
    ),
    Refusal.SCIENTIFIC_DOUBT: N_("They would want more evidence. A test report or a reference would help."),
    Refusal.OUT_OF_SCOPE: N_("It lies outside what they do; that says nothing about its quality."),
    Refusal.HAVE_ALTERNATIVE: N_("They have a solution already. Ask again when it comes to the end of its life."),
    Refusal.TERMS_OR_PRICE: N_("The terms or the price do not suit them. Other forms of transfer may."),
    Refusal.IP_CONCERN: N_("They are not sure about the rights. Clear ownership and status would help."),
    Refusal.CAPACITY_OR_TIMING: N_("They have no capacity at the moment. Ask again later."),
    Refusal.OTHER: N_("They gave a reason of their own."),
}
# The field of a listing that a decline for this reason asks to be improved.
IMPROVES: Mapping[Refusal, tuple[str, str]] = {  # (need, offer)
    Refusal.BENEFIT_UNCLEAR: ("required_result", "advantages"),
    Refusal.ROUTE_UNCLEAR: ("problem", "economics"),
    Refusal.DESCRIPTION_UNCLEAR: ("problem", "description"),
    Refusal.SCIENTIFIC_DOUBT: ("constraints", "trl_evidence"),
    Refusal.TOO_EARLY: ("constraints", "trl_evidence"),
    Refusal.TERMS_OR_PRICE: ("required_result", "economics"),
    Refusal.IP_CONCERN: ("constraints", "ip_numbers"),
}


@dataclass(frozen=True)
class TextRule:
    """One of the three short texts: its label, its hint, and its limits in characters."""

    name: str
    label: str
    hint: str
    shortest: int
    longest: int


TEXTS: tuple[TextRule, ...] = (
    TextRule(
        "who",
        N_("Who we are"),
        N_("What you make or study, your size, your experience. No names: they are shown once you are introduced."),
        150,
        600,
    ),
    TextRule(
        "why",
        N_("Why we write, and what we expect"),
        N_("Which part of it you need, for what, by when; which kind of cooperation you think of."),
        150,
        600,
    ),
    TextRule("questions", N_("Questions"), N_("What you would have to know before a first talk."), 0, 600),
)


@dataclass(frozen=True)
class Transition:
    """A row of the table."""

    verb: Verb
    sources: tuple[State, ...]
    target: State
    who: Party


_S, _P = State, Party
_ONE_AGREED = (_S.SENDER_AGREED, _S.RECEIVER_AGREED)
TRANSITIONS: tuple[Transition, ...] = (
    Transition(Verb.SCREEN, (_S.SENT,), _S.SCREENED, _P.OPERATOR),
    Transition(Verb.FORWARD, (_S.SCREENED,), _S.FORWARDED, _P.OPERATOR),
    Transition(Verb.REFUSE, (_S.SENT, _S.SCREENED), _S.DECLINED, _P.OPERATOR),
    Transition(Verb.ACCEPT, (_S.FORWARDED,), _S.ACCEPTED, _P.RECEIVER),
    Transition(Verb.DECLINE, (_S.FORWARDED,), _S.DECLINED, _P.RECEIVER),
    Transition(Verb.WITHDRAW, (_S.SENT, _S.SCREENED, _S.FORWARDED), _S.WITHDRAWN, _P.SENDER),
    Transition(Verb.LAPSE, (_S.FORWARDED,), _S.LAPSED, _P.SYSTEM),
)
# What an operator proposes to both sides. Each answers for itself; where one listing is confidential, its owner is
# asked first and the other side only after a yes.
PROPOSALS: tuple[Transition, ...] = (
    Transition(Verb.AGREE, (_S.ASKED_FIRST, _S.ASKED_BOTH), _S.SENDER_AGREED, _P.SENDER),
    Transition(Verb.AGREE, (_S.ASKED_BOTH,), _S.RECEIVER_AGREED, _P.RECEIVER),
    Transition(Verb.AGREE, (_S.RECEIVER_AGREED,), _S.ACCEPTED, _P.SENDER),
    Transition(Verb.AGREE, (_S.SENDER_AGREED,), _S.ACCEPTED, _P.RECEIVER),
    Transition(Verb.DECLINE, (_S.ASKED_FIRST, _S.ASKED_BOTH, _S.RECEIVER_AGREED), _S.DECLINED, _P.SENDER),
    Transition(Verb.DECLINE, (_S.ASKED_BOTH, _S.SENDER_AGREED), _S.DECLINED, _P.RECEIVER),
    Transition(Verb.WITHDRAW, (_S.ASKED_FIRST, _S.ASKED_BOTH, *_ONE_AGREED), _S.WITHDRAWN, _P.OPERATOR),
    Transition(Verb.LAPSE, (_S.ASKED_FIRST, _S.ASKED_BOTH, *_ONE_AGREED), _S.LAPSED, _P.SYSTEM),
)
# Whose answer is awaited in them.
PROPOSED: Mapping[State, Party] = {
    State.ASKED_FIRST: Party.SENDER,
    State.ASKED_BOTH: Party.BOTH,
    State.SENDER_AGREED: Party.RECEIVER,
    State.RECEIVER_AGREED: Party.SENDER,
}
OPEN = frozenset({State.SENT, State.SCREENED, State.FORWARDED, *PROPOSED})
# Beyond their day these lapse.
LAPSING = frozenset({State.FORWARDED, *PROPOSED})
NEEDS_REASON = frozenset({Verb.REFUSE, Verb.DECLINE})


@dataclass(frozen=True)
class Standing:
    """What the table is asked about."""

    state: State
    sender_id: int
    receiver_id: int
    sender_places: tuple[str, ...]
    receiver_places: tuple[str, ...]
    forwarded: bool
    due: date | None
    proposed: bool = False


def party_of(actor: Actor, standing: Standing, at_least: MemberRole = MemberRole.EDITOR) -> Party | None:
    """What an actor is to an expression of interest, if anything; a side before an operator."""
    if actor.belongs_to(standing.sender_id, at_least):
        return Party.SENDER
    if actor.belongs_to(standing.receiver_id, at_least):
        return Party.RECEIVER
    belongs = actor.belongs_to(standing.sender_id) or actor.belongs_to(standing.receiver_id)
    # Operators of both places propose; what one side wrote is passed on by those of the other one.
    places = (*standing.sender_places, *standing.receiver_places) if standing.proposed else standing.receiver_places
    if not belongs and actor.is_operator and any(actor.operates_in(code) for code in places):
        return Party.OPERATOR
    return None


def may_see(actor: Actor, standing: Standing) -> bool:
    """Both sides see it, the receiver once it was forwarded; operators of both places do."""
    if actor.is_system or actor.belongs_to(standing.sender_id):
        return True
    if actor.belongs_to(standing.receiver_id):
        return standing.forwarded
    places = (*standing.sender_places, *standing.receiver_places)
    return actor.is_operator and any(actor.operates_in(code) for code in places)


def allowed(actor: Actor, standing: Standing, today: date) -> list[Transition]:
    """What this actor may do to it on this day, which has begun everywhere, in the order of the table."""
    party = Party.SYSTEM if actor.is_system else party_of(actor, standing)
    overdue = standing.due is not None and standing.due < today
    return [
        row
        for row in (*TRANSITIONS, *PROPOSALS)
        if standing.state in row.sources and row.who is party and (row.verb is not Verb.LAPSE or overdue)
    ]


def turn(state: State) -> Party | None:
    """Whose turn it is; None where nothing is left to do."""
    if state in PROPOSED:
        return PROPOSED[state]
    if state in (State.SENT, State.SCREENED):
        return Party.OPERATOR
    return Party.RECEIVER if state is State.FORWARDED else None


def checked_reason(reason: str, text: str) -> tuple[str, str]:
    """One of the eleven reasons, and a text where the reason asks for one. Raises FieldErrors."""
    errors: dict[str, str] = {}
    known = reason in set(Refusal)
    text = clean(text, "text")
    if not known:
        errors["reason"] = Sentence(N_("Choose the reason that comes nearest; the sender reads it in kind words."))
    if known and Refusal(reason) is Refusal.OTHER and not text:
        errors["text"] = Sentence(N_("Say in a sentence what it is."))
    if len(text) > LONGEST_TEXT:
        errors["text"] = Sentence(
            N_("has %(count)s characters; at most %(longest)s."), count=len(text), longest=LONGEST_TEXT
        )
    if errors:
        raise FieldErrors(errors)
    return reason, text
