"""Reports of a period as PDF and XLSX, kept as they stood; plan documents and what stands under them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from flask import Flask
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy.orm import Session

from techex.brokering import plan_documents, report_charts, report_paper, report_words, reporting
from techex.brokering.deal_tables import Deal
from techex.brokering.funnel import Flow
from techex.brokering.plan_documents import Subject
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound
from techex.web import identity
from tests.cast import sign_in

from .stage import Pair, actor_of
from .test_deals import agreed

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2026, 11, 21)
PLAN = {"number": "328-KH/TU", "title": "Kế hoạch phát triển khoa học và công nghệ", "date": "2025-06-30"}


@pytest.fixture
def session(demo_app: Flask, pair: Pair) -> Iterator[Session]:
    """The stage with a contract from Hồ Chí Minh City to Hưng Yên."""
    with demo_app.app_context(), identity.database().transaction() as session:
        sent = datetime(2026, 5, 4, 9, tzinfo=UTC)
        one = Interest(
            listing_id=pair.offer, own_listing_id=pair.need, sender_id=pair.firm, receiver_id=pair.university,
            language="en", who="", why="", state=State.ACCEPTED.value, sent_at=sent,
            forwarded_at=sent + timedelta(days=1), closed_at=sent + timedelta(days=5),
        )  # fmt: skip
        contract = {"value_band": "b", "currency": "VND", "transfer_form": "assignment"}
        contract |= {"origin": "VN-79", "application": "VN-33"}
        signed = sent + timedelta(days=60)
        session.add(Deal(interest=one, stage="signed", opened_at=sent, introduced_at=sent, signed_at=signed,
                         contract=contract))  # fmt: skip
        session.flush()
        yield session


def as_one(session: Session, name: str) -> Context:
    return Context(actor_of(session, name), NOW)


def test_a_report_counts_its_places_and_period_and_stays_as_it_was(session: Session, pair: Pair) -> None:
    operator = as_one(session, "operator")
    made = reporting.make(session, operator, FIRST, LAST, [])
    assert [row[1] for row in made.facts["interests"]] == [1, 1, 1, 1, 1]
    assert made.facts["flows"] == [["VN-79", "VN-33", 1]]
    assert [row["value_band"] for row in made.facts["contracts"]] == ["b"]
    steps, counts = made.facts["days"]["pairs"][0][1::2], made.facts["days"]["pairs"][0][2::2]
    assert steps == [row[2] for row in made.facts["interests"][1:]], "one way: its group is the whole"
    assert counts == [1, 1, 1, 1]
    early = reporting.make(session, operator, FIRST, date(2026, 4, 30), [])
    assert early.facts["days"]["pairs"] == []
    assert [row[1] for row in early.facts["interests"]] == [0] * 5
    assert early.facts["flows"] == []
    elsewhere = reporting.make(session, as_one(session, "other_operator"), FIRST, LAST, [])
    assert elsewhere.facts["flows"] == []
    assert [one.id for one in reporting.kept(session, operator)] == [early.id, made.id]
    for name in ("other_operator", "administrator", "engineer", "unarmed_operator"):
        with pytest.raises(NotFound):
            reporting.get(session, as_one(session, name), made.id)
    session.delete(session.query(Deal).one())
    session.flush()
    session.expire_all()
    assert reporting.get(session, operator, made.id).facts["flows"] == [["VN-79", "VN-33", 1]]


def test_a_period_is_checked(session: Session) -> None:
    operator = as_one(session, "operator")
    for since, until in ((None, LAST), (LAST + timedelta(days=9), LAST), (LAST, FIRST), (date(1999, 1, 1), LAST)):
        with pytest.raises(FieldErrors):
            reporting.make(session, operator, since, until, [])


@pytest.mark.parametrize("language", report_words.LANGUAGES)
def test_its_files_say_the_same_in_both_languages_and_no_formula_is_alive(session: Session, language: str) -> None:
    operator = as_one(session, "operator")
    plan = plan_documents.add(session, operator, PLAN | {"number": "=1+1"})
    made = reporting.make(session, operator, FIRST, LAST, [plan.id])
    plans = plan_documents.numbers_of(session, Subject.REPORT, made.id)
    assert plans == ["=1+1"]
    pdf = report_paper.as_pdf(made, language, "Test exchange", plans)
    text = " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
    for section in report_words.sections(made, language, plans):
        assert section.title in text
        assert not section.chart or ElementTree.fromstring(section.chart).tag.endswith("svg")  # noqa: S314 - ours
    assert ("Hưng Yên" if language == "vi" else "Hung Yen") in text
    book = load_workbook(io.BytesIO(report_paper.as_xlsx(made, language, "Test exchange", plans)))
    sections = report_words.sections(made, language, plans)
    assert len(book.sheetnames) == len(sections) + 1
    timed = next(one for one in sections if ("giữa các bước" if language == "vi" else "between the steps") in one.title)
    assert len(timed.columns) == len(timed.rows[0]) == 9
    days = made.facts.pop("days")
    assert len(report_words.sections(made, language, plans)) < len(sections), "reports of before have none"
    made.facts["days"] = days
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    flows = book.worksheets[3]
    assert [cell.value for cell in flows[2]][2] == 1, "numbers are numbers"
    assert pdf == report_paper.as_pdf(made, language, "Test exchange", plans)


def test_what_people_typed_is_text_in_a_chart() -> None:
    chart = report_charts.bars([('<script>"&', 3, "3"), ("b", 0, "0")])
    assert "<script>" not in chart
    flows = [Flow("VN-79", "VN-33", 4), Flow("NL", "VN-33", 1), Flow("VN-01", "VN-01", 2)]
    root = ElementTree.fromstring(report_charts.flow_map(flows, lambda code: f"<{code}>"))  # noqa: S314 - ours
    assert sum(one.text == "<NL>" for one in root.iter()) == 1


def test_plan_documents_are_kept_by_operators_and_tag_what_they_see(session: Session, pair: Pair) -> None:
    operator, stranger = as_one(session, "operator"), as_one(session, "engineer")
    with pytest.raises(NotAllowed):
        plan_documents.add(session, stranger, PLAN)
    plan = plan_documents.add(session, operator, PLAN)
    with pytest.raises(Conflict):
        plan_documents.add(session, operator, PLAN)
    with pytest.raises(FieldErrors) as wrong:
        plan_documents.change(session, operator, plan.id, {"number": "", "title": "x" * 400, "date": "soon"})
    assert set(wrong.value.fields) == {"number", "title", "date"}
    deal = session.query(Deal).one()
    assert plan_documents.tag(session, operator, plan.id, Subject.LISTING, [pair.need]) == 1
    assert plan_documents.tag(session, operator, plan.id, Subject.DEAL, [deal.id, deal.id]) == 1
    assert plan_documents.tag(session, operator, plan.id, Subject.DEAL, [deal.id]) == 0
    with pytest.raises(NotAllowed):  # of another place
        plan_documents.tag(session, operator, plan.id, Subject.LISTING, [pair.offer])
    with pytest.raises(NotFound):
        plan_documents.tag(session, as_one(session, "other_operator"), plan.id, Subject.DEAL, [deal.id])
    for numbers in ([], list(range(99))):
        with pytest.raises(BadInput):
            plan_documents.tag(session, operator, plan.id, Subject.LISTING, numbers)
    under = [(one.subject, one.number) for one in plan_documents.tagged(session, operator, plan.id)]
    assert under == [(Subject.LISTING, pair.need), (Subject.DEAL, deal.id)]
    other = plan_documents.tagged(session, as_one(session, "other_operator"), plan.id)
    assert [one.subject for one in other] == [Subject.LISTING]
    made = reporting.make(session, operator, FIRST, LAST, [plan.id])
    assert [(row["listing"], row["deal"]) for row in made.facts["plans"]] == [(1, 1)]
    assert made.facts["contracts"][0]["plans"] == ["328-KH/TU"]
    plan_documents.untag(session, operator, plan.id, Subject.DEAL, deal.id)
    assert len(plan_documents.tagged(session, operator, plan.id)) == 1


def test_the_pages_lead_from_a_plan_to_a_report(demo_app: Flask, pair: Pair) -> None:
    operator = sign_in(demo_app, "operator")
    address = operator.post("/plans", data=PLAN).headers["Location"]
    assert operator.post("/plans", data=PLAN).status_code == 409
    reply = operator.post(f"{address}/tag", data={"subject": "listing", "numbers": f"/needs/{pair.need}"})
    assert reply.status_code == 303
    assert "Dye bath at sixty degrees" in operator.get(address).text
    assert operator.post(f"{address}/tag", data={"subject": "listing", "numbers": "99999999"}).status_code == 422
    assert operator.post(f"{address}/tag", data={"subject": "report", "numbers": "1"}).status_code == 422
    assert operator.post(f"{address}/untag", data={"subject": "listing", "numbers": str(pair.need)}).status_code == 303
    number = address.rpartition("/")[2]
    reply = operator.post("/reports", data={"since": "2026-01-01", "until": "2026-09-30", "plan": number})
    report = reply.headers["Location"]
    assert "328-KH/TU" in operator.get("/reports").text
    assert "328-KH/TU" in operator.get(report).text
    assert operator.get(f"{report}/file.pdf?lang=vi").data.startswith(b"%PDF")
    assert operator.get(f"{report}/file.xlsx").data.startswith(b"PK")


def test_a_listing_and_a_deal_are_put_under_a_plan_on_their_own_pages_by_their_operators_only(
    demo_app: Flask, pair: Pair, context: Context
) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        plan = plan_documents.add(session, as_one(session, "operator"), PLAN | {"number": "57-NQ/TW"}).id
        deal = agreed(session, context, pair).id
    operator = sign_in(demo_app, "operator")
    pages = {f"/needs/{pair.need}": f"/plans/of/listing/{pair.need}", f"/deals/{deal}": f"/plans/of/deal/{deal}"}
    for page, action in pages.items():
        assert "57-NQ/TW: Kế hoạch" in operator.get(page).text
        assert operator.post(action, data={}).status_code == 422
        reply = operator.post(action, data={"plan": plan})
        assert reply.headers["Location"] == f"{page}#plans"
        assert f'href="/plans/{plan}"' in operator.get(page).text
        for name in ("engineer", "officer", "other_operator", "stranger", "administrator"):
            browser = sign_in(demo_app, name)
            assert "57-NQ/TW" not in browser.get(page).text, name
            assert browser.post(action, data={"plan": plan}).status_code in (403, 404), name
        assert operator.post(action, data={"plan": plan, "verb": "untag"}).status_code == 303
        assert f'href="/plans/{plan}"' not in operator.get(page).text
    assert operator.post(f"/plans/of/listing/{pair.offer}", data={"plan": plan}).status_code == 403
