"""What time does to tasks; called by `techex work`."""

from __future__ import annotations

from techex.brokering import tasks
from techex.brokering.jobs import write_about_deals
from techex.core.context import Context
from techex.core.database import Database
from techex.settings import Settings


def remind(settings: Settings, database: Database, context: Context) -> str | None:
    """Write to the owners of tasks that are due or late."""
    return write_about_deals(settings, database, context, tasks.remind)
