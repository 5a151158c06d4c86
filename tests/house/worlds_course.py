"""What the two worlds hold beside deals: an operator's proposals to the owners of closed listings, tasks and guests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering.course_tables import DealParticipant, DealTask
from techex.brokering.deal_tables import Deal
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.listings.tables import Listing
from techex.organisations.service import get_organisation
from tests.cast import CAST, person_of


def go_on(session: Session, now: datetime, ids: Mapping[str, int], secret: str, more: bool) -> None:
    """Proposals of closed listings, more of them in one world, and what goes on in every deal that is there."""
    rival = get_organisation(session, CAST["rival"].organisation)
    opened = next(
        listing
        for name, number in sorted(ids.items())
        if name.startswith("open.")
        and (listing := session.get_one(Listing, number)).organisation.slug == "open-university"
    )
    for number in range(3 if more else 1):
        closed = session.get_one(Listing, ids[f"restricted.{number}"])
        # The rival is who would be asked next, and must not learn of it before the first side's yes.
        session.add(
            Interest(
                listing=opened,
                own_listing=closed,
                sender=closed.organisation,
                receiver=rival,
                person_id=person_of(session, "operator").id,
                language="en",
                who="",
                why=secret,
                state=State.ASKED_FIRST.value,
                proposed=True,
                sent_at=now,
                due=now.date(),
            )
        )
    for deal in session.scalars(select(Deal)).unique().all():
        session.add(
            DealTask(
                deal=deal,
                title=secret,
                language="en",
                owner_id=person_of(session, "engineer").id,
                due=now.date(),
                made_at=now,
            )
        )
        session.add(
            DealParticipant(deal=deal, role="tester", organisation=rival, note=secret, language="en", named_at=now)
        )
    session.flush()
