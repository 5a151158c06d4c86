"""What goes on in a deal beside its stages, as declared tables: tasks, further participants, outcomes; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from techex.core.vocabulary import N_

LONGEST_TITLE = 160
LONGEST_NOTE = 600
LONGEST_OUTCOME = 1000
DUE_WORKING_DAYS = (3, 5, 10, 20)  # offered where no day is chosen
LATEST_DAYS = 730  # a task that is due later is a wish
MOST_OPEN_TASKS = 50  # of one deal
MOST_PARTICIPANTS = 12
OVER = N_("This deal has ended: nobody joins it any more, and no task is opened again.")


class TaskState(StrEnum):
    """How far a task has come."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class TaskVerb(StrEnum):
    """What can be done to it."""

    DO = "do"
    DROP = "drop"
    REOPEN = "reopen"


class TaskParty(StrEnum):
    """Who may do it."""

    OWNER = "owner"  # the person it is for
    INSIDE = "inside"  # whoever acts for a side, or brokers


@dataclass(frozen=True)
class TaskTransition:
    """A row of the table of tasks."""

    verb: TaskVerb
    sources: tuple[TaskState, ...]
    target: TaskState
    who: tuple[TaskParty, ...]


_ANYBODY = (TaskParty.OWNER, TaskParty.INSIDE)
TASKS: tuple[TaskTransition, ...] = (
    TaskTransition(TaskVerb.DO, (TaskState.OPEN,), TaskState.DONE, _ANYBODY),
    TaskTransition(TaskVerb.DROP, (TaskState.OPEN,), TaskState.DROPPED, (TaskParty.INSIDE,)),
    TaskTransition(TaskVerb.REOPEN, (TaskState.DONE, TaskState.DROPPED), TaskState.OPEN, (TaskParty.INSIDE,)),
)
TASK_STATES: Mapping[TaskState, str] = {
    TaskState.OPEN: N_("open"),
    TaskState.DONE: N_("done"),
    TaskState.DROPPED: N_("dropped"),
}
TASK_LABELS: Mapping[TaskVerb, str] = {
    TaskVerb.DO: N_("It is done"),
    TaskVerb.DROP: N_("Drop it"),
    TaskVerb.REOPEN: N_("Open again"),
}


class ParticipantState(StrEnum):
    """How far a further participant has come."""

    ASKED_BOTH = "asked_both"
    ASKED_SENDER = "asked_sender"
    ASKED_RECEIVER = "asked_receiver"
    INVITED = "invited"
    JOINED = "joined"
    REFUSED = "refused"
    LEFT = "left"


class ParticipantVerb(StrEnum):
    """What can be done."""

    AGREE = "agree"
    REFUSE = "refuse"
    JOIN = "join"
    STAY_OUT = "stay_out"
    LEAVE = "leave"
    END = "end"


class Seat(StrEnum):
    """Who may do it."""

    SENDER = "sender"
    RECEIVER = "receiver"
    OPERATOR = "operator"
    GUEST = "guest"  # the participant


@dataclass(frozen=True)
class ParticipantTransition:
    """A row of the table of participants."""

    verb: ParticipantVerb
    sources: tuple[ParticipantState, ...]
    target: ParticipantState
    who: tuple[Seat, ...]


_S, _V = ParticipantState, ParticipantVerb
_BOTH_SIDES = (Seat.SENDER, Seat.RECEIVER)
PARTICIPANTS: tuple[ParticipantTransition, ...] = (
    ParticipantTransition(_V.AGREE, (_S.ASKED_BOTH,), _S.ASKED_RECEIVER, (Seat.SENDER,)),
    ParticipantTransition(_V.AGREE, (_S.ASKED_BOTH,), _S.ASKED_SENDER, (Seat.RECEIVER,)),
    ParticipantTransition(_V.AGREE, (_S.ASKED_SENDER,), _S.INVITED, (Seat.SENDER,)),
    ParticipantTransition(_V.AGREE, (_S.ASKED_RECEIVER,), _S.INVITED, (Seat.RECEIVER,)),
    ParticipantTransition(_V.REFUSE, (_S.ASKED_BOTH, _S.ASKED_SENDER), _S.REFUSED, (Seat.SENDER,)),
    ParticipantTransition(_V.REFUSE, (_S.ASKED_BOTH, _S.ASKED_RECEIVER), _S.REFUSED, (Seat.RECEIVER,)),
    ParticipantTransition(_V.JOIN, (_S.INVITED,), _S.JOINED, (Seat.GUEST,)),
    ParticipantTransition(_V.STAY_OUT, (_S.INVITED,), _S.REFUSED, (Seat.GUEST,)),
    ParticipantTransition(_V.LEAVE, (_S.JOINED,), _S.LEFT, (Seat.GUEST,)),
    ParticipantTransition(_V.END, (_S.INVITED, _S.JOINED), _S.LEFT, (*_BOTH_SIDES, Seat.OPERATOR)),
)
PARTICIPANT_STATES: Mapping[ParticipantState, str] = {
    _S.ASKED_BOTH: N_("both sides are asked"),
    _S.ASKED_SENDER: N_("one side is still asked"),
    _S.ASKED_RECEIVER: N_("one side is still asked"),
    _S.INVITED: N_("asked to take part"),
    _S.JOINED: N_("takes part"),
    _S.REFUSED: N_("refused"),
    _S.LEFT: N_("takes part no longer"),
}
PARTICIPANT_LABELS: Mapping[ParticipantVerb, str] = {
    _V.AGREE: N_("We agree"),
    _V.REFUSE: N_("We do not agree"),
    _V.JOIN: N_("Take part"),
    _V.STAY_OUT: N_("Stay out"),
    _V.LEAVE: N_("Leave the deal"),
    _V.END: N_("End the participation"),
}
WAITING = frozenset({_S.ASKED_BOTH, _S.ASKED_SENDER, _S.ASKED_RECEIVER, _S.INVITED})
LIVING = WAITING | {_S.JOINED}
# What the participant itself knows of: not before both sides have agreed.
KNOWN_TO_GUEST = frozenset({_S.INVITED, _S.JOINED})

ROLES: Mapping[str, str] = {
    "agency": N_("Public agency"),
    "exchange": N_("Further exchange or broker"),
    "adviser": N_("Adviser"),
    "tester": N_("Test laboratory"),
    "funder": N_("Funding body or investor"),
    "maker": N_("Manufacturer"),
    "research": N_("Research partner"),
}
IN_USE: Mapping[str, str] = {
    "yes": N_("Yes, in daily use"),
    "partly": N_("In part, or on trial"),
    "not_yet": N_("Not yet"),
    "stopped": N_("No longer"),
}
# Lines of a deal's ledger that move no stage.
DONE: Mapping[str, str] = {
    "task": N_("set a task"),
    "task_do": N_("did a task"),
    "task_drop": N_("dropped a task"),
    "task_reopen": N_("opened a task again"),
    "guest": N_("named a further participant"),
    "guest_agree": N_("agreed to a further participant"),
    "guest_refuse": N_("did not agree to a further participant"),
    "guest_join": N_("takes part from now on"),
    "guest_stay_out": N_("stays out"),
    "guest_leave": N_("left the deal"),
    "guest_end": N_("ended a participation"),
    "guest_open": N_("lets a further participant read papers that are not confidential"),
    "guest_shut": N_("lets a further participant read papers no longer"),
    "outcome": N_("said what came of it"),
    "goes_on": N_("said that the talks go on"),
}
