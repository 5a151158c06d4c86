"""Papers inside a deal: added, changed, moved along the ladder, withdrawn, downloaded; its ledger notes each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.brokering import deals, pipeline, talk
from techex.brokering.deal_tables import Deal
from techex.brokering.disclosing import LABELS, Act, Rung
from techex.brokering.paper_tables import LONGEST_TITLE, DealPaper, DealPaperVersion
from techex.brokering.pipeline import Stage
from techex.core import changes
from techex.core.context import Context, MemberRole
from techex.core.text import clean, clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.listings import attachments
from techex.listings.attachments import ENDINGS, Cleaned

FOLDER = "deal-files"  # below the data folder; apart from the files of listings, which everybody may be shown
MOST_PAPERS = 40  # of a deal
MOST_VERSIONS = 20  # of a paper
MOST_BYTES = 200_000_000  # of a deal: forty papers at their largest
LONGEST_NOTE = 300

PAPER = "paper"
AGREEMENT = "agreement"


@dataclass(frozen=True)
class Draft:
    """What somebody says of a paper they add."""

    title: str
    note: str
    rung: str
    language: str


def held(session: Session, context: Context, deal_id: int) -> Deal:
    """A deal that is about to change: whoever changes it meanwhile waits."""
    changes.hold(session)
    return deals.get(session, context, deal_id)


def acting_side(context: Context, deal: Deal) -> int | None:
    """The side for which a person may hand over papers; None for an operator of the deal.

    Raises NotAllowed to those who only read, Conflict where the deal is lost.
    """
    standing = deals.standing(deal)
    side = pipeline.side_of(context.actor, standing, MemberRole.EDITOR)
    if side is None and not pipeline.is_operator(context.actor, standing):
        raise NotAllowed(Sentence(N_("Only editors and managers of both sides and their operators may do this.")))
    if Stage(deal.stage) is Stage.LOST:
        raise Conflict(Sentence(N_("The deal is lost: nothing more is handed over in it.")))
    return side


def add(
    session: Session,
    context: Context,
    data_dir: Path,
    deal_id: int,
    name: str,
    file: Cleaned,
    draft: Draft,
    said: str = "",
) -> DealPaper:
    """Put a paper on a rung of the ladder; `said` are the words in it. Cleaning and reading a file takes time: callers
    do it before they open the transaction.

    Raises NotFound, NotAllowed, FieldErrors for what was said of it, Conflict where there are enough.
    """
    deal = held(session, context, deal_id)
    side = acting_side(context, deal)
    title, note = _checked(draft, name)
    made = begun(session, context, deal, side, draft, title)
    made.note = note
    version = with_version(session, context, data_dir, deal, made, name, file, side)
    made.keywords = talk.keywords_of(made, said)
    deals.note(session, context, deal, Act.ADD, side, _about(context, made, version) | {"rung": made.rung})
    return made


def begun(
    session: Session, context: Context, deal: Deal, side: int | None, draft: Draft, title: str, kind: str = PAPER
) -> DealPaper:
    """A paper without a version yet; raises Conflict where the deal has enough papers."""
    query = select(func.count(), func.max(DealPaper.number)).where(DealPaper.deal_id == deal.id)
    count, last = session.execute(query).one()
    if count >= MOST_PAPERS:
        raise Conflict(Sentence(N_("A deal has at most %(most)s papers."), most=MOST_PAPERS))
    made = DealPaper(
        deal_id=deal.id,
        number=(last or 0) + 1,
        kind=kind,
        organisation_id=side,
        person_id=context.actor.person_id,
        rung=draft.rung,
        language=draft.language,
        title=title,
        note="",
        added_at=context.now,
    )
    session.add(made)
    session.flush()
    return made


def with_version(
    session: Session,
    context: Context,
    data_dir: Path,
    deal: Deal,
    paper: DealPaper,
    name: str,
    file: Cleaned,
    side: int | None,
    terms: Mapping[str, Any] | None = None,
) -> DealPaperVersion:
    """The next version of a paper; raises Conflict where it has enough, or the deal is full."""
    if len(paper.versions) >= MOST_VERSIONS:
        pattern = N_("A paper has at most %(most)s versions. Add it as a new paper.")
        raise Conflict(Sentence(pattern, most=MOST_VERSIONS))
    used = select(func.sum(DealPaperVersion.size)).join(DealPaper).where(DealPaper.deal_id == deal.id)
    if (session.scalar(used) or 0) + len(file.content) > MOST_BYTES:
        raise Conflict(Sentence(N_("The papers of a deal have at most %(most)s MB."), most=MOST_BYTES // 1_000_000))
    if paper.versions and paper.last.digest == file.digest:
        raise Conflict(Sentence(N_("This is the version that is there already: nothing in the file is different.")))
    made = DealPaperVersion(
        number=len(paper.versions) + 1,
        organisation_id=side,
        person_id=context.actor.person_id,
        digest=attachments.keep(data_dir, file, FOLDER),
        media_type=file.media_type,
        size=len(file.content),
        name=attachments.safe_name(name, file.media_type),
        terms=dict(terms) if terms else None,
        added_at=context.now,
    )
    paper.versions.append(made)
    session.flush()
    return made


def change(
    session: Session,
    context: Context,
    data_dir: Path,
    deal_id: int,
    number: int,
    name: str,
    file: Cleaned,
    said: str = "",
) -> DealPaper:
    """A new version of one's own paper. Raises NotFound, NotAllowed, Conflict."""
    deal, paper, side = _own(session, context, deal_id, number)
    version = with_version(session, context, data_dir, deal, paper, name, file, side)
    paper.keywords = talk.keywords_of(paper, said)
    deals.note(session, context, deal, Act.CHANGE, side, _about(context, paper, version))
    return paper


def move(session: Session, context: Context, deal_id: int, number: int, rung: str) -> DealPaper:
    """Put one's own paper on another rung. Raises NotFound, NotAllowed, BadInput for an unknown rung."""
    deal, paper, side = _own(session, context, deal_id, number)
    if rung not in set(Rung):
        raise BadInput(Sentence(N_("Choose the rung on which it stands.")), "rung")
    if rung != paper.rung:
        before, paper.rung = paper.rung, rung
        detail = _about(context, paper) | {"from": before, "rung": rung}
        deals.note(session, context, deal, Act.MOVE, side, detail)
    return paper


def withdraw(session: Session, context: Context, deal_id: int, number: int) -> DealPaper:
    """Take one's own paper away: nobody downloads it any more, and its content goes with `sweep`; what the ledger says
    of it stays. Raises NotFound, NotAllowed.
    """
    deal, paper, side = _own(session, context, deal_id, number)
    paper.withdrawn_at = context.now
    deals.note(session, context, deal, Act.WITHDRAW, side, _about(context, paper))
    return paper


def open_documents(session: Session, context: Context, deal_id: int) -> Deal:
    """Show the other side this side's full documents. Raises NotFound, NotAllowed, Conflict before the agreement."""
    deal = held(session, context, deal_id)
    side = acting_side(context, deal)
    if not talk.disclosed(deal).may_open(side):
        pattern = N_("Full documents are opened by the side that owns them, once, under an agreement both accepted.")
        raise Conflict(Sentence(pattern))
    deals.note(session, context, deal, Act.OPEN, side, {"person": context.actor.person_id})
    return deal


def look(
    session: Session, context: Context, deal_id: int, number: int, version: int, handed_out: bool = True
) -> tuple[DealPaperVersion, str]:
    """A version of a paper to be downloaded, and its name for this person. That they had it is written into the ledger,
    unless they only ask what it is.

    Raises NotFound for what this person may not see, there or not.
    """
    deal = held(session, context, deal_id)
    paper = _shown(session, context, deal, number)
    found = next((one for one in paper.versions if one.number == version), None)
    if found is None or paper.withdrawn_at is not None:
        raise absent(number)
    if handed_out:
        deals.note(session, context, deal, Act.LOOK, talk.side_in(context, deal), _about(context, paper, found))
    return found, name_for(context, deal, paper, found)


def name_for(context: Context, deal: Deal, paper: DealPaper, version: DealPaperVersion) -> str:
    """What a file is called for this person: before the introduction a name may say whose it is."""
    if deal.introduced_at is not None or talk.side_in(context, deal) in (None, version.organisation_id):
        return version.name
    return f"paper-{paper.number}{ENDINGS[version.media_type]}"


def waiting(session: Session, context: Context, deal: Deal) -> Mapping[Rung, int]:
    """How many papers of others wait for this person, by the rung that is not open yet."""
    how_far, side = talk.disclosed(deal), talk.side_in(context, deal)
    query = select(DealPaper).where(DealPaper.deal_id == deal.id, DealPaper.withdrawn_at.is_(None))
    found = Counter(
        Rung(paper.rung)
        for paper in session.scalars(query)
        if not how_far.shows(Rung(paper.rung), paper.organisation_id, side)
    )
    return {rung: found[rung] for rung in LABELS if found[rung]}


def sweep(session: Session, data_dir: Path, now: datetime) -> int:
    """Delete the contents of papers that were withdrawn or are gone; returns how many."""
    query = select(DealPaperVersion.digest).join(DealPaper).where(DealPaper.withdrawn_at.is_(None))
    return attachments.sweep_folder(data_dir, FOLDER, set(session.scalars(query)), now)


def _shown(session: Session, context: Context, deal: Deal, number: int) -> DealPaper:
    found = next((one for one in talk.papers(session, context, deal) if one.number == number), None)
    if found is None:
        raise absent(number)
    return found


def of_deal(session: Session, deal: Deal) -> Sequence[DealPaper]:
    """All of a deal, whoever may read them, in order."""
    return session.scalars(select(DealPaper).where(DealPaper.deal_id == deal.id).order_by(DealPaper.number)).all()


def absent(number: int) -> NotFound:
    """The one sentence for what is not there and for what is not for this reader."""
    return NotFound(
        Sentence(
            N_("There is no paper number %(number)s here. It may have been withdrawn, or is not open to you yet."),
            number=number,
        )
    )


def _own(session: Session, context: Context, deal_id: int, number: int) -> tuple[Deal, DealPaper, int | None]:
    deal = held(session, context, deal_id)
    paper = _shown(session, context, deal, number)
    side = acting_side(context, deal)
    if paper.kind != PAPER or paper.organisation_id != side:
        raise NotAllowed(Sentence(N_("Only the side that handed a paper over may change, move or withdraw it.")))
    if paper.withdrawn_at is not None:
        raise Conflict(Sentence(N_("This paper was withdrawn. Add it anew.")))
    return deal, paper, side


def _about(context: Context, paper: DealPaper, version: DealPaperVersion | None = None) -> dict[str, Any]:
    """What the ledger says of a paper: numbers and digests, no names, which the other side may not know yet."""
    found = {"person": context.actor.person_id, "paper": paper.number}
    return found | ({"version": version.number, "sha256": version.digest} if version else {})


def _checked(draft: Draft, name: str) -> tuple[str, str]:
    errors: dict[str, str] = {}
    title = clean_line(draft.title, "title") or Path(clean_line(name.replace("\\", "/"), "file")).stem[:LONGEST_TITLE]
    note = clean(draft.note, "note")
    if not 0 < len(title) <= LONGEST_TITLE:
        pattern = N_("has %(count)s characters; expected 1 to %(longest)s.")
        errors["title"] = Sentence(pattern, count=len(title), longest=LONGEST_TITLE)
    if len(note) > LONGEST_NOTE:
        pattern = N_("has %(count)s characters; at most %(longest)s.")
        errors["note"] = Sentence(pattern, count=len(note), longest=LONGEST_NOTE)
    if draft.rung not in set(Rung):
        errors["rung"] = Sentence(N_("Choose the rung on which it stands."))
    if errors:
        raise FieldErrors(errors)
    return title, note
