"""`techex work`: what happens without anybody asking: letters leave, and timed jobs are done.

Several may run at once: a letter is claimed before it is sent, and every job may be done twice without harm.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module

import click

from techex.admin.letter_needs import holds
from techex.core import installation, outbox
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.errors import TechexError
from techex.migrations import run
from techex.settings import Settings, load_settings

Job = Callable[..., str | None]

# name -> (how often, module:function). Each takes (settings, database, context), may say what it did, and may be
# repeated: what it writes is keyed by what it is about. Imported when they are due.
JOBS: dict[str, tuple[timedelta, str]] = {
    "tidy accounts": (timedelta(hours=1), "techex.accounts.service:tidy"),
    "import tables": (timedelta(seconds=5), "techex.admin.jobs:import_tables"),
    "sweep files": (timedelta(hours=6), "techex.admin.jobs:sweep_files"),
    "listings grow older": (timedelta(hours=1), "techex.listings.jobs:grow_older"),
    "lapse interests": (timedelta(hours=1), "techex.brokering.jobs:lapse"),
    "alerts": (timedelta(minutes=1), "techex.alerts.jobs:look"),
    "deadlines": (timedelta(minutes=5), "techex.admin.deadlines:tell"),
    "ask after deals": (timedelta(hours=6), "techex.brokering.jobs:remind"),
    "remind of tasks": (timedelta(hours=1), "techex.brokering.course_jobs:remind"),
    "answers teach": (timedelta(minutes=10), "techex.brokering.jobs:learn"),
    "look over everything": (timedelta(minutes=10), "techex.matching.survey:look_over"),
}
PAUSE = 2.0  # seconds between two looks into the outbox: a letter leaves before its reader looks for it


def carrier_of(settings: Settings) -> outbox.Carrier:
    """How letters leave this installation. Raises SettingsInvalid."""
    return outbox.Smtp(settings.smtp_url) if settings.smtp_url else outbox.Folder(settings.mail_folder)


def _job(address: str) -> Job:
    module, name = address.split(":")
    found: Job = getattr(import_module(module), name)
    return found


class Worker:
    """One process that works; `round` does what is due."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._carrier = carrier_of(settings)
        self._due: dict[str, datetime] = {}

    def round(self, now: datetime) -> list[str]:
        """Send letters and do the jobs that are due; what there is to say about it."""
        said = []
        with self._database.reading() as session:
            keep = bool(installation.recall(session, "demo"))  # the demo shows its letters
        sent = outbox.send_due(
            self._database, self._carrier, self._settings.mail_from, now, keep_texts=keep, holds=holds
        )
        if sent != outbox.Sent():
            further = {"not yet": sent.failed, "dropped": sent.dropped}
            more = "".join(f", {count} {word}" for word, count in further.items() if count)
            said.append(f"letters: {sent.sent} sent{more}")
        for name, (every, address) in JOBS.items():
            if now >= self._due.get(name, now):
                self._due[name] = now + every
                said += self._do(name, address)
        return said

    def _do(self, name: str, address: str) -> list[str]:
        try:
            outcome = _job(address)(self._settings, self._database, command_line_context())
        except TechexError as error:
            return [f"{name}: {error}"]  # one job that cannot be done just now stops no other
        return [f"{name}: {outcome}"] if outcome else []


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
def work(once: bool) -> None:
    """Send letters and do timed jobs, until stopped."""
    settings = load_settings()
    database = Database(settings.database_address)
    run.require_current(database)
    worker = Worker(settings, database)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if not once:
        where = "by SMTP" if settings.smtp_url else f"as files in {settings.mail_folder}"
        click.echo(f"TechEx works: letters leave {where}. Ctrl-C stops it.")
    while not stopped.is_set():
        for sentence in worker.round(datetime.now(UTC)):
            click.echo(sentence)
        if once:
            return
        stopped.wait(PAUSE)
