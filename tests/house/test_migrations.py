"""The migrations build exactly what the mapped classes say, and can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from techex.core import audit
from techex.core.context import command_line_context
from techex.core.database import Base, Database
from techex.errors import DatabaseNotReady
from techex.migrations import run
from techex.migrations.metadata import import_tables


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'empty.db'}")


def test_the_migrations_lead_to_the_mapped_classes(empty: Database) -> None:
    import_tables()
    assert run.upgrade(empty)
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_second_run_has_nothing_to_do(empty: Database) -> None:
    run.upgrade(empty)
    assert not run.upgrade(empty)


def test_the_migrations_can_be_undone(empty: Database) -> None:
    run.upgrade(empty)
    run.downgrade(empty, "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]


def test_an_empty_database_is_told_from_a_ready_one(empty: Database) -> None:
    with pytest.raises(DatabaseNotReady, match="techex migrate"):
        run.require_current(empty)
    run.upgrade(empty)
    run.require_current(empty)


def test_a_database_that_cannot_be_opened_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "techex.db").mkdir()
    with pytest.raises(DatabaseNotReady, match="TECHEX_DATABASE_URL"):
        run.require_current(Database(f"sqlite:///{tmp_path / 'techex.db'}"))


def test_what_was_listed_before_words_were_kept_is_found_by_them_afterwards(empty: Database) -> None:
    run.upgrade(empty)
    run.downgrade(empty, "0001")
    insert = text(
        "insert into organisation (slug, kind, name, names, country, website, identifiers, verified_by, illustrative,"
        " created_at) values ('a', 'institute', 'Viện Đo lường', '{\"en\": \"Metrology\"}', 'VN', '', '{}', '', 0,"
        " '2026-11-21 09:00:00')"
    )
    with empty.transaction() as session:
        session.execute(insert)
    assert run.upgrade(empty)
    with empty.reading() as session:
        assert session.scalar(text("select keywords from organisation")) == " vien do luong metrology "


def test_titles_of_before_are_sorted_like_those_of_after(empty: Database) -> None:
    run.upgrade(empty, "0022")
    owner = text(
        "insert into organisation (slug, kind, name, names, country, website, identifiers, verified_by, illustrative,"
        " listed, created_at) values ('a', 'institute', 'Viện', '{}', 'VN', '', '{}', '', 0, 1,"
        " '2026-11-21 09:00:00')"
    )
    insert = text(
        "insert into listing (id, kind, state, visibility, open_for_interest, organisation_id, language, title,"
        " summary, body, country, illustrative, created_at, updated_at) values (:id, 'need', 'published', 'public', 1,"
        " 1, 'vi', :title, '', '{}', 'VN', 0, '2026-11-21 09:00:00', '2026-11-21 09:00:00')"
    )
    titles = {1: "“Đo” độ ẩm của gạo", 2: "Ép viên rơm " * 20}
    with empty.transaction() as session:
        session.execute(owner)
        for number, title in titles.items():
            session.execute(insert, {"id": number, "title": title})
    run.upgrade(empty)
    with empty.reading() as session:
        keys = dict(session.execute(text("select id, title_key from listing")).all())
    assert keys == {1: "do do am cua gao", 2: ("ep vien rom " * 20)[:80]}


def test_audit_entries_of_before_are_chained_and_new_ones_follow_them(empty: Database) -> None:
    run.upgrade(empty, "0007")
    insert = text(
        "insert into audit_entry (id, at, actor, verb, subject, subject_id, detail)"
        " values (:id, '2026-11-21 09:00:00.5', 'đội vận hành', 'created', 'listing', 1, '{\"kind\": \"need\"}')"
    )
    with empty.transaction() as session:
        for number in (1, 2, 5):
            session.execute(insert, {"id": number})
    run.upgrade(empty)
    with empty.transaction() as session:
        assert audit.verify(session).is_whole
        audit.record(session, command_line_context(), "edited", "listing", 1)
    with empty.reading() as session:
        walked = audit.verify(session)
        assert (walked.is_whole, walked.entries, audit.last(session)[0]) == (True, 4, 6)
