"""What `techex work` does for alerts."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from techex.alerts import service
from techex.alerts.finding import finder, place_of
from techex.core.context import Context
from techex.core.database import Database
from techex.matching.service import Matcher
from techex.settings import Settings

MOST = 50  # people a round: letters go on being sent between rounds

_matchers: WeakKeyDictionary[Database, Matcher] = WeakKeyDictionary()


def look(settings: Settings, database: Database, context: Context) -> str | None:
    """Look for those whose time has come; without an address of its own the exchange cannot write links, and waits."""
    if not settings.base_url:
        return None
    with database.reading() as session:
        due = service.due(session, context, MOST)
    if not due:
        return None
    if database not in _matchers:
        _matchers[database] = Matcher(settings, database)
    find, place, told, letters = finder(_matchers[database]), place_of(settings), 0, 0
    for person_id in due:
        with database.transaction() as session:
            count = service.look(session, context, place, person_id, find)
        told, letters = told + count, letters + bool(count)
    return f"{letters} letters with {told} matches" if letters else None
