"""What `techex work` does that needs more than one domain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from techex.core.context import Context
from techex.core.database import Database
from techex.interchange import runs
from techex.settings import Settings


def import_tables(settings: Settings, database: Database, context: Context) -> str | None:
    """Do the rows of tables that were started in a browser, and take back those that were undone."""
    from techex.embedding.languages import detect

    done = runs.go_on(
        database, lambda: replace(context, now=datetime.now(UTC)), settings.data_dir, lambda text: detect(text)[0]
    )
    return f"{done} rows done" if done else None
