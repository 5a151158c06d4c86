"""Beside the desk: expected value, untouched pairs, workload, hand-overs, views under a name."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select
from werkzeug.datastructures import MultiDict

from techex.admin import desk, handing, saved_views, workload
from techex.admin.handing import Holders
from techex.admin.tables import HandOver, SavedView
from techex.admin.workload import LEAST_ANSWERS, Answer
from techex.brokering import expected
from techex.brokering.expected import ASKED, MIDDLES, WEIGHT, Chances, Course
from techex.brokering.pipeline import VALUE_BANDS
from techex.core.audit import AuditEntry
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.organisations.tables import OperatorPlace
from techex.regions.rules import Place
from techex.web import identity
from tests.admin.test_desk import LINE, TODAY, _interest
from tests.brokering.stage import NEED, OFFER, Pair, actor_of, stage
from tests.cast import CAST, enter, person_of, sign_in

WON = Course(frozenset({ASKED, "lead", "introduced", "negotiation"}), signed=True)
LOST = Course(frozenset({ASKED, "lead", "introduced"}), signed=False)
REFUSED = Course(frozenset({ASKED}), signed=False)


def test_the_share_of_a_stage_is_pulled_towards_that_of_all_while_it_has_seen_little() -> None:
    few = expected.shares([WON, LOST])
    assert (few["negotiation"].passed, few["negotiation"].signed) == (1, 1)
    assert 0.5 < few["negotiation"].value < 0.6, "one contract of one is no certainty"
    many = expected.shares([WON] * 300 + [LOST] * 100 + [REFUSED] * 400)
    assert many["negotiation"].value > 0.97
    assert 0.37 < many[ASKED].value < 0.38
    assert many[ASKED].value < many["introduced"].value < many["negotiation"].value
    nothing = expected.shares([])
    assert {share.value for stage, share in nothing.items() if share.value < 1} == {0.5}
    assert WEIGHT > 0
    assert many["signed"].value == 1.0, "it is there"


def test_the_middle_of_the_band_is_taken_and_without_any_band_nothing_is_said() -> None:
    chances = Chances(expected.shares([WON] * 98 + [LOST] * 100), "b")
    worth = chances.of("negotiation", "c")
    assert worth is not None
    assert worth.millions == pytest.approx(worth.share.value * 3_000)
    usual = chances.of("negotiation", "")
    assert usual is not None
    assert (usual.band, usual.usual_band) == ("b", True)
    assert Chances(chances.shares).of("negotiation", "") is None
    assert list(MIDDLES) == list(VALUE_BANDS)


@pytest.mark.parametrize(
    ("amount", "currency", "band"),
    [
        *((150e6, "VND", "a"), (200_000_001, "VND", "b"), (30_000, "EUR", "b"), (9e9, "VND", "d"), (9e6, "USD", "e")),
        *((100, "KRW", ""), (None, "VND", ""), (0, "EUR", ""), (5, None, "")),
    ],
)
def test_amounts_fall_into_bands_in_currencies_whose_bands_are_known(
    amount: float | None, currency: str | None, band: str
) -> None:
    assert expected.band_of(amount, currency) == band


def test_of_equal_days_the_greater_value_stands_first_and_value_can_lead() -> None:
    chances = Chances(expected.shares([WON, LOST]), "b")
    rich, poor = chances.of("lead", "e"), chances.of("lead", "a")
    lines = [
        replace(LINE, key=1, worth=poor),
        replace(LINE, key=2, worth=rich),
        replace(LINE, key=3, due=date(2026, 11, 19)),
        replace(LINE, key=4),
    ]
    lines = desk.dated(lines, TODAY)
    assert [item.key for item in desk.chosen(lines, desk.Asked())] == [3, 2, 1, 4]
    assert [item.key for item in desk.chosen(lines, desk.Asked(sort="value"))] == [2, 1, 3, 4]
    mine = replace(lines[0], holder=7)
    assert desk.chosen([mine, lines[1]], desk.Asked(holder="7")) == [mine]
    assert desk.chosen([mine, lines[1]], desk.Asked(holder=desk.NOBODY)) == [lines[1]]


def _given(to: int, subject: tuple[str, str] = ("", ""), who: int | None = None) -> HandOver:
    return HandOver(person_id=who, to_id=to, task=subject[0], key=subject[1])


def test_what_is_handed_over_is_with_the_last_who_got_it_and_everything_follows_its_owner() -> None:
    subject = ("review", "5")
    assert Holders([]).of(subject, None) is None
    assert Holders([]).of(subject, 1) == 1
    rows = [_given(3, subject, 2), _given(2, subject, 1)]
    assert Holders(rows).of(subject, 1) == 3
    assert Holders([_given(4, who=3), *rows]).of(subject, 1) == 4
    assert Holders([_given(4, who=3), *rows]).of(("review", "6"), 3) == 4
    assert Holders([_given(4, who=3), _given(3, who=4)]).of(subject, 3) in (3, 4), "a circle ends somewhere"


def test_a_hand_over_ends_after_its_day() -> None:
    row = HandOver(to_id=1, until=date(2026, 11, 20))
    assert [row.holds_on(date(2026, 11, day)) for day in (19, 20, 21)] == [True, True, False]
    row.ended_at = datetime(2026, 11, 1, tzinfo=UTC)
    assert not row.holds_on(date(2026, 11, 10))


def test_a_median_is_told_of_three_answers_and_more_and_counts_working_days() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    answers = [Answer(1, friday, monday)] * LEAST_ANSWERS + [Answer(2, friday, monday)]
    mine = replace(LINE, holder=1, at_once=True)
    first, second, nobody = workload.loads([mine, LINE], answers, [1, 2])
    assert (first.open, first.late, first.typical) == (1, 1, 1.0)
    assert (second.answers, second.typical) == (1, None)
    assert (nobody.person_id, nobody.open, nobody.late) == (None, 1, 0)


@pytest.fixture
def pair(demo_app: Flask) -> Pair:
    with demo_app.app_context(), identity.database().transaction() as session:
        found = stage(session, Context(COMMAND_LINE))
        other = person_of(session, "other_operator")
        session.add(OperatorPlace(person_id=other.id, place_code="VN-33", granted_at=Context(COMMAND_LINE).now))
        return found


def _number(app: Flask, name: str) -> int:
    with app.app_context(), identity.database().reading() as session:
        return person_of(session, name).id


def test_things_are_taken_handed_over_and_come_back(demo_app: Flask, pair: Pair) -> None:
    number = _interest(demo_app, pair)
    mine, theirs = sign_in(demo_app, "operator"), sign_in(demo_app, "other_operator")
    me, other = _number(demo_app, "operator"), _number(demo_app, "other_operator")
    item = f"interest:{number}"
    assert f'value="{item}"' in mine.get("/desk").text
    assert mine.post("/desk/hand-over", data={"item": item, "take": "1"}).headers["Location"].endswith("taken=1")
    assert f'value="{item}"' in mine.get(f"/desk?holder={me}").text
    data = {"item": item, "to": other, "note": "You know them.", "until": f"{date.today() + timedelta(days=9)}"}  # noqa: DTZ011
    assert mine.post("/desk/hand-over", data=data).status_code == 303
    assert f'value="{item}"' not in mine.get(f"/desk?holder={me}").text
    assert "with Bùi Quang" in mine.get("/desk").text
    assert f'value="{item}"' in theirs.get(f"/desk?holder={other}").text
    assert "You know them." in theirs.get("/desk/workload").text
    with demo_app.app_context(), identity.database().reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.verb == "handed over")).all()
        last = session.scalars(select(HandOver.id).order_by(HandOver.id.desc())).first()
        assert [entry.detail["items"] for entry in entries] == [[f"interest {number}"]] * 2
    assert theirs.post(f"/desk/hand-overs/{last}/end").status_code == 303
    assert f'value="{item}"' in mine.get(f"/desk?holder={me}").text, "it went back to who had it"
    assert theirs.post(f"/desk/hand-overs/{last}/end").status_code == 404


def test_the_desk_says_what_is_ones_own_and_offers_only_others_to_hand_it_to(demo_app: Flask, pair: Pair) -> None:
    item = f"interest:{_interest(demo_app, pair)}"
    mine = sign_in(demo_app, "operator")
    assert mine.post("/desk/hand-over", data={"item": item, "take": "1"}).status_code == 303
    page = mine.get("/desk").text
    assert ">yours</span>" in page
    with demo_app.app_context(), identity.database().reading() as session:
        me, other = person_of(session, "operator").id, person_of(session, "other_operator").id
    to = page.split('id="hand-to"')[1].split("</select>")[0]
    assert f'value="{other}"' in to
    assert f'value="{me}"' not in to


def test_everything_goes_to_a_colleague_of_the_same_place_and_to_nobody_else(demo_app: Flask, pair: Pair) -> None:
    number = _interest(demo_app, pair, ("operator", "screen"))
    mine = sign_in(demo_app, "operator")
    me, other = _number(demo_app, "operator"), _number(demo_app, "other_operator")
    assert f"interest:{number}" in mine.get(f"/desk?holder={me}").text, "whoever took it up has it"
    for to in (me, _number(demo_app, "unarmed_administrator"), 0):
        assert mine.post("/desk/hand-over-everything", data={"to": to}).status_code == 422
    assert mine.post("/desk/hand-over-everything", data={"to": other, "until": "2020-01-01"}).status_code == 422
    assert mine.post("/desk/hand-over-everything", data={"to": other}).status_code == 303
    assert f"interest:{number}" in mine.get(f"/desk?holder={other}").text
    assert "everything is with Bùi Quang, for good" in mine.get("/desk/workload").text


def test_a_colleague_hears_of_a_hand_over_once_in_their_language_and_without_its_words(
    demo_app: Flask, pair: Pair
) -> None:
    item = f"interest:{_interest(demo_app, pair)}"
    with demo_app.app_context(), identity.database().transaction() as session:
        person_of(session, "other_operator").language = "vi"
        session.execute(delete(Letter))
    mine, other = sign_in(demo_app, "operator"), _number(demo_app, "other_operator")
    canary = "Only for the two of us."
    assert mine.post("/desk/hand-over", data={"item": item, "take": "1"}).status_code == 303
    for _ in range(2):  # the second press brings them nothing new
        assert mine.post("/desk/hand-over", data={"item": item, "to": other, "note": canary}).status_code == 303
    for _ in range(2):
        assert mine.post("/desk/hand-over-everything", data={"to": other, "note": canary}).status_code == 303
    with demo_app.app_context(), identity.database().reading() as session:
        letters = session.scalars(select(Letter).order_by(Letter.id)).all()
        assert [letter.recipient for letter in letters] == [CAST["other_operator"].email] * 2
        assert {letter.subject for letter in letters} == {"TechEx: đồng nghiệp vừa bàn giao việc cho bạn"}
        assert all(f"holder={other}" in letter.text and "/desk/workload" in letter.text for letter in letters)
        said = " ".join(letter.text for letter in letters)
        assert not any(word in said for word in (canary, NEED["title"], OFFER["title"], "Phương Nam", "Sông Hồng"))


def test_nothing_of_another_desk_is_handed_over(demo_app: Flask, pair: Pair) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        context = Context(actor_of(session, "operator"))
        line = replace(LINE, places=(Place("NL"),))
        with pytest.raises(Exception, match="does not serve the place"):
            handing.give(session, context, None, [line], person_of(session, "other_operator").id)
    reply = sign_in(demo_app, "operator").post("/desk/hand-over", data={"item": "review:999999", "take": "1"})
    assert reply.status_code == 422


def test_the_desk_shows_untouched_pairs_until_somebody_asks(demo_app: Flask, pair: Pair) -> None:
    from techex.admin import desk_pairs
    from techex.listings.queries import Head
    from techex.matching.best_pairs import Pair as Found

    need = Head(pair.need, "A need", "en", Place("VN", "33"), pair.firm, "")
    offer = Head(pair.offer, "A result", "en", Place("VN", "79"), pair.university, "")
    elsewhere = Found(replace(need, id=1, place=Place("NL")), replace(offer, id=2), 90, "introduce", 1.0, None)
    found = Found(need, offer, 90, "introduce", 1.0, None)

    def left() -> list[Found]:
        with demo_app.app_context(), identity.database().transaction() as session:
            operator = actor_of(session, "operator")
            return desk_pairs.untouched(operator, [elsewhere, found], desk_pairs.touched(session))

    assert left() == [found]
    _interest(demo_app, pair)
    assert left() == []
    assert "nobody has touched" in sign_in(demo_app, "operator").get("/desk/pairs").text


def _line(place: int, strength: int, need: str, offer: str, day: int, millions: int | None, km: float | None) -> Any:
    from techex.admin.desk_pairs import Line
    from techex.listings.queries import Head
    from techex.matching.best_pairs import Pair as Found

    since = datetime(2026, 11, day, tzinfo=UTC)
    ends = [
        Head(number, "A title", "en", Place("VN", code), number, "A firm", since - timedelta(days=number))
        for number, code in ((0, need), (9, offer))
    ]
    share = expected.Share(1, 1, (millions or 0) / expected.MIDDLES["a"])
    worth = None if millions is None else expected.Worth(share, "a", usual_band=False)
    return Line(place, Found(*ends, strength, "review", 1.0, km), worth)


LINES = (
    (0, 90, "33", "79", 5, None, 900.0),
    (1, 95, "01", "96", 9, 20, None),
    (2, 80, "79", "01", 2, 80, 12.0),
)
ORDERS = {
    "best": [0, 1, 2],
    "strength": [1, 0, 2],
    "value": [2, 1, 0],
    "newest": [1, 0, 2],
    "oldest": [2, 0, 1],
    "need": [1, 0, 2],
    "result": [2, 0, 1],
    "near": [2, 0, 1],
}


def test_untouched_pairs_come_in_the_order_asked_for(demo_app: Flask) -> None:
    from techex.admin.desk_pair_list import TABLE

    lines = [_line(*line) for line in LINES]
    assert set(TABLE.sorts) == set(ORDERS)
    with demo_app.test_request_context():
        for sort, places in ORDERS.items():
            found = TABLE.ask(lines, MultiDict({"sort": sort}))
            assert [line.place for line in found.rows] == places, sort
        narrowed = TABLE.ask(lines, MultiDict({"to": "SOUTHEAST"}))
        assert [line.place for line in narrowed.rows] == [2]


def test_the_file_of_untouched_pairs_holds_what_its_page_shows(
    demo_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from techex.admin import work_views

    lines = [_line(*line) for line in LINES]
    monkeypatch.setattr(work_views, "_untouched", lambda *_: lines)
    operator = sign_in(demo_app, "operator")
    page = operator.get("/desk/pairs?sort=value", headers={"Accept-Language": "en"}).text
    assert page.index("80") < page.index("about 20 million dong expected")
    assert 'href="/desk/pairs.csv?sort=value"' in page
    reply = operator.get("/desk/pairs.csv?sort=value", headers={"Accept-Language": "en"})
    assert "techex-untouched-pairs.csv" in reply.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert [row["Expected value, million dong"] for row in rows] == ["80", "20", ""]
    assert rows[0]["Since"] == "2026-11-02"


def test_views_are_kept_shared_with_the_place_and_deleted(demo_app: Flask, pair: Pair) -> None:
    mine, theirs = sign_in(demo_app, "operator"), sign_in(demo_app, "other_operator")
    data = {"page": "desk.index", "name": "Late <b>reviews</b>", "query": "task=review&late=1&page=3&sort=value"}
    reply = mine.post("/views", data=data)
    assert "task=review&late=1&sort=value" in reply.headers["Location"]
    assert "page=" not in reply.headers["Location"]
    assert "Late &lt;b&gt;reviews" in mine.get("/desk").text
    assert "reviews&lt;/b&gt;" not in theirs.get("/desk").text
    assert mine.post("/views", data=data | {"place": "VN-33"}).status_code == 303
    assert "Late &lt;b&gt;reviews" in theirs.get("/desk").text
    assert mine.post("/views", data=data | {"place": "VN-80"}).status_code == 422, "not a place of theirs"
    assert mine.post("/views", data=data | {"page": "admin.health"}).status_code == 422
    assert mine.post("/views", data=data | {"name": ""}).status_code == 422
    assert theirs.post("/views/1/delete").status_code == 404
    assert mine.post("/views/1/delete").status_code == 303
    assert "Late &lt;b&gt;reviews" not in theirs.get("/desk").text


def test_an_address_never_smuggles_anything_into_a_view(database: Database) -> None:
    with database.transaction() as session:
        context = Context(COMMAND_LINE)
        enter(session, context)
        operator = Context(actor_of(session, "operator"))
        view = saved_views.save(
            session, operator, "desk.index", "x", "_external=1&task=review&_scheme=evil&a b=c&sort=x"
        )
        assert saved_views.parameters(view) == {"task": ["review"], "sort": ["x"]}
        assert saved_views.data_of(session, view.person_id)["views"][0]["name"] == "x"
        saved_views.leave(session, context, view.person_id)
        assert session.scalars(select(SavedView)).all() == []
