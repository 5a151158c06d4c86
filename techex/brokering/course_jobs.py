"""What time does to tasks; called by `techex work`."""

from __future__ import annotations

from techex.accounts.service import House
from techex.brokering import tasks
from techex.core.context import Context
from techex.core.database import Database
from techex.settings import Settings


def remind(settings: Settings, database: Database, context: Context) -> str | None:
    """Write to the owners of tasks that are due or late; without an address of its own the exchange waits."""
    base = settings.base_url.rstrip("/")
    if not base:
        return None

    def address_of(endpoint: str, **values: object) -> str:
        return f"{base}/deals/{values['deal_id']}"

    with database.transaction() as session:
        sent = tasks.remind(session, context, House(settings.exchange_name, address_of))
    return f"{sent} letters" if sent else None
