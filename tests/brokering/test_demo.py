"""The invented history of the demo exchange: all states, whole ledgers, no letters, and gone when it is reset."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from techex.admin import commands
from techex.brokering import course, deals, demo, demo_reports, figures, funnel, ledgers, participants
from techex.brokering.commission_tables import Commission, CommissionConsent
from techex.brokering.deal_tables import Deal, DealMessage, DealStep
from techex.brokering.paper_tables import DealPaper, DealPaperVersion
from techex.brokering.pipeline import Stage, Verb
from techex.brokering.report_tables import PlanDocument, PlanTag
from techex.brokering.report_tables import Report as ReportRow
from techex.brokering.rules import PROPOSED, State
from techex.brokering.tables import Interest, InterestStep
from techex.core import audit
from techex.core.context import Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.interchange import demo as demo_exchange
from techex.listings.posting_tables import SavedDraft
from techex.listings.tables import Listing, ListingGrant
from techex.organisations.tables import Organisation
from techex.settings import Settings
from tests.cast import person_of

from .stage import actor_of, stage
from .test_deals import agreed


@pytest.fixture(scope="module")
def lived(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo exchange with its history."""
    from tests.conftest import NOW

    path = tmp_path_factory.mktemp("lived") / "techex.db"
    shutil.copy(demo_file, path)
    database = Database(f"sqlite:///{path}")
    context = Context(demo.COMMAND_LINE, NOW)
    assert demo.load(database, context, path.parent) > 100
    assert demo.load(database, context) == 0, "a second run changes nothing"
    database.close()
    return path


@pytest.fixture
def history(settings: Settings, lived: Path, database: Database) -> Database:
    shutil.copy(lived, settings.data_dir / "techex.db")
    return database


def test_it_shows_every_state_and_nearly_every_stage(history: Database, context: Context) -> None:
    with history.reading() as session:
        assert set(session.scalars(select(Interest.state))) >= set(State) - {State.SCREENED, *PROPOSED}
        stages = set(session.scalars(select(Deal.stage)))
        assert stages >= {Stage.INTRODUCED, Stage.NEGOTIATION, Stage.SIGNED, Stage.IMPLEMENTED, Stage.LOST}
        counted = funnel.funnel(figures.ways(session, None, public=True))
        assert counted[-1].count >= 5
        assert [row.count for row in counted] == sorted((row.count for row in counted), reverse=True)


def test_nothing_of_it_lies_in_the_future_or_before_both_listings(history: Database, context: Context) -> None:
    with history.reading() as session:
        for one in session.scalars(select(Interest)).unique():
            moments = [step.at for step in one.steps]
            assert moments == sorted(moments)
            assert one.listing.published_at is not None
            assert one.listing.published_at <= moments[0] <= moments[-1] <= context.now
            assert one.listing.illustrative


def test_its_ledgers_and_the_audit_chain_are_whole_and_nobody_got_a_letter(history: Database) -> None:
    with history.reading() as session:
        assert all(deals.broken_at(deal) is None for deal in session.scalars(select(Deal)).unique())
        assert audit.verify(session).is_whole
        assert session.scalar(select(func.count()).select_from(Letter)) == 0


def test_its_agreements_are_real_papers_that_both_accepted(history: Database, lived: Path) -> None:
    with history.reading() as session:
        walked = ledgers.verify(session, lived.parent)
        assert walked.flaws == []
        assert walked.papers > 10
        under = [deal for deal in session.scalars(select(Deal)).unique() if deals.standing(deal).agreement]
        assert under


def test_a_reset_takes_it_out_and_it_comes_again_the_same(history: Database, context: Context) -> None:
    def told() -> list[tuple[str | None, str, str]]:
        with history.reading() as session:
            query = select(Listing.external_id, Interest.state, Interest.sent_at).join(Interest.listing)
            return sorted((key, state, f"{at}") for key, state, at in session.execute(query))

    before = told()
    with history.transaction() as session:
        demo.remove(session)
        for table in (Interest, InterestStep, Deal, DealStep, DealMessage, DealPaper, DealPaperVersion):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    demo_exchange.remove(history, context)
    demo_exchange.load(history, context)
    demo.load(history, context)
    assert told() == before


def test_a_reset_leaves_a_real_deal_whole_whose_guest_is_invented(
    history: Database, context: Context, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with history.transaction() as session:
        pair = stage(session, context)
        at = {name: Context(actor_of(session, name), context.now) for name in ("operator", "officer", "engineer")}
        deal = agreed(session, context, pair).id
        deals.take(session, at["operator"], deal, Verb.INTRODUCE)
        invented = select(Organisation).where(Organisation.illustrative, Organisation.verified_at.is_not(None))
        guest, heir, granted = session.scalars(invented.order_by(Organisation.id).limit(3)).unique()
        one = participants.name_one(session, at["officer"], deal, "tester", guest.slug, "", "en")
        participants.take(session, at["engineer"], None, one.id, course.ParticipantVerb.AGREE, one.revision)
        person = person_of(session, "engineer").id
        dates = {"created_at": context.now, "updated_at": context.now}
        session.add(SavedDraft(person_id=person, organisation_id=heir.id, kind="need", **dates))
        session.add(
            ListingGrant(listing_id=pair.need, organisation_id=granted.id, granted_at=context.now, granted_by="")
        )
        names = [guest.name, heir.name, granted.name]
        before = session.scalar(select(func.count()).select_from(Organisation))
    monkeypatch.setattr("techex.admin.commands.load_settings", lambda: settings)
    monkeypatch.setattr("techex.admin.commands._load_demo", lambda as_json: demo_exchange.load(history, context))
    done = CliRunner().invoke(commands.demo, ["reset"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"{', '.join(names)}." in done.stderr
    with history.reading() as session:
        row = session.get_one(Deal, deal)
        assert deals.broken_at(row) is None
        assert [
            (one.state, one.organisation.name) for one in participants.of_deal(session, row) if one.organisation
        ] == [("invited", names[0])]
        assert session.scalars(select(Deal.id)).all() == [deal], "the invented history has gone"
        assert session.scalar(select(func.count()).select_from(Organisation)) == before, "and nothing came twice"
        assert session.scalar(select(func.count()).select_from(ListingGrant)) == 1


def test_the_operator_has_drafted_proposals_and_reported_and_a_reset_takes_it_out(
    history: Database, context: Context
) -> None:
    assert demo_reports.load(history, context) == len(demo_reports.TOGETHER)
    assert demo_reports.load(history, context) == 0, "a second run changes nothing"
    with history.transaction() as session:
        for made in session.scalars(select(Commission)).unique():
            assert made.problem.count("[") >= len(made.need_rows)
            assert {row.listing.illustrative for row in made.need_rows} == {True}
        states = set(session.scalars(select(CommissionConsent.state)))
        assert states == {"asked", "counted"}
        assert session.scalar(select(func.count()).select_from(PlanTag)) > 5
        assert session.scalars(select(ReportRow)).one().facts["demo"] is True
        assert session.scalar(select(func.count()).select_from(Letter)) == 0
        demo_reports.remove(session)
        for table in (Commission, CommissionConsent, PlanDocument, PlanTag, ReportRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0
