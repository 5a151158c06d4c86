"""What alerts keep about people: part of their export, gone with their account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from techex.alerts import calendars, deadline_letters
from techex.alerts.tables import Alert, CalendarFeed
from techex.core.context import Context


def leave(session: Session, context: Context, person_id: int) -> None:
    """Alerts, what they told, the calendar and its letters go."""
    session.execute(delete(Alert).where(Alert.person_id == person_id))
    calendars.forget(session, person_id)
    deadline_letters.forget(session, person_id)


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """The alerts of a person and what is known of their calendar, for that person."""
    alerts = session.scalars(select(Alert).where(Alert.person_id == person_id).order_by(Alert.id)).unique()
    feed = session.get(CalendarFeed, person_id)
    return {
        "alerts": [
            {
                "search": row.query,
                "listing": row.listing_id,
                "cadence": row.cadence,
                "created_at": row.created_at.isoformat(),
                "looked_at": row.looked_at.isoformat(),
            }
            for row in alerts
        ],
        "calendar": None
        if feed is None
        else {
            "created_at": feed.created_at.isoformat(),
            "read_at": feed.read_at.isoformat() if feed.read_at else None,
        },
        "letters_about_deadlines": deadline_letters.are_on(session, person_id),
    }
