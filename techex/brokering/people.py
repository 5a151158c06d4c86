"""What brokering keeps about people, for an export. It does not go with an account: it belongs to two organisations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering.tables import Interest, InterestStep


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """What a person asked and noted in introductions, for that person."""
    asked = session.scalars(select(Interest).where(Interest.person_id == person_id).order_by(Interest.id))
    steps = session.scalars(select(InterestStep).where(InterestStep.person_id == person_id).order_by(InterestStep.id))
    return {
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
