"""Plan documents, reports, proposals, consents, participations as lists: filters, pages, files that say no more."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import update
from sqlalchemy.orm import Session

from techex.brokering import plan_documents
from techex.brokering.commission_tables import Commission, CommissionConsent, CommissionNeed
from techex.brokering.course_tables import DealParticipant
from techex.brokering.deal_tables import Deal
from techex.brokering.plan_documents import Subject
from techex.brokering.report_tables import PlanDocument, Report
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core.context import COMMAND_LINE, Context
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.web import identity
from tests.cast import CAST, person_of, sign_in

from .stage import Pair

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ENGLISH = {"Accept-Language": "en"}


def _page(app: Flask, name: str, path: str) -> str:
    reply = sign_in(app, name).get(path, headers=ENGLISH)
    assert reply.status_code == 200
    return str(reply.get_data(as_text=True))


def _file(app: Flask, name: str, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_page(app, name, path).removeprefix("\ufeff"))))


def _plan(session: Session, number: str, title: str, year: int, month: int = 1) -> int:
    made = PlanDocument(number=number, title=title, date=date(year, month, 1), added_at=NOW)
    session.add(made)
    session.flush()
    return made.id


@pytest.fixture
def plans(demo_app: Flask, pair: Pair) -> None:
    """Three plan documents; a listing stands under the one of 2024."""
    with demo_app.app_context(), identity.database().transaction() as session:
        _plan(session, "328-KH/TU", "Kế hoạch phát triển khoa học", 2025, 6)
        under = _plan(session, "57-NQ/TW", "Nghị quyết về đột phá", 2024)
        _plan(session, "12/QĐ", "=1+1", 2025)
        plan_documents.put(session, Context(COMMAND_LINE, NOW), under, Subject.LISTING, pair.need)


def test_the_file_of_plan_documents_holds_the_rows_of_its_page_in_its_order(demo_app: Flask, plans: None) -> None:
    rows = _file(demo_app, "operator", "/plans.csv")
    assert [(row["Number"], row["Date"], row["Stands under it"]) for row in rows] == [
        ("328-KH/TU", "2025-06-01", "0"),
        ("12/QĐ", "2025-01-01", "0"),
        ("57-NQ/TW", "2024-01-01", "1"),
    ]
    page = _page(demo_app, "operator", "/plans")
    assert page.index("328-KH/TU") < page.index("12/QĐ") < page.index("57-NQ/TW")
    assert "3 plan documents" in page
    assert _file(demo_app, "operator", "/plans.csv?sort=most")[0]["Number"] == "57-NQ/TW"
    assert _file(demo_app, "administrator", "/plans.csv") == rows


@pytest.mark.parametrize("query", ["year=2024", "q=dot+pha", "q=57-nq"])
def test_a_filter_and_words_narrow_page_and_file_of_plan_documents(demo_app: Flask, plans: None, query: str) -> None:
    assert [row["Number"] for row in _file(demo_app, "operator", f"/plans.csv?{query}")] == ["57-NQ/TW"]
    page = _page(demo_app, "operator", f"/plans?{query}")
    assert "57-NQ/TW" in page
    assert "328-KH/TU" not in page
    assert f'href="/plans.csv?{query}"' in page
    assert "Enter another" in page, "the form stays"


def test_a_title_that_is_a_formula_does_not_come_alive(demo_app: Flask, plans: None) -> None:
    assert _file(demo_app, "operator", "/plans.csv?q=12/")[0]["Title"] == "'=1+1"
    sheet = load_workbook(io.BytesIO(sign_in(demo_app, "operator").get("/plans.xlsx?q=12/").data)).active
    assert sheet is not None
    assert sheet["B2"].value == "=1+1"
    assert sheet["B2"].data_type != "f"


def test_many_plan_documents_have_pages_and_one_file(demo_app: Flask, pair: Pair) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        for number in range(30):
            _plan(session, f"{number}/KH", "A plan", 2000 + number % 20)
    first, last = (_page(demo_app, "operator", f"/plans{query}") for query in ("", "?page=2"))
    assert "Page 1 of 2" in first
    assert (first.count("data-line "), last.count("data-line ")) == (25, 5)
    assert len(_file(demo_app, "operator", "/plans.csv?page=2")) == 30
    nothing = _page(demo_app, "operator", "/plans?year=2001&q=nothing")
    assert "No line is like that." in nothing
    assert 'href="/plans">Show everything' in nothing


@pytest.mark.parametrize("path", ["/plans", "/reports", "/commissions"])
@pytest.mark.parametrize("name", ["engineer", "unarmed_operator"])
def test_who_may_not_read_the_page_gets_no_file_of_it(demo_app: Flask, pair: Pair, path: str, name: str) -> None:
    browser = sign_in(demo_app, name)
    for suffix in ("", ".csv", ".xlsx"):
        assert browser.get(path + suffix).status_code == 403


@pytest.fixture
def reports(demo_app: Flask, pair: Pair) -> None:
    """Two reports of Hưng Yên, one of them under a plan, and one of everywhere."""
    with demo_app.app_context(), identity.database().transaction() as session:
        maker = person_of(session, "operator").id
        plan = _plan(session, "328-KH/TU", "A plan", 2025)
        for places, first, last, by in (
            (["VN-33"], date(2025, 10, 1), date(2026, 3, 31), maker),
            (["VN-33"], date(2024, 1, 1), date(2024, 12, 31), None),
            ([], date(2026, 1, 1), date(2026, 6, 30), person_of(session, "administrator").id),
        ):
            made = Report(since=first, until=last, places=places, facts={}, person_id=by, made_at=NOW)
            session.add(made)
            session.flush()
            if by == maker:
                plan_documents.put(session, Context(COMMAND_LINE, NOW), plan, Subject.REPORT, made.id)


def test_the_file_of_reports_names_those_that_its_reader_may_open(demo_app: Flask, reports: None) -> None:
    assert [tuple(row.values()) for row in _file(demo_app, "operator", "/reports.csv")] == [
        ("2024-01-01", "2024-12-31", "", "2026-11-21", ""),
        ("2025-10-01", "2026-03-31", "328-KH/TU", "2026-11-21", CAST["operator"].called),
    ]
    assert [row["First day"] for row in _file(demo_app, "administrator", "/reports.csv")] == ["2026-01-01"]
    assert _file(demo_app, "other_operator", "/reports.csv") == []
    assert "None yet" in _page(demo_app, "other_operator", "/reports")
    latest = _file(demo_app, "operator", "/reports.csv?sort=period")
    assert [row["Last day"] for row in latest] == ["2026-03-31", "2024-12-31"]


@pytest.mark.parametrize("query", ["year=2025", "year=2026", "plan=328-KH/TU", f"by={CAST['operator'].called}"])
def test_a_year_a_plan_or_a_maker_narrows_page_and_file_of_reports(demo_app: Flask, reports: None, query: str) -> None:
    assert [row["First day"] for row in _file(demo_app, "operator", f"/reports.csv?{query}")] == ["2025-10-01"]
    page = _page(demo_app, "operator", f"/reports?{query}")
    assert "1 report " in page
    assert "January 1, 2024" not in page
    assert "Make a report" in page, "the form stays"


@pytest.fixture
def proposals(demo_app: Flask, pair: Pair) -> None:
    """Two proposals kept in Hưng Yên with the firm behind them, which agreed to one and is asked about the other; a
    third in which it has not been asked, and another firm has.
    """
    with demo_app.app_context(), identity.database().transaction() as session:
        rival = organisations.get_organisation(session, CAST["rival"].organisation).id
        for title, field, said in (
            ("+Cold dyeing", "203", {pair.firm: "agreed"}),
            ("Dry cleaning", "101", {pair.firm: "asked", rival: "declined"}),
            ("Warm water", "101", {pair.firm: "counted", rival: "asked"}),
        ):
            texts = {"title": title, "problem": "A problem", "result": "A result", "language": "en"}
            times = {"created_at": NOW, "updated_at": NOW}
            made = Commission(**texts, **times, field=field, places=["VN-33"], offers=[], institutes=[])
            made.need_rows.append(CommissionNeed(listing_id=pair.need))
            made.consents += [CommissionConsent(organisation_id=one, state=state) for one, state in said.items()]
            session.add(made)
            session.flush()


def test_the_file_of_proposals_counts_firms_and_names_none(demo_app: Flask, proposals: None) -> None:
    rows = _file(demo_app, "operator", "/commissions.csv")
    assert [(row["Title"], row["Needs"], row["Firms that agreed"], row["Firms"]) for row in rows] == [
        ("Warm water", "1", "0", "2"),
        ("Dry cleaning", "1", "0", "2"),
        ("'+Cold dyeing", "1", "1", "1"),
    ]
    for name in ("Sông Hồng", "Đối Thủ"):
        assert name not in _page(demo_app, "operator", "/commissions.csv") + _page(demo_app, "operator", "/commissions")
    assert _file(demo_app, "other_operator", "/commissions.csv") == []


@pytest.mark.parametrize("query", ["field=203", "said=agreed", "q=cold"])
def test_field_consent_or_words_narrow_page_and_file_of_proposals(demo_app: Flask, proposals: None, query: str) -> None:
    assert [row["Title"] for row in _file(demo_app, "operator", f"/commissions.csv?{query}")] == ["'+Cold dyeing"]
    page = _page(demo_app, "operator", f"/commissions?{query}")
    assert "Cold dyeing" in page
    assert "Dry cleaning" not in page
    assert "1 / 1" in page


def test_a_manager_takes_along_what_their_own_firm_was_asked(demo_app: Flask, pair: Pair, proposals: None) -> None:
    rows = _file(demo_app, "engineer", "/consents.csv")
    assert [(row["Your need"], row["Your answer"]) for row in rows] == [
        ("Dye bath at sixty degrees", "asked: counted, not named"),
        ("Dye bath at sixty degrees", "agreed: named"),
    ]
    assert {row["Organisation"] for row in rows} == {"Công ty Dệt may Sông Hồng"}
    assert [row["Your answer"] for row in _file(demo_app, "engineer", "/consents.csv?answer=agreed")] == [
        "agreed: named"
    ]
    page = _page(demo_app, "engineer", "/consents?answer=agreed")
    assert page.count("data-line ") == 1
    text = _page(demo_app, "engineer", "/consents.csv") + _page(demo_app, "engineer", "/consents")
    for word in ("Cold dyeing", "Dry cleaning", "Đối Thủ"):
        assert word not in text, "titles of proposals and other firms stand there no more than before"
    others = _file(demo_app, "rival", "/consents.csv")
    assert [row["Your need"] for row in others] == ["", ""], "the need is not theirs"
    for name in ("viewer", "operator", "stranger"):
        assert _file(demo_app, name, "/consents.csv") == []
        assert "You have not been asked" in _page(demo_app, name, "/consents")


def test_the_title_of_a_need_does_not_come_alive_in_the_file_of_consents(
    demo_app: Flask, pair: Pair, proposals: None
) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.need).values(title="@SUM(A1)"))
    assert {row["Your need"] for row in _file(demo_app, "engineer", "/consents.csv")} == {"'@SUM(A1)"}


@pytest.fixture
def guests(demo_app: Flask, pair: Pair) -> list[int]:
    """Deals of others: the rival takes part in one, is asked about one, and does not know of a third."""
    with demo_app.app_context(), identity.database().transaction() as session:
        rival = organisations.get_organisation(session, CAST["rival"].organisation)
        found = []
        for state, role in (("joined", "tester"), ("invited", "funder"), ("asked_both", "maker")):
            one = Interest(
                listing_id=pair.need, sender_id=pair.university, receiver_id=pair.firm, language="en", who="", why="",
                state=State.ACCEPTED.value, sent_at=NOW - timedelta(days=9), closed_at=NOW,
            )  # fmt: skip
            deal = Deal(interest=one, stage="introduced", opened_at=NOW, introduced_at=NOW)
            session.add(DealParticipant(
                deal=deal, role=role, organisation=rival, state=state, note="Canary of the note", language="en",
                named_at=NOW,
            ))  # fmt: skip
            session.flush()
            found.append(deal.id)
        return found


def test_the_file_of_participations_says_what_the_page_says_and_nothing_of_the_deal(
    demo_app: Flask, guests: list[int]
) -> None:
    joined, asked, unknown = guests
    rows = _file(demo_app, "rival", "/participations.csv")
    assert [list(row.values()) for row in rows] == [
        [str(asked), "Funding body or investor", "Công ty Đối Thủ", "waits for you"],
        [str(joined), "Test laboratory", "Công ty Đối Thủ", "takes part"],
    ]
    text = _page(demo_app, "rival", "/participations.csv") + _page(demo_app, "rival", "/participations")
    for word in ("Dye bath", "Sông Hồng", "Phương Nam", "Canary", f"Deal No. {unknown}"):
        assert word not in text
    for name in ("stranger", "engineer", "operator"):
        assert _file(demo_app, name, "/participations.csv") == []
        assert f"Deal No. {asked}" not in _page(demo_app, name, "/participations")


@pytest.mark.parametrize("query", ["state=invited", "role=funder"])
def test_a_state_or_a_role_narrows_page_and_file_of_participations(
    demo_app: Flask, guests: list[int], query: str
) -> None:
    assert [row["Deal"] for row in _file(demo_app, "rival", f"/participations.csv?{query}")] == [str(guests[1])]
    page = _page(demo_app, "rival", f"/participations?{query}")
    assert f"Deal No. {guests[1]}" in page
    assert f"Deal No. {guests[0]}" not in page
    last = _file(demo_app, "rival", "/participations.csv?sort=deal")
    assert [row["Deal"] for row in last] == [str(number) for number in guests[:2]]


@pytest.mark.parametrize("path", ["/consents", "/participations"])
def test_who_is_not_signed_in_gets_neither_page_nor_file(demo_app: Flask, pair: Pair, path: str) -> None:
    for suffix in ("", ".csv", ".xlsx"):
        assert demo_app.test_client().get(path + suffix).status_code == 403
