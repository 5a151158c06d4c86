"""What listings keep about people: taken along with an export, forgotten when an account is deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.context import Context, MemberRole
from techex.listings import service
from techex.listings.lifecycle import Verb
from techex.listings.posting_tables import SavedDraft
from techex.listings.tables import Listing, Reading, Report
from techex.organisations.members import left_without, members


def leave(session: Session, context: Context, person_id: int) -> None:
    """Drafts go to a colleague, or for good where nobody else writes for their organisation.

    What was submitted belongs to the organisation, readings and reports to the exchange. The listings of an
    organisation that is dissolved, since nobody else acts for it, are withdrawn. To be called before memberships end.
    """
    for draft in session.scalars(select(SavedDraft).where(SavedDraft.person_id == person_id)).unique():
        heirs = [row for row in members(session, draft.organisation) if row.person_id != person_id]
        heir = next((row for row in heirs if row.role != MemberRole.VIEWER and row.person.is_active), None)
        if heir is None:
            session.delete(draft)
        else:
            draft.person_id = heir.person_id
    for left in left_without(session, person_id):
        if not left.colleagues:
            for listing in session.scalars(select(Listing).where(Listing.organisation_id == left.organisation.id)):
                if any(row.verb is Verb.WITHDRAW for row in service.allowed(session, context, listing)):
                    service.do(session, context, listing, Verb.WITHDRAW)
    session.flush()


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
