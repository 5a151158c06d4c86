"""Pages of expressions of interest: write one, see where they stand, take the next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for
from sqlalchemy.orm import Session

from techex.accounts.service import House, names_of
from techex.brokering import deals, interest_list, proposal_views, rules, service
from techex.brokering.rules import Party, Verb
from techex.brokering.service import Draft
from techex.brokering.tables import Interest, InterestStep
from techex.core.context import Context, MemberRole, Role
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, Sentence
from techex.listings import service as listings
from techex.listings.rules import FIELD_BY_NAME
from techex.listings.tables import Listing
from techex.matching.verdicts import Refusal
from techex.organisations import service as organisations
from techex.organisations.tables import Organisation
from techex.regions import working_days
from techex.settings import Settings
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("brokering", __name__)


def _house() -> House:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return House(found.exchange_name, identity.outside_url)


@blueprint.get("/interests")
@policy.open_to(policy.signed_in)
def interests() -> Response:
    """All that concern this person, first those that wait for them."""
    context = identity.context()
    with identity.database().reading() as session:
        everything = service.of_person(session, context)
        rows = _rows(session, context, everything)
        return replies.page(
            "brokering/interests.html",
            found=interest_list.TABLE.ask(rows, request.args),
            waiting=sum(row.is_yours for row in rows),
            said_no=service.reasons(context, everything),
            reasons=rules.REASONS,
            kind_words=rules.KIND_WORDS,
            today=working_days.here(context.now),
            **_words(session, context),
        )


@blueprint.get(f"/interests.{tables.FILE}")
@policy.open_to(policy.signed_in)
def file(suffix: str) -> Response:
    """All lines of that list, with the same filters."""
    context = identity.context()
    with identity.database().reading() as session:
        rows = _rows(session, context, service.of_person(session, context))
        return interest_list.TABLE.file(rows, request.args, suffix)


def _rows(session: Session, context: Context, found: Sequence[Interest]) -> list[interest_list.Row]:
    return [
        interest_list.Row(
            one,
            service.side_of(context, one),
            rules.turn(rules.State(one.state)),
            bool(service.verbs(context, one)) and _is_turn(context, one),
            _names_shown(session, context, one),
        )
        for one in found
    ]


def _is_turn(context: Context, interest: Interest) -> bool:
    turn = rules.turn(rules.State(interest.state))
    side = service.side_of(context, interest)
    return side is not None and (side is turn or (turn is Party.BOTH and side is not Party.OPERATOR))


def _words(session: Session, context: Context) -> dict[str, Any]:
    """What templates of this folder may say."""
    return {
        "states": rules.STATES,
        "turns": rules.TURNS,
        "turn_of": lambda interest: rules.turn(rules.State(interest.state)),
        "is_turn": lambda interest: _is_turn(context, interest),
        "side_of": lambda interest: service.side_of(context, interest),
        "names_shown": lambda interest: _names_shown(session, context, interest),
        "Party": Party,
    }


def _names_shown(session: Session, context: Context, interest: Interest) -> bool:
    """Whether this reader may know who the people and the sender are: operators may, the sides once introduced."""
    if service.side_of(context, interest) not in (Party.SENDER, Party.RECEIVER):
        return True
    deal = deals.of_interest(session, interest) if interest.state == rules.State.ACCEPTED else None
    return deal is not None and deal.introduced_at is not None


def _named_steps(session: Session, context: Context, interest: Interest) -> list[tuple[InterestStep, str]]:
    """Its steps with the names of those who took them, as far as this reader may know them."""
    names = names_of(session, [step.person_id for step in interest.steps if step.person_id])
    side, shown = service.side_of(context, interest), _names_shown(session, context, interest)
    return [
        (step, names.get(step.person_id or 0, "") if shown or (side and step.party == side.value) else "")
        for step in interest.steps
    ]


@blueprint.get("/interests/new")
@policy.open_to(policy.signed_in)
def new() -> Response:
    """The form: three short texts for the owner of a listing."""
    with identity.database().reading() as session:
        return _form(session, {}, None)


@blueprint.post("/interests/new")
@policy.open_to(policy.signed_in)
def send() -> Response:
    """Send it; what is wrong is said beside the form with everything still in it."""
    context = identity.context()
    texts = {rule.name: request.form.get(rule.name, "") for rule in rules.TEXTS}
    try:
        with identity.database().transaction() as session:
            sender = _sender(session, context)
            draft = Draft(texts, page_language())
            own = whole(request.form.get("own"), 0) or None
            number = service.send(session, context, _house(), _listing_id(), sender, draft, own).id
    except (BadInput, Conflict) as error:
        with identity.database().reading() as session:
            return _form(session, texts, error)
    return replies.see_other(url_for("brokering.interest", interest_id=number))


def _listing_id() -> int:
    return whole(request.values.get("listing"), 0)


def _sender(session: Session, context: Context) -> Organisation:
    wanted = whole(request.values.get("for"), 0)
    found = organisations.organisations(session, [wanted]).get(wanted)
    if found is None or not context.actor.belongs_to(wanted):
        pattern = N_("Choose one of your verified organisations, of which you are an editor or manager.")
        raise NotAllowed(Sentence(pattern))
    return found


def _form(session: Session, texts: Mapping[str, str], error: Exception | None) -> Response:
    context = identity.context()
    listing = listings.get_visible(session, context, _listing_id())
    mine = organisations.organisations(session, service.senders(context, listing))
    own = _own_listing(session, context, listing)
    return replies.page(
        "brokering/new.html",
        status_of(error) if isinstance(error, (BadInput, Conflict)) else 200,
        listing=listing,
        own=own,
        senders=sorted(mine.values(), key=lambda one: one.name),
        chosen=whole(request.values.get("for"), own.organisation_id if own else 0),
        texts=texts,
        rules=rules.TEXTS,
        errors=error.fields if isinstance(error, FieldErrors) else {},
        conflict=error.args[0] if isinstance(error, Conflict) else None,
    )


def _own_listing(session: Session, context: Context, listing: Listing) -> Listing | None:
    """The reader's own listing from which they came, if any."""
    number = whole(request.values.get("own"), 0)
    if not number:
        return None
    own = listings.get_visible(session, context, number)
    return own if context.actor.belongs_to(own.organisation_id) and own.kind != listing.kind else None


@blueprint.get("/interests/<int:interest_id>")
@policy.open_to(policy.signed_in)
def interest(interest_id: int) -> Response:
    """One expression of interest: its texts, whose turn it is, its way so far."""
    with identity.database().reading() as session:
        return _page(session, service.get(session, identity.context(), interest_id))


def _page(session: Session, found: Interest, error: Exception | None = None) -> Response:
    context = identity.context()
    own = found.own_listing
    more = proposal_views.parts(session, context, found, service.side_of(context, found)) if found.proposed else {}
    return replies.page(
        "brokering/proposal.html" if found.proposed else "brokering/interest.html",
        status_of(error) if isinstance(error, BadInput) else 200,
        interest=found,
        texts=[(rule, getattr(found, rule.name)) for rule in rules.TEXTS],
        verbs=[row.verb for row in service.verbs(context, found)],
        labels=rules.LABELS,
        reasons=rules.REASONS,
        kind_words=rules.KIND_WORDS.get(Refusal(found.reason)) if found.reason else None,
        needs_reason=rules.NEEDS_REASON,
        steps=_named_steps(session, context, found),
        done=rules.DONE,
        deal=deals.of_interest(session, found),
        own=own if own is not None and listings.sees(context, own) else None,
        errors=error.fields if isinstance(error, FieldErrors) else {},
        sent=request.form,
        today=working_days.here(context.now),
        own_listing=own,
        **more,
        **_words(session, context),
    )


@blueprint.post(f"/interests/<int:interest_id>/<any({', '.join(verb.value for verb in Verb)}):verb>")
@policy.open_to(policy.signed_in)
def step(interest_id: int, verb: str) -> Response:
    """Take the next step."""
    context, form = identity.context(), request.form
    try:
        with identity.database().transaction() as session:
            service.take(
                session,
                context,
                _house(),
                interest_id,
                Verb(verb),
                whole(form.get("revision"), 0),
                form.get("reason", ""),
                form.get("text", ""),
            )
    except FieldErrors as error:
        with identity.database().reading() as session:
            return _page(session, service.get(session, context, interest_id), error)
    return replies.see_other(url_for("brokering.interest", interest_id=interest_id))


def init_app(app: Flask) -> None:
    """Teach templates of other domains what brokering adds to their pages."""

    def may_ask(listing: Listing) -> bool:
        """Whether "ask for an introduction" is of use to this reader: not to its owner, nor to operators."""
        actor = identity.context().actor
        outside = actor.role in (Role.ANYONE, Role.PERSON) and not actor.is_operator
        return (
            listing.open_for_interest
            and listing.state == "published"
            and outside
            and not actor.belongs_to(listing.organisation_id)
        )

    def ask_address(own_id: int | None, other: Listing) -> str:
        """Where the owner of one listing asks for an introduction to that of another; "" where they may not."""
        if own_id is None or not may_ask(other):
            return ""
        actor = identity.context().actor
        if not any(one.verified and one.role.includes(MemberRole.EDITOR) for one in actor.memberships):
            return ""
        with identity.database().reading() as session:
            own = session.get(Listing, own_id)
            if own is None or own.kind == other.kind or not actor.belongs_to(own.organisation_id, MemberRole.EDITOR):
                return ""
        sender: dict[str, Any] = {"for": own.organisation_id}  # a word that Python keeps for itself
        return url_for("brokering.new", listing=other.id, own=own_id, **sender)

    def readers_said(listing_id: int | None) -> list[tuple[str, int, str, str]]:
        """For its owner: why readers of this listing declined, how often, which field could say more and its label."""
        if listing_id is None:
            return []
        with identity.database().reading() as session:
            listing = session.get(Listing, listing_id)
            if listing is None or not identity.context().actor.belongs_to(listing.organisation_id):
                return []
            return [
                (rules.REASONS[reason], count, field or "", FIELD_BY_NAME[field].label if field else "")
                for reason, count, field in service.declines(session, listing)
            ]

    app.jinja_env.globals.update(may_ask=may_ask, ask_address=ask_address, readers_said=readers_said)
