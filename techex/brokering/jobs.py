"""What time does to brokering; called by `techex work`."""

from __future__ import annotations

from techex.accounts.service import House
from techex.brokering import service
from techex.core.context import Context
from techex.core.database import Database
from techex.settings import Settings

AT_ONCE = 200  # steps in one transaction, so that nobody waits long for the lock


def lapse(settings: Settings, database: Database, context: Context) -> str | None:
    """Expressions of interest that nobody answered in time lapse."""

    def address_of(endpoint: str, **values: object) -> str:
        return f"{settings.base_url.rstrip('/')}/interests/{values['interest_id']}"

    house = House(settings.exchange_name, address_of)
    total = 0
    while True:
        with database.transaction() as session:
            done = service.lapse(session, context, house, AT_ONCE)
        total += done
        if done < AT_ONCE:
            return f"{total} lapsed" if total else None
