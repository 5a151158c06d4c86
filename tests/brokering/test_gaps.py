"""Gaps, groups of needs that are alike, and shares: pure; and proposals for commissioned tasks with their consents."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.brokering import commission_paper, commissioning, consents, gaps
from techex.brokering.commission_tables import Commission
from techex.brokering.gaps import Alone
from techex.core.context import COMMAND_LINE, Context
from techex.core.mail import Letter
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound
from techex.listings.tables import Listing
from techex.matching.survey_tables import Survey, SurveyedListing, SurveyedPair
from techex.regions.rules import Place
from techex.web import identity
from tests.cast import sign_in

from .stage import Pair, actor_of

HOUSE = House("Test exchange", lambda endpoint, **values: f"https://x.example/{endpoint}/{values['commission_id']}")
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def alone(number: int, *fields: str, province: str = "33", best: int = 5) -> Alone:
    return Alone(number, f"Need {number}", "en", Place("VN", province), fields, best)


def test_gaps_are_counted_by_field_and_region_beside_all_needs_there() -> None:
    needs = [alone(1, "101", "203"), alone(2, "203"), alone(3, "203", province="79"), alone(4, "203", best=90)]
    found = gaps.by_field([one for one in needs if one.best < 30], needs)
    assert [(gap.field, gap.region, gap.needs, gap.all_needs) for gap in found] == [
        ("203", "RED_RIVER_DELTA", 2, 3),
        ("101", "RED_RIVER_DELTA", 1, 1),
        ("203", "SOUTHEAST", 1, 1),
    ]


def test_a_group_shares_a_field_and_every_two_in_it_are_alike() -> None:
    needs = [alone(1, "203", "211"), alone(2, "211"), alone(3, "211", "401"), alone(4, "401"), alone(5, "502")]
    pairs = [(1, 2), (2, 3), (1, 3), (3, 4), (4, 5)]
    groups = [[one.id for one in group] for group in gaps.grouped(needs, pairs)]
    assert groups == [[1, 2, 3], [4], [5]]
    groups = [[one.id for one in group] for group in gaps.grouped(needs, [(1, 2), (2, 3)])]
    assert groups == [[1, 2], [3], [4], [5]], "1 and 3 are not alike"


def test_shares_say_who_is_shown_more_often_than_their_results_suit() -> None:
    found = gaps.counted_shares([("A", 3, 6), ("A", 0, 0), ("B", 2, 2), ("B", 1, 2), ("C", 0, 0)])
    a, b, c = found
    assert (a.key, a.results, a.suitable, a.shown) == ("A", 2, 1, 6)
    assert (round(a.of_suitable, 2), round(a.of_shown, 2), round(a.ratio or 0, 2)) == (0.33, 0.6, 1.8)
    assert (b.key, c.key, c.ratio) == ("B", "C", None)


@pytest.fixture
def looked_over(demo_app: Flask, pair: Pair) -> None:
    """The stage, looked over: nothing suits the firm's need."""
    with demo_app.app_context(), identity.database().transaction() as session:
        for scope in ("public", "all"):
            session.add(SurveyedListing(scope=scope, listing_id=pair.need, best=12, suitable=0, shown=0))
            session.add(SurveyedListing(scope=scope, listing_id=pair.offer, best=12, suitable=0, shown=0))
            session.add(SurveyedPair(scope=scope, need_id=pair.need, offer_id=pair.offer, place=1, strength=12))
            session.add(Survey(scope=scope, change=1, made_at=NOW, seconds=1.0, without_vectors=0))
        wanted = {"required_result": "Dye at 60 °C, ΔE below 1."}
        session.execute(update(Listing).where(Listing.id == pair.need).values(body=wanted))


@pytest.fixture
def session(demo_app: Flask, looked_over: None) -> Iterator[Session]:
    """A writing session on that."""
    with demo_app.app_context(), identity.database().transaction() as session:
        yield session


def as_one(session: Session, name: str) -> Context:
    return Context(actor_of(session, name), NOW)


def test_a_proposal_says_only_what_its_needs_say_and_names_nobody(session: Session, pair: Pair) -> None:
    operator = as_one(session, "operator")
    made = commissioning.begin(session, operator, [pair.need], "en")
    assert made.title == "Commissioned task: Dye bath at sixty degrees"
    assert f"We dye cotton at 98 °C and want to do it at 60 °C instead. [{pair.need}]" in made.problem
    assert f"Dye at 60 °C, ΔE below 1. [{pair.need}]" in made.result
    facts = commission_paper.facts(session, operator, made, "Test exchange")
    assert (facts["behind"], facts["counted"]) == ([], 1)
    assert [offer["number"] for offer in facts["offers"]] == [pair.offer]
    assert pair.university in [house["id"] for house in facts["institutes"]]
    assert "Sông Hồng" not in json.dumps(facts, ensure_ascii=False)


def test_a_firm_is_named_after_its_manager_agreed_and_taken_out_after_a_no(session: Session, pair: Pair) -> None:
    operator, manager = as_one(session, "operator"), as_one(session, "engineer")
    made = commissioning.begin(session, operator, [pair.need], "vi")
    with pytest.raises(NotFound):
        consents.asked(session, manager, made.id, pair.firm)
    assert consents.ask(session, operator, HOUSE, made.id, pair.firm) == 1
    assert consents.ask(session, operator, HOUSE, made.id, pair.firm) == 0, "once"
    letter = session.scalars(select(Letter).where(Letter.key.startswith("commission-"))).one()
    assert "Dye bath" not in letter.subject + letter.text
    assert len(consents.asked_of(session, manager)) == 1
    for name in ("editor", "rival", "officer", "operator"):
        with pytest.raises(NotFound):
            consents.answer(session, as_one(session, name), made.id, pair.firm, agrees=True)
    consents.answer(session, manager, made.id, pair.firm, agrees=True)
    facts = commission_paper.facts(session, operator, made, "Test exchange")
    assert (len(facts["behind"]), facts["counted"]) == (1, 0)
    consents.answer(session, manager, made.id, pair.firm, agrees=False)
    assert f"[{pair.need}]" not in made.problem + made.result
    assert "Dye bath" not in made.title
    facts = commission_paper.facts(session, operator, made, "Test exchange")
    assert (facts["behind"], facts["counted"], facts["needs"], facts["unquoted"]) == ([], 1, [], 1)


def test_words_that_not_everybody_reads_come_in_after_a_yes(session: Session, pair: Pair) -> None:
    session.execute(update(Listing).where(Listing.id == pair.need).values(visibility="restricted"))
    session.expire_all()
    operator = as_one(session, "operator")
    made = commissioning.begin(session, operator, [pair.need], "en")
    assert "98 °C" not in made.title + made.problem + made.result
    consents.ask(session, operator, HOUSE, made.id, pair.firm)
    consents.answer(session, as_one(session, "engineer"), made.id, pair.firm, agrees=True)
    commissioning.redraft(session, operator, made.id, made.revision)
    assert f"98 °C and want to do it at 60 °C instead. [{pair.need}]" in made.problem


def test_it_is_kept_by_operators_of_its_places_and_edited_by_one_at_a_time(session: Session, pair: Pair) -> None:
    operator = as_one(session, "operator")
    with pytest.raises(NotAllowed):
        commissioning.begin(session, as_one(session, "other_operator"), [pair.need], "en")
    with pytest.raises(NotFound):
        commissioning.begin(session, operator, [pair.offer], "en")
    with pytest.raises(BadInput):
        commissioning.begin(session, operator, [], "en")
    made = commissioning.begin(session, operator, [pair.need], "en")
    assert [one.id for one in commissioning.kept(session, operator)] == [made.id]
    for name in ("other_operator", "engineer", "unarmed_operator", "administrator"):
        assert commissioning.kept(session, as_one(session, name)) == []
        with pytest.raises(NotFound):
            commissioning.get(session, as_one(session, name), made.id)
    texts = {"title": "Cold dyeing of cotton", "problem": "Dyeing takes heat. " * 2, "result": "ΔE below 1 at 60 °C."}
    before = made.revision
    commissioning.change(session, operator, made.id, before, texts | {"offers": [], "institutes": made.institutes})
    assert (made.title, made.offers) == ("Cold dyeing of cotton", [])
    with pytest.raises(Conflict):
        commissioning.change(session, operator, made.id, before, texts)
    with pytest.raises(FieldErrors):
        commissioning.change(session, operator, made.id, made.revision, texts | {"title": "x"})
    commissioning.remove(session, operator, made.id, made.revision)
    assert session.scalars(select(Commission)).all() == []


def test_its_files_say_the_same_and_no_formula_is_alive(session: Session, pair: Pair) -> None:
    made = commissioning.begin(session, as_one(session, "operator"), [pair.need], "vi")
    made.title = '=HYPERLINK("http://x")#[Công nghệ nhuộm nguội]*'
    facts = commission_paper.facts(session, Context(COMMAND_LINE, NOW), made, "Sàn thử")
    assert json.loads(commission_paper.as_json(facts)) == facts
    sheet = load_workbook(io.BytesIO(commission_paper.as_xlsx(facts))).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert made.title in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(commission_paper.as_pdf(facts))).pages)
    assert made.title in " ".join(text.split())
    assert "Đề xuất đặt hàng nhiệm vụ" in text


def test_from_the_page_of_gaps_to_a_proposal_and_a_yes(demo_app: Flask, looked_over: None, pair: Pair) -> None:
    operator, manager = sign_in(demo_app, "operator"), sign_in(demo_app, "engineer")
    page = operator.get("/gaps").text
    assert "Dye bath at sixty degrees" in page
    assert "Dye bath" not in operator.get("/gaps?floor=30&of=results").text
    reply = operator.post("/commissions", data={"need": str(pair.need)})
    address = reply.headers["Location"]
    assert reply.status_code == 303
    assert "not asked yet" in operator.get(address).text
    assert operator.post(f"{address}/ask/{pair.firm}").status_code == 303
    consent = f"/consents/{address.rpartition('/')[2]}/{pair.firm}"
    assert consent in manager.get("/consents").text
    assert manager.post(f"{consent}/agree").status_code == 303
    assert "agreed: named" in operator.get(address).text
    assert operator.post(address, data={"title": "x", "revision": "1"}).status_code == 422
    for kind in ("pdf", "json", "xlsx"):
        assert operator.get(f"{address}/file.{kind}").status_code == 200
