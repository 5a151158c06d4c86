"""The language of a listing is put right by its editors, operators of its place and the command line; nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from techex import cli
from techex.core import changes
from techex.core.audit import AuditEntry
from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.embedding.passages import WHOLE_FIELD
from techex.embedding.service import passages_of_listing, store_passages
from techex.embedding.tables import PassageRow
from techex.errors import BadInput, NotAllowed
from techex.listings import correction, service
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.settings import Settings
from tests.cast import ORGANISATIONS

OWNER = ORGANISATIONS["det-may-song-hong"].draft


@pytest.fixture
def listing_id(database: Database, context: Context) -> int:
    """A need of the engineer's firm in Hưng Yên, taken for English."""
    values = {
        "title": "Khử màu nước thải dệt nhuộm sau bể sinh học",
        "summary": "Nước thải 400 m³ mỗi ngày còn 300 Pt-Co, cần xuống dưới 50 mà không sinh thêm bùn.",
        "problem": "The effluent keeps its colour after biological treatment, and coagulation makes too much sludge.",
    }
    draft = checked_draft(Kind.NEED, values, language="en", country="VN", province="33")
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, OWNER)
        organisations.verify(session, context, owner)
        listing = service.post(session, context, owner, draft)
        service.publish(session, context, listing)
        return listing.id


def correct(database: Database, context: Context, listing_id: int, language: str) -> bool:
    with database.transaction() as session:
        return correction.correct_language(session, context, session.get_one(Listing, listing_id), language)


def test_what_it_was_read_as_stays_on_record_and_the_change_is_told(
    database: Database, context: Context, listing_id: int
) -> None:
    with database.reading() as session:
        before = changes.last(session)
    assert correct(database, context, listing_id, "vi")
    with database.reading() as session:
        listing = session.get_one(Listing, listing_id)
        assert listing.language == "vi"
        assert [revision.content["language"] for revision in service.revisions(session, listing)] == ["en"]
        entry = session.scalars(select(AuditEntry).where(AuditEntry.verb == correction.DONE)).one()
        assert (entry.detail["from"], entry.detail["to"]) == ("en", "vi")
        assert changes.last(session) > before
    assert not correct(database, context, listing_id, "vi")


def test_its_passages_follow_and_one_that_surely_is_in_another_language_has_its_own(
    database: Database, context: Context, listing_id: int
) -> None:
    with database.transaction() as session:
        listing = session.get_one(Listing, listing_id)
        store_passages(session, [listing])
    correct(database, context, listing_id, "vi")
    with database.transaction() as session:
        listing = session.get_one(Listing, listing_id)
        assert store_passages(session, [listing]) == 1
        stored = {row.field: row.language for row in session.scalars(select(PassageRow))}
        assert stored == {"title_summary": "vi", "problem": "en", WHOLE_FIELD: "vi"}
        assert {passage.field: passage.language for passage in passages_of_listing(listing)} == stored


def test_who_only_reads_cannot_correct(database: Database, context: Context, listing_id: int) -> None:
    with pytest.raises(NotAllowed):
        correct(database, Context(ANONYMOUS, context.now), listing_id, "vi")


def test_a_language_that_no_listing_is_in_is_refused_with_those_that_are(
    database: Database, context: Context, listing_id: int
) -> None:
    with pytest.raises(BadInput, match="xx is no language of listings here"):
        correct(database, context, listing_id, "xx")


@pytest.mark.parametrize(
    ("name", "status"), [("engineer", 303), ("operator", 303), ("viewer", 403), ("rival", 403), ("other_operator", 403)]
)
def test_editors_and_operators_of_the_place_correct_on_the_page(
    database: Database, signed_in: Callable[[str], FlaskClient], listing_id: int, name: str, status: int
) -> None:
    browser = signed_in(name)
    assert ("Correct the language" in browser.get(f"/needs/{listing_id}").text) == (status == 303)
    assert browser.post(f"/listings/{listing_id}/language", data={"language": "vi"}).status_code == status
    with database.reading() as session:
        assert session.get_one(Listing, listing_id).language == ("vi" if status == 303 else "en")


def test_the_command_corrects_and_says_what_it_did(
    settings: Settings, database: Database, listing_id: int, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("TECHEX_DATA_DIR", str(settings.data_dir))
    for code, said, status in (("vi", "is now read as", 0), ("vi", "Nothing to do", 0), ("xx", "Expected one of", 2)):
        with pytest.raises(SystemExit) as ended:
            cli.main(["listings", "language", str(listing_id), code])
        assert ended.value.code == status
        printed = capsys.readouterr()
        assert said in printed.out + printed.err
