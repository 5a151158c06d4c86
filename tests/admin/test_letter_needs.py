"""Letters are asked once more, when they leave, whether they are still for their reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from techex.accounts import service as accounts
from techex.admin.letter_needs import holds
from techex.core import mail, outbox
from techex.core.audit import AuditEntry
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter, Part
from techex.listings.rules import Visibility
from techex.listings.service import withdraw
from techex.listings.tables import Listing
from techex.organisations.tables import OrganisationMember
from techex.web import identity
from tests.alerts.test_alerts import OFFER, _begin, _look, _publish
from tests.cast import person_of, sign_in
from tests.conftest import NOW

SENDER = "TechEx <techex@exchange.example>"


def send(database: Database, folder: Path) -> outbox.Sent:
    return outbox.send_due(database, outbox.Folder(folder), SENDER, datetime.now(UTC) + timedelta(days=99), holds=holds)


def files(folder: Path) -> str:
    return "".join(path.read_bytes().decode() for path in sorted(folder.glob("alerts-*.eml")))


@pytest.fixture
def app(demo_app: Flask) -> Flask:
    sign_in(demo_app, "officer")  # whose university will publish
    _begin(sign_in(demo_app, "engineer"))
    return demo_app


def test_of_two_matches_the_one_that_was_withdrawn_meanwhile_is_taken_out(app: Flask, tmp_path: Path) -> None:
    first, second = _publish(app), _publish(app)
    assert _look(app) == 2
    with app.app_context():
        database = identity.database()
    with database.transaction() as session:
        withdraw(session, Context(COMMAND_LINE), session.get_one(Listing, first))
    assert send(database, tmp_path).sent > 0
    said = files(tmp_path)
    assert f"/results/{second}" in said
    assert f"/results/{first}" not in said
    with database.reading() as session:
        assert session.scalar(select(AuditEntry.detail).where(AuditEntry.verb == "letter reduced"))


@pytest.mark.parametrize("visibility", [Visibility.RESTRICTED, Visibility.MEMBERS])
def test_the_words_of_a_listing_that_is_public_no_more_leave_in_no_letter(
    app: Flask, tmp_path: Path, visibility: Visibility
) -> None:
    number = _publish(app)
    assert _look(app) == 1
    with app.app_context():
        database = identity.database()
    with database.transaction() as session:
        session.get_one(Listing, number).visibility = visibility.value
    assert send(database, tmp_path).dropped == 1
    assert files(tmp_path) == ""
    with database.reading() as session:
        letter = session.scalars(select(Letter).where(Letter.state == "dropped")).one()
        assert (letter.text, letter.subject) == ("", "")
        assert session.scalar(select(AuditEntry.detail).where(AuditEntry.verb == "letter dropped"))
    assert OFFER["title"] not in files(tmp_path)


def test_who_left_the_verified_organisation_is_not_told_of_listings_for_members(app: Flask, tmp_path: Path) -> None:
    number = _publish(app, Visibility.MEMBERS)
    assert _look(app) == 1
    with app.app_context():
        database = identity.database()
    with database.transaction() as session:
        person = person_of(session, "engineer")
        session.execute(delete(OrganisationMember).where(OrganisationMember.person_id == person.id))
    assert send(database, tmp_path).dropped == 1
    assert f"/results/{number}" not in files(tmp_path)


def test_letters_to_editors_and_parties_end_with_their_role_and_with_their_account(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        database = identity.database()
    needs: list[mail.Need] = [("person",), ("unknown", 1), ("interest", 999), ("operator", "VN-33")]
    with database.transaction() as session:
        lan = person_of(session, "engineer")
        number = session.scalar(
            select(OrganisationMember.organisation_id).where(OrganisationMember.person_id == lan.id)
        )
        for at, need in enumerate([*needs, ("member", number, "editor"), ("member", number + 1, "viewer")]):
            mail.write(
                session, Context(COMMAND_LINE, NOW), key=f"asked-{at}", to=lan.email, language="en", subject="s",
                text="t", reader=lan.id, needs=[need],
            )  # fmt: skip
    send(database, tmp_path)
    assert {path.stem for path in tmp_path.glob("asked-*.eml")} == {"asked-0", "asked-4"}
    with database.transaction() as session:
        lan = person_of(session, "engineer")
        accounts.disable(session, Context(COMMAND_LINE), lan)
        mail.write(
            session, Context(COMMAND_LINE, NOW), key="closed", to=lan.email, language="en", subject="s", text="t",
            reader=lan.id,
        )  # fmt: skip
    assert send(database, tmp_path).dropped == 1


def test_parts_within_parts_leave_each_by_its_own_need_on_every_try(database: Database) -> None:
    text = "Head.\n\nOne: a, b\n\nTwo: c\n\nEnd."
    parts = [
        Part("One: a, b", [("yes",), ("later",)]),
        Part("a, ", [("later",)]),
        Part("b", [("yes",)]),
        Part("Two: c", [("no",)]),
    ]
    with database.transaction() as session:
        mail.write(
            session, Context(COMMAND_LINE, NOW), key="parts", to="lan@firm.example", language="en", subject="s",
            text=text, reader=1, parts=parts,
        )  # fmt: skip

    class Broken:
        said: list[str] = []  # noqa: RUF012 - of one test

        def carry(self, key: str, message: object) -> None:
            self.said.append(message.get_content())  # type: ignore[attr-defined]
            raise OSError("not now")

    for moment, refused in ((0, {"no"}), (1, {"no", "later"}), (10, {"no", "later", "yes"})):
        outbox.send_due(
            database,
            Broken(),
            SENDER,
            NOW + timedelta(hours=moment),
            holds=lambda _s, _n, _p, need, refused=refused: need[0] not in refused,  # type: ignore[misc]
        )
    assert [said.replace("\r\n", "\n").strip() for said in Broken.said] == [
        "Head.\n\nOne: a, b\n\nEnd.",
        "Head.\n\nOne: b\n\nEnd.",
    ]
    with database.reading() as session:
        assert session.scalars(select(Letter.state)).one() == "dropped"
