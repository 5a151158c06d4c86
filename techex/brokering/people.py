"""What brokering keeps about people, for an export. It does not go with an account: it belongs to two organisations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from techex.brokering.course_tables import DealOutcome, DealTask
from techex.brokering.deal_tables import DealMessage, DealStep
from techex.brokering.paper_tables import DealPaperVersion
from techex.brokering.tables import Interest, InterestStep


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """What a person asked and noted in introductions, said, did and handed over in deals, for that person."""
    asked = session.scalars(select(Interest).where(Interest.person_id == person_id).order_by(Interest.id))
    steps = session.scalars(select(InterestStep).where(InterestStep.person_id == person_id).order_by(InterestStep.id))
    said = session.scalars(select(DealMessage).where(DealMessage.person_id == person_id).order_by(DealMessage.id))
    lines = session.scalars(select(DealStep).where(DealStep.person_id == person_id).order_by(DealStep.id))
    given = session.scalars(
        select(DealPaperVersion).where(DealPaperVersion.person_id == person_id).order_by(DealPaperVersion.id)
    )
    tasks = session.scalars(select(DealTask).where(or_(DealTask.owner_id == person_id, DealTask.made_by == person_id)))
    outcomes = session.scalars(select(DealOutcome).where(DealOutcome.person_id == person_id).order_by(DealOutcome.id))
    return {
        "deal_tasks": [
            {"deal": row.deal_id, "title": row.title, "due": row.due.isoformat(), "state": row.state}
            for row in tasks.unique()
        ],
        "deal_outcomes": [
            {"deal": row.deal_id, "months": row.months, "in_use": row.in_use, "text": row.text} for row in outcomes
        ],
        "deal_messages": [{"deal": row.deal_id, "at": row.at.isoformat(), "text": row.text} for row in said],
        "deal_steps": [
            {"deal": row.deal_id, "at": row.at.isoformat(), "verb": row.verb, "detail": row.detail} for row in lines
        ],
        "deal_papers": [
            {"name": row.name, "added_at": row.added_at.isoformat(), "sha256": row.digest} for row in given
        ],
        "interests": [
            {
                "listing": row.listing_id,
                "sent_at": row.sent_at.isoformat(),
                "who": row.who,
                "why": row.why,
                "questions": row.questions,
            }
            for row in asked
        ],
        "steps": [
            {"interest": row.interest_id, "at": row.at.isoformat(), "verb": row.verb, "note": row.note} for row in steps
        ],
    }
