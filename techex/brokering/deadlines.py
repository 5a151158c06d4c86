"""What brokering asks of a person by a day: an answer, a look, word of a deal, a task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy.orm import Session

from techex.brokering import deals, pipeline, queries, tasks
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import Stage
from techex.brokering.rules import OPEN, Party, party_of, turn
from techex.brokering.tables import Interest
from techex.core.context import Context, MemberRole
from techex.core.deadlines import Deadline
from techex.core.vocabulary import N_
from techex.listings.deadlines import public_title
from techex.regions import working_days

_ANSWER = N_("Answer expression of interest %(number)s")
_ANSWER_PROPOSAL = N_("Answer proposal No. %(number)s")
_SCREEN = N_("Read and pass on expression of interest %(number)s")
_SILENT = N_("Say where deal %(number)s stands")
_TASK = N_("Do a task of deal %(number)s")
_OUTCOME = N_("Say what came of deal %(number)s")


def of_person(session: Session, context: Context) -> Iterator[Deadline]:
    """The expressions of interest whose turn is this person's, their tasks, and the next question about each deal."""
    for interest in queries.visible(session, context.actor, tuple(OPEN)):
        party = party_of(context.actor, interest.standing)
        if interest.due is not None and party is not None and _is_turn(interest, party):
            yield _of_interest(interest, interest.due, party)
    running = [stage for stage in Stage if stage not in (Stage.LEAD, Stage.LOST)]
    for deal in deals.visible(session, context, running):
        if pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR) is not None:
            yield from _of_deal(deal, working_days.here(context.now))
    for task in tasks.open_of(session, context):
        yield Deadline(
            key=f"task-{task.id}",
            due=task.due,
            what=_TASK,
            values={"number": task.deal_id},
            path=f"/deals/{task.deal_id}",
            changed_at=task.made_at,
            revision=task.revision,
            has_letter=True,
        )


def _is_turn(interest: Interest, party: Party) -> bool:
    turned = turn(interest.standing.state)
    return turned is party or (turned is Party.BOTH and party is not Party.OPERATOR)


def _of_interest(interest: Interest, due: date, party: Party) -> Deadline:
    answer = party is not Party.OPERATOR
    what = _ANSWER_PROPOSAL if interest.proposed else _ANSWER
    return Deadline(
        key=f"interest-{interest.id}-{'answer' if answer else 'screen'}",
        due=due,
        what=what if answer else _SCREEN,
        values={"number": interest.id},
        path=f"/interests/{interest.id}",
        changed_at=interest.forwarded_at or interest.sent_at,
        revision=interest.revision,
        title=public_title(interest.listing) if party is Party.RECEIVER else "",
    )


def _of_deal(deal: Deal, today: date) -> Iterator[Deadline]:
    """The question that comes next, or the one that has been asked and waits for an answer."""
    if deal.signed_at is not None:
        began, what, name = deal.signed_at, _OUTCOME, "outcome"
        marks = {months: timedelta(days=30 * months) for months in pipeline.REVIEW_MONTHS}
    elif deal.introduced_at is not None and Stage(deal.stage) in pipeline.OPEN:
        began, what, name = deal.introduced_at, _SILENT, "silent"
        marks = {days: timedelta(days=days) for days in pipeline.REMINDER_DAYS}
    else:
        return
    days = {mark: working_days.here(began) + after for mark, after in marks.items()}
    asked = [mark for mark, day in days.items() if day < today]
    coming = [mark for mark, day in days.items() if day >= today]
    for mark in asked[-1:] if deals.is_due(deal, today) else coming[:1]:
        yield Deadline(
            key=f"deal-{deal.id}-{name}-{mark}",
            due=days[mark],
            what=what,
            values={"number": deal.id},
            path=f"/deals/{deal.id}",
            changed_at=began,
            title=public_title(deal.interest.listing),
            has_letter=True,
        )
