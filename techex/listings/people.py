"""What listings keep about people: taken along with an export, forgotten when an account is deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.listings.posting_tables import SavedDraft
from techex.listings.tables import Reading, Report


def leave(session: Session, context: Context, person_id: int) -> None:
    """Drafts go; what was submitted belongs to the organisation, readings and reports to the exchange."""
    session.execute(delete(SavedDraft).where(SavedDraft.person_id == person_id))


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """Drafts, readings and reports of a person, for that person."""
    drafts = session.scalars(select(SavedDraft).where(SavedDraft.person_id == person_id).order_by(SavedDraft.id))
    readings = session.scalars(select(Reading).where(Reading.reader_id == person_id).order_by(Reading.id))
    reports = session.scalars(select(Report).where(Report.reporter_id == person_id).order_by(Report.id))
    return {
        "drafts": [{"kind": row.kind, "written": row.updated_at.isoformat(), "values": row.values} for row in drafts],
        "readings": [
            {"review": row.review_id, "read_at": row.read_at.isoformat(), "comments": row.comments} for row in readings
        ],
        "reports": [
            {"listing": row.listing_id, "reported_at": row.reported_at.isoformat(), "text": row.text} for row in reports
        ],
    }
