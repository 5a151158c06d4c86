"""The life of a listing as one table: from which state, by which verb, to which state, who may, what it takes; pure.

Buttons, checks, the table in the README and the tests are read from TRANSITIONS. A verb without a row is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from techex.core.context import Actor, MemberRole
from techex.core.vocabulary import N_
from techex.listings.rules import LIFE_DAYS, State
from techex.regions import working_days
from techex.regions.rules import HOME_COUNTRY

REVIEW_WORKING_DAYS = 5  # the reply time partners of the Enterprise Europe Network promise each other
NOTICE_DAYS = 14  # its owner is asked so long before the end
WINDOW_DAYS = 30  # and may extend it from so long before the end,
GRACE_DAYS = 365  # until so long after it
ARCHIVE_DAYS = 730  # after its publication, whatever happened since


class Verb(StrEnum):
    """What can be done to a listing."""

    EDIT = "edit"
    SUBMIT = "submit"
    RECALL = "recall"
    TAKE_UP = "take_up"
    RETURN = "return"
    PUBLISH = "publish"
    PROPOSE = "propose"
    ACCEPT = "accept"
    REFUSE = "refuse"
    DISCLOSE = "disclose"
    INTRODUCE = "introduce"
    CLOSE = "close"
    OPEN = "open"
    HOLD = "hold"
    REPORT = "report"
    RELEASE = "release"
    EXTEND = "extend"
    EXPIRE = "expire"
    ARCHIVE = "archive"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"


class Party(StrEnum):
    """Who may do it."""

    OWNER = "owner"
    OPERATOR = "operator"
    PERSON = "person"
    LINK = "link"
    SYSTEM = "system"


class Need(StrEnum):
    """What it takes besides."""

    REASON = "reason"
    COMMENTS = "comments"
    READINGS = "readings"
    WINDOW = "window"
    DUE = "due"
    OLD = "old"
    PROPOSAL = "proposal"
    NO_PROPOSAL = "no_proposal"
    IS_OPEN = "is_open"
    IS_CLOSED = "is_closed"


PARTIES: dict[Party, str] = {
    Party.OWNER: N_("an editor or manager of its organisation"),
    Party.OPERATOR: N_("an operator of its place who does not belong to its organisation"),
    Party.PERSON: N_("anybody signed in who may see it"),
    Party.LINK: N_("whoever holds the signed link of the notice"),
    Party.SYSTEM: N_("the clock, or the command line"),
}
NEEDS: dict[Need, str] = {
    Need.REASON: N_("a reason in words"),
    Need.COMMENTS: N_("a comment on at least one field"),
    Need.READINGS: N_("as many passing readings as the exchange asks for, by different people"),
    Need.WINDOW: N_("once, from 30 days before its end to a year after it"),
    Need.DUE: N_("its last day is over"),
    Need.OLD: N_("two years have passed since it was published"),
    Need.PROPOSAL: N_("a revision waits for a decision"),
    Need.NO_PROPOSAL: N_("no other revision waits"),
    Need.IS_OPEN: N_("it is open for interest"),
    Need.IS_CLOSED: N_("it is closed for interest"),
}
STATES: dict[State, str] = {
    State.DRAFT: N_("draft"),
    State.SUBMITTED: N_("submitted"),
    State.UNDER_REVIEW: N_("under review"),
    State.RETURNED: N_("returned"),
    State.PUBLISHED: N_("published"),
    State.ON_HOLD: N_("on hold"),
    State.FLAGGED: N_("reported"),
    State.EXPIRED: N_("expired"),
    State.ARCHIVED: N_("archived"),
    State.WITHDRAWN: N_("withdrawn"),
}
# What a button says; "edit", "propose" and "disclose" lead to a form.
LABELS: dict[Verb, str] = {
    Verb.EDIT: N_("Edit"),
    Verb.SUBMIT: N_("Submit for review"),
    Verb.RECALL: N_("Take back to draft"),
    Verb.TAKE_UP: N_("Take up for review"),
    Verb.RETURN: N_("Return with comments"),
    Verb.PUBLISH: N_("Publish"),
    Verb.PROPOSE: N_("Propose a new version"),
    Verb.ACCEPT: N_("Accept the new version"),
    Verb.REFUSE: N_("Refuse the new version"),
    Verb.DISCLOSE: N_("Change who may see it"),
    Verb.INTRODUCE: N_("Introduce to an organisation"),
    Verb.CLOSE: N_("Close for interest"),
    Verb.OPEN: N_("Open for interest"),
    Verb.HOLD: N_("Put on hold"),
    Verb.REPORT: N_("Report this listing"),
    Verb.RELEASE: N_("Show it again"),
    Verb.EXTEND: N_("Extend by a year"),
    Verb.EXPIRE: N_("Expire"),
    Verb.ARCHIVE: N_("Archive"),
    Verb.WITHDRAW: N_("Withdraw"),
    Verb.REOPEN: N_("Start again as a draft"),
}

# What the change log and the audit log say of it.
DONE: dict[Verb, str] = {
    Verb.EDIT: "edited",
    Verb.SUBMIT: "submitted",
    Verb.RECALL: "recalled",
    Verb.TAKE_UP: "taken up",
    Verb.RETURN: "returned",
    Verb.PUBLISH: "published",
    Verb.PROPOSE: "revision proposed",
    Verb.ACCEPT: "revision accepted",
    Verb.REFUSE: "revision refused",
    Verb.DISCLOSE: "disclosed",
    Verb.INTRODUCE: "introduced",
    Verb.CLOSE: "closed for interest",
    Verb.OPEN: "opened for interest",
    Verb.HOLD: "put on hold",
    Verb.REPORT: "reported",
    Verb.RELEASE: "released",
    Verb.EXTEND: "extended",
    Verb.EXPIRE: "expired",
    Verb.ARCHIVE: "archived",
    Verb.WITHDRAW: "withdrawn",
    Verb.REOPEN: "reopened",
}


@dataclass(frozen=True)
class Transition:
    """A row: `target` None means that the state stays."""

    verb: Verb
    sources: tuple[State, ...]
    target: State | None
    who: Party
    needs: tuple[Need, ...] = ()

    def leads_to(self, state: State) -> State:
        """The state after it."""
        return self.target or state


def _row(verb: Verb, sources: Iterable[State], target: State | None, who: Party, *needs: Need) -> Transition:
    return Transition(verb, tuple(sources), target, who, needs)


_S, _P, _N = State, Party, Need
_ALL = tuple(State)
_BEFORE_ARCHIVE = tuple(state for state in State if state not in (_S.ARCHIVED, _S.WITHDRAWN))

TRANSITIONS: tuple[Transition, ...] = (
    # Before it is published
    _row(Verb.EDIT, [_S.DRAFT, _S.RETURNED], None, _P.OWNER),
    _row(Verb.SUBMIT, [_S.DRAFT, _S.RETURNED], _S.SUBMITTED, _P.OWNER),
    _row(Verb.RECALL, [_S.SUBMITTED], _S.DRAFT, _P.OWNER),
    _row(Verb.TAKE_UP, [_S.SUBMITTED], _S.UNDER_REVIEW, _P.OPERATOR),
    _row(Verb.RETURN, [_S.UNDER_REVIEW, _S.ON_HOLD, _S.FLAGGED], _S.RETURNED, _P.OPERATOR, _N.COMMENTS),
    _row(Verb.PUBLISH, [_S.UNDER_REVIEW], _S.PUBLISHED, _P.OPERATOR, _N.READINGS),
    # While it is published
    _row(Verb.PROPOSE, [_S.PUBLISHED], None, _P.OWNER, _N.NO_PROPOSAL),
    _row(Verb.ACCEPT, [_S.PUBLISHED], None, _P.OPERATOR, _N.PROPOSAL),
    _row(Verb.REFUSE, [_S.PUBLISHED], None, _P.OPERATOR, _N.PROPOSAL, _N.COMMENTS),
    _row(Verb.DISCLOSE, _BEFORE_ARCHIVE, None, _P.OWNER),
    _row(Verb.INTRODUCE, [_S.PUBLISHED], None, _P.OPERATOR),
    _row(Verb.CLOSE, [_S.PUBLISHED], None, _P.OWNER, _N.IS_OPEN),
    _row(Verb.OPEN, [_S.PUBLISHED], None, _P.OWNER, _N.IS_CLOSED),
    _row(Verb.REPORT, [_S.PUBLISHED], _S.FLAGGED, _P.PERSON, _N.REASON),
    _row(Verb.HOLD, [_S.PUBLISHED, _S.FLAGGED], _S.ON_HOLD, _P.OPERATOR, _N.REASON),
    _row(Verb.RELEASE, [_S.ON_HOLD, _S.FLAGGED], _S.PUBLISHED, _P.OPERATOR),
    # Its end
    _row(Verb.EXTEND, [_S.PUBLISHED, _S.EXPIRED], _S.PUBLISHED, _P.OWNER, _N.WINDOW),
    _row(Verb.EXTEND, [_S.PUBLISHED, _S.EXPIRED], _S.PUBLISHED, _P.LINK, _N.WINDOW),
    _row(Verb.EXPIRE, [_S.PUBLISHED, _S.ON_HOLD], _S.EXPIRED, _P.SYSTEM, _N.DUE),
    _row(Verb.ARCHIVE, [_S.ON_HOLD, _S.FLAGGED, _S.RETURNED, _S.EXPIRED], _S.ARCHIVED, _P.SYSTEM, _N.OLD),
    _row(Verb.ARCHIVE, [_S.EXPIRED], _S.ARCHIVED, _P.OWNER),
    _row(Verb.WITHDRAW, _BEFORE_ARCHIVE, _S.WITHDRAWN, _P.OWNER),
    _row(Verb.REOPEN, [_S.EXPIRED, _S.ARCHIVED, _S.WITHDRAWN], _S.DRAFT, _P.OWNER),
    # Whoever runs the installation owns its data: imports and the demo write and publish without a review.
    _row(Verb.EDIT, _ALL, None, _P.SYSTEM),
    _row(Verb.PUBLISH, [state for state in _ALL if state is not _S.PUBLISHED], _S.PUBLISHED, _P.SYSTEM),
    _row(Verb.WITHDRAW, [state for state in _ALL if state is not _S.WITHDRAWN], _S.WITHDRAWN, _P.SYSTEM),
)


@dataclass(frozen=True)
class Standing:
    """What the table is asked about: where a listing stands."""

    state: State
    organisation_id: int
    places: tuple[str, ...]  # codes under which operators serve it: its province, and its country
    seen: bool = True  # by whoever asks
    by_link: bool = False  # whoever asks holds the link that was mailed to its owner
    open_for_interest: bool = True
    has_proposal: bool = False
    published_at: datetime | None = None
    expires_at: datetime | None = None
    extended_at: datetime | None = None


def is_party(actor: Actor, party: Party, standing: Standing) -> bool:
    """True when the actor is this party to this listing."""
    match party:
        case Party.SYSTEM:
            return actor.is_system
        case Party.OWNER:
            return actor.belongs_to(standing.organisation_id, MemberRole.EDITOR)
        case Party.OPERATOR:
            serves = actor.is_operator and any(actor.operates_in(code) for code in standing.places)
            return serves and not actor.belongs_to(standing.organisation_id)
        case Party.LINK:
            return standing.by_link
        case Party.PERSON:
            return actor.is_signed_in and standing.seen


def is_met(need: Need, standing: Standing, now: datetime) -> bool:
    """True when the listing is as a need asks. What a person has to give (a reason, comments, readings) is not asked
    here: it comes with the deed.
    """
    match need:
        case Need.WINDOW:
            end = standing.expires_at
            if end is None or standing.extended_at is not None:
                return False
            return end - timedelta(days=WINDOW_DAYS) <= now <= end + timedelta(days=GRACE_DAYS)
        case Need.DUE:
            return standing.expires_at is not None and standing.expires_at <= now
        case Need.OLD:
            published = standing.published_at
            return published is not None and published + timedelta(days=ARCHIVE_DAYS) <= now
        case Need.PROPOSAL:
            return standing.has_proposal
        case Need.NO_PROPOSAL:
            return not standing.has_proposal
        case Need.IS_OPEN:
            return standing.open_for_interest
        case Need.IS_CLOSED:
            return not standing.open_for_interest
        case _:
            return True


def allowed(actor: Actor, standing: Standing, now: datetime) -> list[Transition]:
    """What this actor may do to it now, in the order of the table."""
    return [
        row
        for row in TRANSITIONS
        if standing.state in row.sources
        and is_party(actor, row.who, standing)
        and all(is_met(need, standing, now) for need in row.needs)
    ]


def find(actor: Actor, standing: Standing, verb: Verb, now: datetime) -> Transition | None:
    """The row under which this actor may do this now; None if there is none."""
    return next((row for row in allowed(actor, standing, now) if row.verb is verb), None)


def end_of_life(published: datetime, extended: bool) -> datetime:
    """When a listing ends that was published then."""
    return published + timedelta(days=LIFE_DAYS * (2 if extended else 1))


def review_due(submitted: date, days: int = REVIEW_WORKING_DAYS, country: str = HOME_COUNTRY) -> date:
    """The day by which a review is due: so many working days of its country after the submission."""
    return working_days.after(submitted, days, country)


def as_markdown(rows: Sequence[Transition] = TRANSITIONS) -> list[str]:
    """The table as the README shows it, a line each."""
    lines = ["| from | verb | to | who may | what it takes |", "|---|---|---|---|---|"]
    for row in rows:
        sources = _sources(row.sources)
        target = "stays" if row.target is None else STATES[row.target]
        needs = "; ".join(NEEDS[need] for need in row.needs) or "–"
        lines.append(f"| {sources} | {row.verb.value.replace('_', ' ')} | {target} | {PARTIES[row.who]} | {needs} |")
    return lines


def _sources(states: Sequence[State]) -> str:
    others = [state for state in State if state not in states]
    if len(others) <= 2:
        return "any" + (f" but {' and '.join(STATES[state] for state in others)}" if others else "")
    return ", ".join(STATES[state] for state in states)
