"""Everything that waits for an operator in their own places, gathered from the domains."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from techex.admin import desk, handing
from techex.admin.desk import Item, Task
from techex.brokering import deals, expected, pipeline, proposals, service, tasks
from techex.brokering.course_tables import DealTask
from techex.brokering.deal_tables import Deal
from techex.brokering.expected import Chances
from techex.brokering.pipeline import Stage
from techex.brokering.rules import Party, State
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.listings import reviews
from techex.listings.reviews import Waiting
from techex.listings.rules import State as ListingState
from techex.organisations import queries as organisations
from techex.regions import working_days
from techex.regions.rules import Place

MOST_ORGANISATIONS = 200  # those who wait longest; the rest is on the page of verification
_WATCHED = (*pipeline.OPEN, Stage.SIGNED, Stage.REGISTERED, Stage.IMPLEMENTED)


def items(session: Session, context: Context, readers: int, language: str) -> tuple[list[Item], int]:
    """What waits, in no order, and how many listings elsewhere wait for a second reader.

    `language` is that of names. Raises NotAllowed to whoever is no operator.
    """
    lines = reviews.queue(session, context, readers)
    found = [_review(session, line) for line in lines if line.own_place and not line.read]
    found += _organisations(session, context, language)
    chances = expected.chances(session)
    found += [_interest(one, chances) for one in service.for_operator(session, context)]
    today = working_days.here(context.now)
    for deal in deals.visible(session, context, _WATCHED):
        if pipeline.is_operator(context.actor, deals.standing(deal)) and (item := _deal(deal, today)):
            found.append(replace(item, worth=chances.of(deal.stage, expected.band_of_deal(deal))))
    mine = tasks.open_of(session, context)
    found += [_task(one) for one in mine if pipeline.is_operator(context.actor, deals.standing(one.deal))]
    found += [_proposal(one, chances) for one in proposals.open_for(session, context) if _is_near(one, today)]
    found = handing.held(session, desk.dated(found, today), today, handing.colleagues(session, context))
    return found, sum(not line.own_place for line in lines)


def _review(session: Session, line: Waiting) -> Item:
    listing, what, at_once = line.listing, desk.SUBMITTED, False
    since = line.review.submitted_at if line.review else listing.updated_at
    match ListingState(listing.state):
        case ListingState.FLAGGED:
            what, at_once = desk.REPORTED, True
            since = next((one.reported_at for one in reviews.reports_of(session, listing)), since)
        case ListingState.ON_HOLD:
            what = desk.ON_HOLD
        case ListingState.UNDER_REVIEW:
            what = desk.UNDER_REVIEW
    if line.revision is not None:
        what = desk.NEW_VERSION
    due = line.review.due if line.review else None
    places = (listing.place,)
    return Item(
        *(Task.REVIEW, listing.id, listing.title, listing.language, what, places, since, due, at_once),
        kind=listing.kind,
        number=listing.id,
        holder=line.review.taken_by if line.review else None,
    )


def _organisations(session: Session, context: Context, language: str) -> list[Item]:
    found: list[Item] = []
    page, pages = 1, 1
    while page <= pages and len(found) < MOST_ORGANISATIONS:
        part = organisations.waiting(session, context.actor.places, page)
        for one in part.organisations:
            due = working_days.after(working_days.here(one.created_at), desk.VERIFY_WORKING_DAYS)
            # Where somebody let it into the directory already, nobody stands at the door.
            what, when = (desk.IN_DIRECTORY, None) if one.listed else (desk.UNVERIFIED, due)
            found.append(
                Item(Task.VERIFY, one.slug, one.name_in(language), "", what, (one.place,), one.created_at, when)
            )
        page, pages = page + 1, part.pages
    return found[:MOST_ORGANISATIONS]


def _task(one: DealTask) -> Item:
    """A task of this very person; what it is called stands in place of a title."""
    return Item(
        *(Task.TODO, one.deal_id, one.title, one.language, desk.TASKS[Task.TODO], _sides(one.deal.interest)),
        *(one.made_at, one.due),
        number=one.deal_id,
        holder=one.owner_id,
    )


def _is_near(interest: Interest, today: date) -> bool:
    """True in the last days before a proposal lapses: a call may still save it."""
    return interest.due is not None and working_days.until(today, interest.due) <= desk.CALL_WORKING_DAYS


def _proposal(interest: Interest, chances: Chances) -> Item:
    return replace(_interest(interest, chances), task=Task.PROPOSAL, what=desk.LAST_DAYS)


def _sides(interest: Interest) -> tuple[Place, ...]:
    """Where it goes to and where it comes from."""
    return tuple(dict.fromkeys((interest.listing.place, interest.sender.place)))


def _interest(interest: Interest, chances: Chances) -> Item:
    what = desk.TAKE_UP if interest.state == State.SENT else desk.FORWARD
    listing = interest.listing
    return Item(
        *(Task.INTEREST, interest.id, listing.title, listing.language, what, _sides(interest)),
        *(interest.sent_at, interest.due),
        kind=listing.kind,
        number=interest.id,
        worth=chances.of(expected.ASKED, expected.band_of_listing(listing, interest.own_listing)),
        holder=next((step.person_id for step in reversed(interest.steps) if step.party == Party.OPERATOR), None),
    )


def _deal(deal: Deal, today: date) -> Item | None:
    """What of a deal waits for its operator; None where nothing does."""
    signed = deal.signed_at
    if deal.stage == Stage.LEAD:
        due = working_days.after(working_days.here(deal.opened_at), desk.INTRODUCE_WORKING_DAYS)
        return _of_deal(deal, Task.INTRODUCE, desk.AGREED, deal.opened_at, due)
    if signed is not None and deal.stage == Stage.SIGNED and deals.standing(deal).obliged:
        due = working_days.here(signed) + timedelta(days=desk.REGISTRATION_DAYS)
        return _of_deal(deal, Task.REGISTRATION, desk.NO_NUMBER, signed, due)
    what = deals.is_due(deal, today)
    if what == "outcome" and signed is not None:
        due = working_days.here(signed) + timedelta(days=30 * pipeline.REVIEW_MONTHS[0])
        return _of_deal(deal, Task.OUTCOME, desk.HOW_DID_IT_TURN_OUT, signed, due)
    if what == "reminder":
        moved = deal.ledger[-1].at
        due = working_days.here(moved) + timedelta(days=pipeline.REMINDER_DAYS[0])
        return _of_deal(deal, Task.SILENT, desk.NOTHING_HAPPENED, moved, due)
    return None


def _of_deal(deal: Deal, task: Task, what: str, since: datetime, due: date) -> Item:
    listing = deal.interest.listing
    return Item(
        *(task, deal.id, listing.title, listing.language, what, _sides(deal.interest), since, due),
        kind=listing.kind,
        number=deal.id,
        holder=next((step.person_id for step in reversed(deal.ledger) if step.organisation_id is None), None),
    )
