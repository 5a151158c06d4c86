"""What `techex work` does that needs more than one domain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from techex.brokering import papers
from techex.core.context import Context
from techex.core.database import Database
from techex.interchange import advancing, runs
from techex.listings import attachments
from techex.settings import Settings


def import_tables(settings: Settings, database: Database, context: Context) -> str | None:
    """Do the rows of tables that were started in a browser, and take back those that were undone."""
    from techex.embedding.languages import detect

    done = advancing.go_on(
        database, lambda: replace(context, now=datetime.now(UTC)), settings.data_dir, lambda text: detect(text)[0]
    )
    _compare(database, context)
    return f"{done} rows done" if done else None


def _compare(database: Database, context: Context) -> None:
    """Say of imports that are done which of their rows look like listings that were there."""
    with database.reading() as session:
        waiting = runs.to_compare(session)
    if not waiting:
        return
    from techex.matching.duplicate_service import look_alikes

    for run_id, listing_ids in waiting.items():
        twins = look_alikes(database, listing_ids)
        with database.transaction() as session:
            runs.keep_twins(session, context.now, run_id, twins)


def sweep_files(settings: Settings, database: Database, context: Context) -> str | None:
    """Delete files of listings that are gone, papers that were withdrawn, and tables whose import has ended."""
    with database.reading() as session:
        gone = attachments.sweep(session, settings.data_dir, context.now)
        gone += runs.sweep(session, settings.data_dir, context.now)
        gone += papers.sweep(session, settings.data_dir, context.now)
    return f"{gone} files deleted" if gone else None
