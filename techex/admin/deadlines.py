"""All that has a date and waits for somebody, from every domain; what `techex work` writes about it."""

from __future__ import annotations

from techex.alerts import deadline_letters
from techex.alerts.finding import place_of
from techex.brokering import deadlines as brokering
from techex.core.context import Context
from techex.core.database import Database
from techex.core.deadlines import Sources
from techex.listings import deadlines as listings
from techex.settings import Settings

SOURCES = Sources((brokering.of_person, listings.of_person))
MOST = 100  # people a round: letters go on being sent between rounds


def tell(settings: Settings, database: Database, context: Context) -> str | None:
    """Write of deadlines that are near; without an address of its own the exchange cannot write links, and waits."""
    if not settings.base_url:
        return None
    place, told, letters = place_of(settings), 0, 0
    with database.transaction() as session:
        deadline_letters.begin(session, context, place, MOST)
    with database.reading() as session:
        due = deadline_letters.due(session, context, MOST)
    for person_id in due:
        with database.transaction() as session:
            count = deadline_letters.tell(session, context, place, SOURCES, person_id)
        told, letters = told + count, letters + bool(count)
    return f"{letters} letters about {told} deadlines" if letters else None
