"""Files that nobody names any more go, a day after they were written; what is on its way stays."""

from __future__ import annotations

import os
from datetime import timedelta

from techex.admin.jobs import import_tables, sweep_files
from techex.core.context import Context
from techex.core.database import Database
from techex.interchange import runs
from techex.listings import attachments
from techex.settings import Settings


def test_files_without_a_row_go_after_a_day(settings: Settings, database: Database, context: Context) -> None:
    content = attachments.Cleaned("application/pdf", b"%PDF of a listing that is gone")
    path = attachments.path_of(settings.data_dir, attachments.keep(settings.data_dir, content))
    upload = runs.path_of(settings.data_dir, "0" * 64)
    upload.parent.mkdir()
    upload.write_bytes(b"a table")
    for one in (path, upload):
        moment = context.now.timestamp()
        os.utime(one, (moment, moment))
    assert sweep_files(settings, database, context) is None
    later = Context(context.actor, context.now + timedelta(days=1, minutes=1))
    assert sweep_files(settings, database, later) == "2 files deleted"
    assert not path.exists()
    assert not upload.exists()


def test_there_is_nothing_to_do_without_an_import(settings: Settings, database: Database, context: Context) -> None:
    assert import_tables(settings, database, context) is None
