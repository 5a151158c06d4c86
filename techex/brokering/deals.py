"""The verbs of deals: introduce, talk, write down the contract, confirm it on both sides, or lose it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering import credits, disclosing, letters, marks, pipeline
from techex.brokering.deal_tables import Deal, DealMessage, DealStep
from techex.brokering.disclosing import Rung
from techex.brokering.pipeline import Contract, Need, Stage, Standing, Transition, Verb
from techex.brokering.queries import in_places
from techex.brokering.rules import checked_reason
from techex.brokering.tables import Interest
from techex.core import audit, changes
from techex.core.audit import START, hash_after
from techex.core.context import Context, MemberRole
from techex.core.text import clean, clean_line, folded
from techex.core.vocabulary import N_, TRANSFER_FORMS
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.listings import disclosure
from techex.listings.rules import Visibility
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation, OrganisationMember
from techex.regions import working_days
from techex.regions.service import place_of_code

LONGEST_MESSAGE = 4000
LONGEST_NUMBER = 100
LONGEST_OUTCOME = 1000
LONGEST_CURRENCY = 3
MOST = 500  # of a person's list

_RESTRICTED = Visibility.RESTRICTED.value
_QUICKER = N_("Somebody else was quicker: look at where it stands now.")


def standing(deal: Deal) -> Standing:
    """Where a deal stands, as the rules ask."""
    interest = deal.interest.standing
    contract = deal.facts
    sides = (interest.sender_id, interest.receiver_id)
    rule = pipeline.rule_on(working_days.here(deal.signed_at)) if deal.signed_at else None
    return Standing(
        Stage(deal.stage),
        sides,
        (*interest.sender_places, *interest.receiver_places),
        frozenset(_done_by(deal)),
        contract is not None,
        bool(contract and rule and rule.obliges(contract)),
        disclosing.disclosure(deal.ledger, sides).in_force,
    )


def _done_by(deal: Deal) -> set[int]:
    """The sides that have taken the step that takes both, since the last thing that made it void."""
    done: set[int] = set()
    for step in deal.ledger:
        if step.verb == Verb.CONFIRM and step.organisation_id is not None:
            done.add(step.organisation_id)
        elif step.verb in set(Verb):
            done.clear()  # another stage, or another text of the contract
    return done


def open_deal(session: Session, context: Context, interest: Interest) -> Deal:
    """A lead: both sides have agreed to be introduced."""
    deal = Deal(interest=interest, opened_at=context.now)
    session.add(deal)
    session.flush()
    sends = context.actor.belongs_to(interest.sender_id)  # who says the last yes to a proposal
    note(session, context, deal, "open", interest.sender_id if sends else interest.receiver_id)
    credits.of_interest(session, context, deal)
    return deal


def of_interest(session: Session, interest: Interest) -> Deal | None:
    """The deal that came of an expression of interest."""
    return session.scalar(select(Deal).where(Deal.interest_id == interest.id))


def get(session: Session, context: Context, deal_id: int, *, to_change: bool = False) -> Deal:
    """A deal this person may see; NotFound with one sentence whether it is absent or hidden.

    `to_change` keeps others from taking a step until the end of the transaction.
    """
    deal = session.get(Deal, deal_id, with_for_update={"of": Deal} if to_change else None)
    if deal is None or not pipeline.may_see(context.actor, standing(deal)):
        raise NotFound(Sentence(N_("There is no deal number %(number)s here."), number=deal_id))
    return deal


def visible(session: Session, context: Context, stages: Collection[Stage] = tuple(Stage)) -> Sequence[Deal]:
    """The deals of this person in these stages, the newest first."""
    organisations = [membership.organisation_id for membership in context.actor.memberships]
    query = (
        select(Deal)
        .join(Interest, Interest.id == Deal.interest_id)
        .join(Listing, Listing.id == Interest.listing_id)
        .join(Organisation, Organisation.id == Interest.sender_id)
        .where(Deal.stage.in_([stage.value for stage in stages]))
        .where(
            or_(
                Interest.sender_id.in_(organisations),
                Interest.receiver_id.in_(organisations),
                *in_places(context.actor),
            )
        )
        .options(selectinload(Deal.ledger))
        .order_by(Deal.id.desc())
        .limit(MOST)
    )
    return [deal for deal in session.scalars(query).unique() if pipeline.may_see(context.actor, standing(deal))]


def verbs(context: Context, deal: Deal) -> list[Transition]:
    """What this person may do to it now."""
    return pipeline.allowed(context.actor, standing(deal))


def take(
    session: Session,
    context: Context,
    deal_id: int,
    verb: Verb,
    revision: int | None = None,
    given: Mapping[str, str] | None = None,
) -> Deal:
    """Take a step. `revision` is the one the person had before them, `given` what they filled in.

    Raises NotFound, NotAllowed, FieldErrors, Conflict where somebody else was quicker.
    """
    deal = get(session, context, deal_id, to_change=True)
    if revision is not None and revision != deal.revision:
        raise Conflict(Sentence(_QUICKER))
    row = next((row for row in verbs(context, deal) if row.verb is verb), None)
    if row is None:
        if not any(known.verb is verb and Stage(deal.stage) in known.sources for known in pipeline.TRANSITIONS):
            raise Conflict(Sentence(_QUICKER))
        raise NotAllowed(Sentence(N_("This step is for somebody else to take, or something is missing before it.")))
    side = pipeline.side_of(context.actor, standing(deal), MemberRole.EDITOR)
    detail = _fill(deal, verb, given or {})
    complete = Need.OTHER_SIDE not in row.needs or len(standing(deal).done_by | {side}) == len(standing(deal).sides)
    before = Stage(deal.stage)
    if row.target is not None and complete:
        deal.stage = row.target.value
    _moments(deal, context, before)
    if verb is Verb.INTRODUCE:
        _show_owners(session, context, deal)
    flag_modified(deal, "stage")  # the revision moves with every step, also with one that only the ledger shows
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(Sentence(_QUICKER)) from error
    note(session, context, deal, verb.value, side, detail)
    if side is None and context.actor.is_operator:
        credits.of_operator(session, context, deal, context.actor.places)
    return deal


def _fill(deal: Deal, verb: Verb, given: Mapping[str, str]) -> dict[str, Any]:
    """Write down what a step brings with it; what of it stands in the ledger."""
    match verb:
        case Verb.DRAW_UP:
            contract = checked_contract(given)
            deal.contract = contract.as_dict()
            return deal.contract
        case Verb.CONFIRM:
            return deal.contract or {}
        case Verb.REGISTER:
            deal.registration = _line(given, "registration", LONGEST_NUMBER)
            return {"registration": deal.registration}
        case Verb.REVIEW:
            deal.outcome = _text(given, "outcome", LONGEST_OUTCOME)
            return {"outcome": deal.outcome}
        case Verb.LOSE:
            deal.lost_at = deal.stage
            deal.reason, deal.reason_text = checked_reason(given.get("reason", ""), given.get("text", ""))
            return {"reason": deal.reason, "stage": deal.lost_at}
    return {}


def _line(given: Mapping[str, str], name: str, longest: int) -> str:
    text = clean_line(given.get(name, ""), name)
    if not 0 < len(text) <= longest:
        pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
        raise FieldErrors({name: Sentence(pattern, count=len(text), longest=longest)})
    return text


def _text(given: Mapping[str, str], name: str, longest: int) -> str:
    text = clean(given.get(name, ""), name)
    if not 0 < len(text) <= longest:
        pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
        raise FieldErrors({name: Sentence(pattern, count=len(text), longest=longest)})
    return text


def checked_contract(given: Mapping[str, str]) -> Contract:
    """What was signed, as a form gives it. Raises FieldErrors naming every field that is wrong."""
    errors: dict[str, str] = {}
    band, form = given.get("value_band", ""), given.get("transfer_form", "")
    currency = given.get("currency", "").strip().upper()
    if band not in pipeline.VALUE_BANDS:
        errors["value_band"] = Sentence(N_("Choose how much it is worth."))
    if not (len(currency) == LONGEST_CURRENCY and currency.isascii() and currency.isalpha()):
        errors["currency"] = Sentence(N_("Expected three letters, as VND or EUR."))
    if form not in TRANSFER_FORMS:
        errors["transfer_form"] = Sentence(N_("Choose the form of transfer."))
    places = {}
    for name in ("origin", "application"):
        place = place_of_code(given.get(name, ""))
        if place is None:
            errors[name] = Sentence(N_("Choose a province or a country."))
        else:
            places[name] = place.code
    if errors:
        raise FieldErrors(errors)
    money, certified = _yes(given, "state_money"), _yes(given, "certified")
    return Contract(band, currency, form, places["origin"], places["application"], money, certified)


def _yes(given: Mapping[str, str], name: str) -> bool:
    return given.get(name) == "yes"


def _moments(deal: Deal, context: Context, before: Stage) -> None:
    after = Stage(deal.stage)
    if after is before:
        return
    if after is Stage.INTRODUCED:
        deal.introduced_at = context.now
    elif after is Stage.SIGNED:
        deal.signed_at = context.now
    elif after in (Stage.LOST, Stage.REVIEWED):
        deal.closed_at = context.now


def _show_owners(session: Session, context: Context, deal: Deal) -> None:
    """An anonymous listing tells the other side whose it is, now that an operator introduces them; of a proposal, to
    which both owners said yes, each side may read the other's listing too.

    The operator may serve one place only: both sides have agreed, so the introduction holds for both.
    """
    interest = deal.interest
    sides: list[tuple[Listing | None, Any]] = [
        (interest.listing, interest.sender),
        (interest.own_listing, interest.receiver),
    ]
    for listing, other in sides:
        if listing is None or not (listing.anonymous or (interest.proposed and listing.visibility == _RESTRICTED)):
            continue
        serving = replace(context.actor, places=context.actor.places | frozenset(listing.place_codes))
        disclosure.introduce(session, replace(context, actor=serving), listing, other)


def write_message(
    session: Session,
    context: Context,
    deal_id: int,
    text: str,
    language: str,
    rung: str = Rung.NON_CONFIDENTIAL,
) -> DealMessage:
    """Say something to the other participants; only once both were introduced. The other side reads it as soon as its
    rung is open.

    Raises NotFound, Conflict before the introduction, BadInput for an empty or too long text or an unknown rung.
    """
    deal = get(session, context, deal_id)
    if Stage(deal.stage) is Stage.LEAD:
        raise Conflict(Sentence(N_("Messages begin with the introduction.")))
    text = clean(text, "text")
    if not 0 < len(text) <= LONGEST_MESSAGE:
        pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
        raise BadInput(Sentence(pattern, count=len(text), longest=LONGEST_MESSAGE), "text")
    if rung not in disclosing.SAYABLE:
        raise BadInput(Sentence(N_("Choose who may read it.")), "rung")
    side = pipeline.side_of(context.actor, standing(deal))
    message = DealMessage(
        deal_id=deal.id,
        at=context.now,
        person_id=context.actor.person_id,
        organisation_id=side,
        language=language,
        text=text,
        rung=str(rung),
        keywords=folded(text),
    )
    session.add(message)
    session.flush()
    note(session, context, deal, "message", side, {"message": message.id, "rung": message.rung})
    return message


def contacts(session: Session, deal: Deal) -> Sequence[OrganisationMember]:
    """The people of both sides who may act in it, once they were introduced; nobody before."""
    if deal.introduced_at is None:
        return []
    sides = [deal.interest.sender_id, deal.interest.receiver_id]
    roles = [MemberRole.EDITOR.value, MemberRole.MANAGER.value]
    query = (
        select(OrganisationMember)
        .join(Person, Person.id == OrganisationMember.person_id)
        .where(OrganisationMember.organisation_id.in_(sides), OrganisationMember.role.in_(roles))
        .where(and_(Person.disabled_at.is_(None), Person.deleted_at.is_(None)))
        .order_by(OrganisationMember.organisation_id, OrganisationMember.id)
    )
    return session.scalars(query).unique().all()


def note(
    session: Session,
    context: Context,
    deal: Deal,
    verb: str,
    organisation_id: int | None,
    detail: Mapping[str, Any] | None = None,
) -> DealStep:
    """One more line of the ledger, which follows from the one before it."""
    changes.hold(session)  # of two who note something at once the second follows from the first one's line
    lines = select(DealStep).where(DealStep.deal_id == deal.id).order_by(DealStep.number.desc())
    last = session.scalar(lines.limit(1))
    step = DealStep(
        deal_id=deal.id,
        number=(last.number if last else 0) + 1,
        at=context.now,
        person_id=context.actor.person_id,
        organisation_id=organisation_id,
        verb=verb,
        stage=deal.stage,
        detail=json.loads(json.dumps(dict(detail or {}))),
    )
    step.hash = hash_after(last.hash if last else START, content_of(step))
    deal.ledger.append(step)
    changes.record(session, context, "deal", deal.id, verb)
    audit.record(session, context, f"deal {verb}", "deal", deal.id, {"stage": deal.stage, "receipt": step.hash})
    session.flush()
    return step


def content_of(step: DealStep) -> str:
    """What a line says, in one canonical form. The person stands in it by number only: names go with accounts."""
    at = step.at.astimezone(UTC).isoformat(timespec="microseconds")
    values = [step.number, at, step.organisation_id, step.verb, step.stage, step.detail]
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def broken_at(deal: Deal) -> int | None:
    """The number of the first line of the ledger that does not follow; None where all do."""
    previous = START
    for number, step in enumerate(deal.ledger, 1):
        if step.number != number or step.hash != hash_after(previous, content_of(step)):
            return number
        previous = step.hash
    return None


def ask_after(session: Session, context: Context, house: House) -> int:
    """Write to both sides of deals that are silent 30, 90 or 180 days after the introduction, and of contracts 6, 12 or
    24 months after they were signed; each once. Returns how many letters.
    """
    today, sent = working_days.here(context.now), 0
    waiting = [stage.value for stage in Stage if stage not in (Stage.LEAD, Stage.LOST)]
    for deal in session.scalars(select(Deal).where(Deal.stage.in_(waiting)).order_by(Deal.id)).unique():
        if is_due(deal, today) == "reminder" and deal.introduced_at is not None:
            days = marks.reached(pipeline.REMINDER_DAYS, (today - working_days.here(deal.introduced_at)).days)
            sent += letters.remind(session, context, house, deal, days) if days else 0
        elif is_due(deal, today) == "outcome" and deal.signed_at is not None:
            sent += letters.ask_outcome(session, context, house, deal, marks.mark_of(deal, today))
    return sent


def is_due(deal: Deal, today: date) -> str | None:
    """What a deal waits for that somebody should ask about: "reminder" or "outcome"; None where nothing is due.

    `today` is the day it is in Vietnam, as for every deadline, and what began is counted from such a day.
    """
    if deal.signed_at is not None:
        return "outcome" if marks.is_asked(deal, today) else None
    if deal.introduced_at is None or Stage(deal.stage) not in pipeline.OPEN:
        return None
    moved = deal.ledger[-1].at if deal.ledger else deal.introduced_at
    return "reminder" if (today - working_days.here(moved)).days >= pipeline.REMINDER_DAYS[0] else None
