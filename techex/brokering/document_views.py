"""Pages of the papers of a deal: the ladder, what stands on it, who had it and when; search over all deals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, request, send_file, url_for
from sqlalchemy.orm import Session

from techex.accounts.service import House, names_of
from techex.brokering import agreements, deal_letters, deals, disclosing, paper_text, papers, pipeline, talk, turns
from techex.brokering.deal_tables import Deal, DealStep
from techex.brokering.disclosing import Disclosure, Rung, Step
from techex.brokering.paper_tables import DealPaper, DealPaperVersion
from techex.core.context import Context, MemberRole
from techex.core.limits import Rate
from techex.core.vocabulary import N_
from techex.errors import BadInput, FieldErrors, NotFound, Sentence
from techex.listings import attachments
from techex.organisations import service as organisations
from techex.settings import Settings
from techex.web import identity, policy, replies
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("papers", __name__)

LARGEST_UPLOAD = attachments.LARGEST_FILE + 100_000  # bytes of a request with a file and its form
WITH_FILES = ("papers.add", "papers.change", "agreement.upload")
UPLOADS = (Rate(60, 3600),)  # of one person: more than anybody hands over by hand


@blueprint.before_app_request
def _room_for_files() -> None:
    # Asked before anything reads the form: the token of the form is in it too.
    if request.endpoint in WITH_FILES:
        request.max_content_length = LARGEST_UPLOAD


def house() -> House:
    """What letters say of the exchange."""
    return House(_settings().exchange_name, identity.outside_url)


def data_dir() -> Path:
    """Where the contents of papers are kept."""
    return _settings().data_dir


def _settings() -> Settings:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found


@dataclass(frozen=True)
class Shown:
    """What the pages of a deal say of disclosure, for one reader."""

    how_far: Disclosure
    turn: turns.Turn
    who: str
    ladder: list[tuple[Step, bool, int]]  # a rung, whether it is open to this reader, how many papers wait on it
    papers: list[DealPaper]
    agreement: DealPaper | None  # the one that lies before both, if any
    mine: int | None
    hidden_messages: int
    may_hand_over: bool
    may_accept: bool
    may_open: bool
    found: list[DealPaper]  # papers with the words that were looked for, if any were
    labels: Mapping[Rung, str]


def shown(session: Session, context: Context, deal: Deal, words: str = "") -> Shown:
    """Read it."""
    how_far, mine = talk.disclosed(deal), talk.side_in(context, deal)
    waiting = papers.waiting(session, context, deal)
    turn = turns.turn(deals.standing(deal), how_far, mine)
    listed = [one for one in talk.papers(session, context, deal) if one.kind == papers.PAPER]
    editor = pipeline.side_of(context.actor, deals.standing(deal), MemberRole.EDITOR)
    return Shown(
        how_far,
        turn,
        turns.WHO[turn.who],
        [(step, _is_open(how_far, step.rung, mine), waiting.get(step.rung, 0)) for step in disclosing.LADDER],
        listed,
        agreements.of_deal(session, deal) if how_far.agreement else None,
        mine,
        talk.hidden(session, context, deal),
        deal.stage != pipeline.Stage.LOST and (editor is not None or mine is None),
        agreements.may_accept(context, deal),
        how_far.may_open(editor),
        talk.papers(session, context, deal, words) if words else [],
        disclosing.LABELS,
    )


def _is_open(how_far: Disclosure, rung: Rung, mine: int | None) -> bool:
    """True for a rung of which this reader is shown what the other side put there; operators: what either did."""
    return any(how_far.is_open(rung, side) for side in how_far.sides if side != mine)


def note_reading(deal_id: int) -> None:
    """Write into the ledger what this person reads now for the first time; nothing is written where it is nothing."""
    context = identity.context()
    if request.method != "GET":
        return
    with identity.database().reading() as session:
        if not talk.unread_by(session, context, deals.get(session, context, deal_id)):
            return
    with identity.database().transaction() as session:
        talk.note_reading(session, context, papers.held(session, context, deal_id))


def tell_of_message(session: Session, deal: Deal, rung: str) -> None:
    """Write to the other side that there is something to read, where it may read it already."""
    if talk.disclosed(deal).is_open(Rung(rung), talk.side_in(identity.context(), deal)):
        deal_letters.news(session, identity.context(), house(), deal)


@blueprint.get("/deals/<int:deal_id>/papers")
@policy.open_to(policy.signed_in)
def index(deal_id: int) -> Response:
    """The ladder, the papers, and what may be done with one's own."""
    with identity.database().reading() as session:
        return _page(session, deals.get(session, identity.context(), deal_id))


def _page(session: Session, deal: Deal, error: BadInput | None = None, about: int = 0) -> Response:
    context = identity.context()
    return replies.page(
        "brokering/papers.html",
        status_of(error) if error else 200,
        deal=deal,
        shown=shown(session, context, deal),
        labels=disclosing.LABELS,
        looks=_looks(session, deal),
        name_for=lambda paper, version: papers.name_for(context, deal, paper, version),
        sides=_side_names(session, context, deal),
        most_papers=papers.MOST_PAPERS,
        largest_file=attachments.LARGEST_FILE // 1_000_000,
        longest_note=papers.LONGEST_NOTE,
        errors=errors_of(error),
        about=about,
        sent=request.form,
    )


def errors_of(error: BadInput | None) -> dict[str, str]:
    """What is wrong, by field."""
    if isinstance(error, FieldErrors):
        return dict(error.fields)
    return {error.about or "file": error.sentence} if error else {}


def _side_names(session: Session, context: Context, deal: Deal) -> Mapping[int | None, str]:
    """What both sides are called for this reader; before the introduction only their own."""
    mine = talk.side_in(context, deal)
    known = deal.introduced_at is not None or mine is None
    found = organisations.organisations(session, {deal.interest.sender_id, deal.interest.receiver_id})
    return {number: one.name_in(page_language()) for number, one in found.items() if known or number == mine}


def _looks(session: Session, deal: Deal) -> Mapping[int, list[tuple[DealStep, str]]]:
    """Who has downloaded which paper, by its number: lines of the ledger with the name of the person."""
    lines = [line for line in deal.ledger if line.verb == disclosing.Act.LOOK]
    names = names_of(session, [line.person_id for line in lines if line.person_id])
    known = deal.introduced_at is not None
    found: dict[int, list[tuple[DealStep, str]]] = {}
    for line in lines:
        name = names.get(line.person_id or 0, "") if known else ""
        found.setdefault(int(line.detail["paper"]), []).append((line, name))
    return found


def sent_file() -> tuple[str, bytes]:
    """Name and content of the file of a form."""
    sent = request.files.get("file")
    return (sent.filename or "", sent.read(LARGEST_UPLOAD)) if sent else ("", b"")


def may_upload(deal_id: int) -> None:
    """Raises before a file is looked at where the person may hand nothing over, or does so too often."""
    context = identity.context()
    with identity.database().reading() as session:
        papers.acting_side(context, deals.get(session, context, deal_id))
    identity.limited("deal paper", str(context.actor.person_id), UPLOADS)


@blueprint.post("/deals/<int:deal_id>/papers")
@policy.open_to(policy.signed_in)
def add(deal_id: int) -> Response:
    """Put a paper on the ladder."""
    may_upload(deal_id)
    said = request.form
    draft = papers.Draft(said.get("title", ""), said.get("note", ""), said.get("rung", ""), page_language())

    def put(session: Session) -> Deal:
        paper = papers.add(session, identity.context(), data_dir(), deal_id, name, file, draft, said_in_it)
        deal = deals.get(session, identity.context(), deal_id)
        if talk.disclosed(deal).is_open(Rung(paper.rung), paper.organisation_id):
            deal_letters.news(session, identity.context(), house(), deal)
        return deal

    try:
        name, content = sent_file()
        file = attachments.cleaned(content)
        said_in_it = paper_text.words_in(file)
    except BadInput as error:
        return _again(deal_id, error)
    return _done(deal_id, put)


def _done(deal_id: int, act: Callable[[Session], Any], about: int = 0) -> Response:
    try:
        with identity.database().transaction() as session:
            act(session)
    except BadInput as error:
        return _again(deal_id, error, about)
    return replies.see_other(url_for("papers.index", deal_id=deal_id, _anchor=f"paper-{about}" if about else None))


def _again(deal_id: int, error: BadInput, about: int = 0) -> Response:
    with identity.database().reading() as session:
        return _page(session, deals.get(session, identity.context(), deal_id), error, about)


@blueprint.post("/deals/<int:deal_id>/papers/<int:paper>/versions")
@policy.open_to(policy.signed_in)
def change(deal_id: int, paper: int) -> Response:
    """A new version of one's own paper."""
    may_upload(deal_id)
    try:
        name, content = sent_file()
        file = attachments.cleaned(content)
    except BadInput as error:
        return _again(deal_id, error, paper)
    context, said = identity.context(), paper_text.words_in(file)
    return _done(deal_id, lambda on: papers.change(on, context, data_dir(), deal_id, paper, name, file, said), paper)


@blueprint.post("/deals/<int:deal_id>/papers/<int:paper>/rung")
@policy.open_to(policy.signed_in)
def move(deal_id: int, paper: int) -> Response:
    """Another rung for one's own paper."""
    rung = request.form.get("rung", "")
    return _done(deal_id, lambda session: papers.move(session, identity.context(), deal_id, paper, rung), paper)


@blueprint.post("/deals/<int:deal_id>/papers/<int:paper>/withdraw")
@policy.open_to(policy.signed_in)
def withdraw(deal_id: int, paper: int) -> Response:
    """Take one's own paper away."""
    return _done(deal_id, lambda session: papers.withdraw(session, identity.context(), deal_id, paper), paper)


@blueprint.post("/deals/<int:deal_id>/papers/open")
@policy.open_to(policy.signed_in)
def open_all(deal_id: int) -> Response:
    """Open one's own full documents to the other side."""

    def opened(session: Session) -> None:
        deal = papers.open_documents(session, identity.context(), deal_id)
        deal_letters.news(session, identity.context(), house(), deal)

    return _done(deal_id, opened)


@blueprint.get("/deals/<int:deal_id>/papers/<int:paper>/<int:version>")
@policy.open_to(policy.signed_in)
def download(deal_id: int, paper: int, version: int) -> Response:
    """A version of a paper as a download. That it was handed out is written down before it is."""
    with identity.database().transaction() as session:
        handed_out = request.method == "GET"  # HEAD gets no content
        found, name = papers.look(session, identity.context(), deal_id, paper, version, handed_out)
        return as_download(found, name)


def as_download(found: DealPaperVersion, name: str) -> Response:
    """The content of a version of a paper. Raises NotFound where it is gone."""
    path = attachments.path_of(data_dir(), found.digest, papers.FOLDER)
    if not path.is_file():
        raise NotFound(Sentence(N_("The content of %(name)s is not here any more."), name=name))
    response = send_file(
        BytesIO(path.read_bytes()), found.media_type, as_attachment=True, download_name=name, conditional=False
    )
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/deals/search")
@policy.open_to(policy.signed_in)
def search() -> Response:
    """Words in the messages and papers of all deals of a person."""
    words = request.args.get("q", "")[: talk.LONGEST_ASKED]
    with identity.database().reading() as session:
        found = talk.search(session, identity.context(), words)
        return replies.page("brokering/deal_search.html", words=words, found=found, most=talk.MOST_FOUND)
