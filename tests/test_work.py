"""`techex work`: letters leave and timed jobs are done, by a process of its own that can be stopped at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from techex import work
from techex.core import installation, mail
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import SettingsInvalid
from techex.settings import Settings
from tests.conftest import NOW


def write(database: Database, key: str, *, secret: bool = False) -> None:
    with database.transaction() as session:
        mail.write(
            session,
            Context(COMMAND_LINE, NOW),
            key=key,
            to="lan@firm.example",
            language="vi",
            subject="A subject",
            text="A text",
            secret=secret,
        )


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timed jobs but those of the test."""
    monkeypatch.setattr(work, "JOBS", {})


def test_a_process_sends_what_is_written_and_stops_when_told(settings: Settings, database: Database) -> None:
    environment = os.environ | {"TECHEX_DATA_DIR": str(settings.data_dir), "TECHEX_ENGINE": "hashing"}
    process = subprocess.Popen([sys.executable, "-m", "techex.cli", "work"], env=environment, stdout=subprocess.PIPE)
    try:
        write(database, "notice-17")
        until = time.monotonic() + 60
        file = settings.mail_folder / "notice-17.eml"
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert file.exists()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "letters: 1 sent" in said.decode()


@pytest.mark.usefixtures("jobs")
def test_a_demo_keeps_what_it_wrote_to_show_it(settings: Settings, database: Database) -> None:
    with database.transaction() as session:
        installation.remember(session, "demo", True)
    write(database, "secret", secret=True)
    work.Worker(settings, database).round(NOW)
    with database.reading() as session:
        letter = session.scalars(select(Letter)).one()
    assert (letter.state, letter.text) == ("sent", "A text")


def test_a_job_is_done_at_once_and_then_in_its_time(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    monkeypatch.setattr(work, "JOBS", {"count": (timedelta(hours=1), "here:count")})
    monkeypatch.setattr(work, "_job", lambda _address: lambda *_: str(done.append(1)))
    worker = work.Worker(settings, database)
    for minutes in (0, 1, 59, 60, 61, 120):
        worker.round(NOW + timedelta(minutes=minutes))
    assert len(done) == 3


def test_every_job_of_the_table_runs_and_may_be_repeated(settings: Settings, database: Database) -> None:
    worker = work.Worker(settings, database)
    worker.round(NOW)
    assert all(": " not in said or "Error" not in said for said in worker.round(NOW + timedelta(days=2)))


def test_a_mail_server_that_is_none_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsInvalid, match="TECHEX_SMTP_URL"):
        work.carrier_of(settings.model_copy(update={"smtp_url": "mail.example.vn"}))
