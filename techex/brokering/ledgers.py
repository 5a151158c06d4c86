"""Whether ledgers of deals hold: each line follows, the audit log knows each, each paper is what its digest says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from techex.brokering import deals, papers
from techex.brokering.deal_tables import Deal
from techex.brokering.disclosing import Act
from techex.brokering.paper_tables import DealPaper
from techex.core.audit import AuditEntry
from techex.listings import attachments

_WITH_CONTENT = (Act.ADD, Act.CHANGE, Act.PROPOSE)


@dataclass(frozen=True)
class Flaw:
    """Something that does not hold, in a deal; `line` is 0 where it is no single line."""

    deal: int
    line: int
    reason: str


@dataclass(frozen=True)
class Walked:
    """What was looked at, and what was found."""

    deals: int
    lines: int
    papers: int
    flaws: list[Flaw]


def verify(
    session: Session,
    data_dir: Path,
    deal_id: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Walked:
    """Walk the ledger of one deal or of all; `progress` gets (done, all)."""
    query = select(Deal).options(selectinload(Deal.ledger)).order_by(Deal.id)
    found = list(session.scalars(query if deal_id is None else query.where(Deal.id == deal_id)).unique())
    lines = contents = 0
    flaws: list[Flaw] = []
    for done, deal in enumerate(found, start=1):
        lines += len(deal.ledger)
        flaws += _of_chain(session, deal)
        given = list(session.scalars(select(DealPaper).where(DealPaper.deal_id == deal.id)))
        contents += sum(len(paper.versions) for paper in given)
        flaws += _of_papers(data_dir, deal, given)
        if progress:
            progress(done, len(found))
    return Walked(len(found), lines, contents, flaws)


def _of_chain(session: Session, deal: Deal) -> Iterator[Flaw]:
    broken = deals.broken_at(deal)
    if broken is not None:
        yield Flaw(deal.id, broken, "it does not follow from the line before it: it was changed, or one was removed")
        return
    # Lines that are missing at the end leave a chain that follows: the audit log, a chain of its own, knows them.
    query = select(AuditEntry.detail).where(AuditEntry.subject == "deal", AuditEntry.subject_id == deal.id)
    receipts = [detail.get("receipt") for detail in session.scalars(query.order_by(AuditEntry.id))]
    receipts = [receipt for receipt in receipts if receipt]
    if receipts[-len(deal.ledger) or len(receipts) :] != [step.hash for step in deal.ledger]:
        yield Flaw(deal.id, 0, "the audit log knows other lines of it: some were removed or added at the end")


def _of_papers(data_dir: Path, deal: Deal, given: list[DealPaper]) -> Iterator[Flaw]:
    noted = {
        (line.detail["paper"], line.detail["version"]): (line.number, line.detail["sha256"])
        for line in deal.ledger
        if line.verb in _WITH_CONTENT
    }
    for paper in given:
        for version in paper.versions:
            number, digest = noted.get((paper.number, version.number), (0, ""))
            what = f"paper {paper.number}, version {version.number}"
            if digest != version.digest:
                yield Flaw(deal.id, number, f"{what} has another digest than the ledger says")
                continue
            path = attachments.path_of(data_dir, version.digest, papers.FOLDER)
            if paper.withdrawn_at is not None:
                continue
            if not path.is_file():
                yield Flaw(deal.id, number, f"the content of {what} is missing from {papers.FOLDER}")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != version.digest:
                yield Flaw(deal.id, number, f"the content of {what} was changed on the disk")
