"""The figures of the exchange: counted rightly, and nothing below five for everybody, not even by subtraction."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from techex.brokering import figure_words, funnel, listing_figures
from techex.brokering.deal_tables import Deal
from techex.brokering.figures import Asked
from techex.brokering.funnel import LEAST, STEPS, Step, Veil, Way
from techex.brokering.listing_figures import ListingStep
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core.context import ANONYMOUS, COMMAND_LINE, Context
from techex.listings.tables import Listing
from techex.matching.survey_tables import SurveyedListing, SurveyedPair
from techex.regions import working_days
from techex.regions.rules import Place
from techex.web import identity
from tests.cast import sign_in

from .stage import Pair

SENT = datetime(2026, 5, 4, 9, tzinfo=UTC)
HERE, THERE, ABROAD = Place("VN", "33"), Place("VN", "79"), Place("NL")


def way(*days: int, sent: datetime = SENT, **more: object) -> Way:
    """A way whose steps came so many days after each other."""
    moments, now = {Step.SENT: sent}, sent
    for step, number in zip(list(Step)[1:], days, strict=False):
        now += timedelta(days=number)
        moments[step] = now
    return Way(**{"moments": moments, "origin": THERE, "application": HERE} | more)  # type: ignore[arg-type]


def test_each_step_is_counted_with_the_median_of_its_days() -> None:
    counted = funnel.funnel([way(), way(2), way(4, 10), way(1, 20, 3)])
    assert [row.count for row in counted] == [4, 3, 2, 1, 0]
    assert [row.days for row in counted] == [None, 2, 15, 3, None]
    assert [row.behind for row in counted] == [0, 3, 2, 1, 0]
    assert set(STEPS) == set(Step)


def test_groups_are_counted_the_largest_first_and_a_way_may_stand_in_several() -> None:
    ways = [way(fields=("101", "203")), way(1, fields=("203",)), way(4, fields=("203",))]
    found = funnel.breakdown(ways, lambda one: one.fields)
    counts = {key: [one.count for one in row] for key, row in found.items()}
    assert list(counts.items()) == [("203", [3, 2, 0, 0, 0]), ("101", [1, 0, 0, 0, 0])]
    assert (found["203"][1].days, found["203"][1].behind) == (2.5, 2)


def test_as_it_stood_on_a_day() -> None:
    found = funnel.until(
        [way(2, 10, 1, 60, contract=(THERE, HERE)), way(sent=SENT + timedelta(days=90))], date(2026, 7, 1)
    )
    assert [list(one.moments) for one in found] == [[Step.SENT, Step.FORWARDED, Step.ACCEPTED, Step.INTRODUCED]]
    assert found[0].contract is None


def test_quarters_with_few_stand_together_with_their_neighbours() -> None:
    ways = [way(sent=datetime(2026, month, 3, tzinfo=UTC)) for month in (1, 1, 4, 4, 4, 7, 10, 10)]
    found = funnel.by_period(ways, LEAST)
    assert [(first, last, len(group)) for first, last, group in found] == [((2026, 1), (2026, 4), 8)]
    assert [len(group) for _, _, group in funnel.by_period(ways, 1)] == [2, 3, 1, 2]
    assert funnel.by_period([], LEAST) == []
    assert funnel.begin_of(2026, 5) == date(2027, 1, 1)


def test_a_quarter_begins_at_midnight_in_vietnam() -> None:
    midnight = datetime(2026, 3, 31, 17, tzinfo=UTC)
    ways = [way(sent=midnight - timedelta(minutes=1)), way(sent=midnight)]
    assert [(first, len(group)) for first, _, group in funnel.by_period(ways, 1)] == [((2026, 1), 1), ((2026, 2), 1)]
    assert funnel.until(ways, date(2026, 4, 1)) == ways[:1]


COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(st.lists(st.integers(0, 60), min_size=5, max_size=5).map(lambda row: sorted(row, reverse=True)))
def test_along_a_funnel_no_number_and_no_loss_below_five_is_told(counts: Sequence[int]) -> None:
    told = [cell for cell in funnel.told_along(counts) if not isinstance(cell, Veil)]
    assert all(cell >= LEAST for cell in told)
    assert all(before - after >= LEAST for before, after in pairwise(told))


def test_what_is_hidden_along_a_funnel_may_be_any_of_five_numbers() -> None:
    behind: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
    for counts in product(range(18), repeat=3):
        if counts[0] >= counts[1] >= counts[2]:
            behind.setdefault(tuple(funnel.told_along(counts)), []).append(counts)
    for told, possible in behind.items():
        for at, cell in enumerate(told):
            assert not isinstance(cell, Veil) or len({counts[at] for counts in possible}) >= LEAST, told


@given(COUNTS)
def test_down_a_column_what_is_hidden_cannot_be_subtracted(counts: Sequence[int]) -> None:
    told = funnel.told_down(counts, [count if count >= LEAST else Veil.FEW for count in counts])
    shown = [cell for cell in told if not isinstance(cell, Veil)]
    assert all(cell >= LEAST for cell in shown)
    assert len(shown) in (0, len(counts)) or sum(counts) - sum(shown) >= LEAST


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.lists(st.integers(0, 30), min_size=3, max_size=3)))
def test_a_whole_table_keeps_both_rules(rows: dict[str, list[int]]) -> None:
    rows = {key: sorted(row, reverse=True) for key, row in rows.items()}
    told = funnel.told_table(rows)
    assert list(told) == list(rows)
    for row in told.values():
        numbers = [cell for cell in row if not isinstance(cell, Veil)]
        assert all(before - after >= LEAST for before, after in pairwise(numbers))
    for number in range(3 if rows else 0):
        shown = {key: row[number] for key, row in told.items() if not isinstance(row[number], Veil)}
        rest = sum(row[number] for key, row in rows.items() if key not in shown)
        assert len(shown) in (0, len(rows)) or rest >= LEAST


def test_flows_go_from_origin_to_application_and_everybody_reads_the_large_ones() -> None:
    ways = [way(1, 1, 1, 1, contract=(THERE, HERE))] * 6 + [way(1, 1, 1, 1, contract=(ABROAD, HERE))] * 3 + [way()]
    found = funnel.flows(ways, funnel.region_code)
    assert [(flow.origin, flow.application, flow.count) for flow in found] == [
        ("SOUTHEAST", "RED_RIVER_DELTA", 6),
        ("NL", "RED_RIVER_DELTA", 3),
    ]
    assert funnel.told_flows(found) == [], "three would follow from nine less six"
    assert len(funnel.told_flows(found[:1])) == 1
    assert [flow.origin for flow in funnel.flows(ways, lambda place: place.code)] == ["VN-79", "NL"]


@pytest.fixture
def history(demo_app: Flask, pair: Pair) -> None:
    """Nine expressions of interest of the firm in a result, half a year ago; seven went on, two signed."""
    with demo_app.app_context(), identity.database().transaction() as session:
        sent = datetime.now(UTC) - timedelta(days=190)
        for number in range(9):
            state = State.ACCEPTED if number < 7 else State.SENT
            one = Interest(
                listing_id=pair.offer, own_listing_id=pair.need, sender_id=pair.firm, receiver_id=pair.university,
                language="en", who="", why="", state=state.value, sent_at=sent,
                forwarded_at=sent + timedelta(days=2) if number < 7 else None,
                closed_at=sent + timedelta(days=9) if number < 7 else None,
            )  # fmt: skip
            session.add(one)
            if number < 2:
                ends = {"origin": "VN-79", "application": "VN-33"}
                signed = sent + timedelta(days=60)
                session.add(Deal(interest=one, opened_at=sent, introduced_at=sent, signed_at=signed, contract=ends))


def _text(app: Flask, name: str | None, query: str = "") -> str:
    client = sign_in(app, name) if name else app.test_client()
    reply = client.get(f"/figures{query}", headers={"Accept-Language": "en"})
    assert reply.status_code == 200
    return re.sub(r"\s+", " ", reply.get_data(as_text=True))


def _cells(page: str) -> list[str]:
    rows = re.findall(r'<th scope="row">([^<]*)</th><td class="number">(.*?)</td>', page)
    return [re.sub(r"<[^>]*>", "", cell) for name, cell in rows if name in STEPS.values()]


def test_everybody_reads_what_is_large_enough(demo_app: Flask, history: None) -> None:
    for name in (None, "stranger", "engineer"):
        page = _text(demo_app, name)
        assert _cells(page) == ["9", *["not shown"] * 4]
        assert "VN-79" not in page
        assert "fewer than five" in page


def test_operators_read_exact_figures_of_their_places_and_administrators_all(demo_app: Flask, history: None) -> None:
    for name in ("operator", "administrator"):
        page = _text(demo_app, name)
        assert _cells(page) == ["9", "7", "7", "2", "2"]
        assert "Of 9 expressions of interest 2 became a contract" in page
        assert "from Ho Chi Minh to Hung Yen: 2" in page
        assert _cells(_text(demo_app, name, "?as=everybody"))[0] == "9"
    assert "Nobody has asked for an introduction here" in _text(demo_app, "other_operator")


def test_exact_figures_can_be_narrowed_and_odd_addresses_answer(demo_app: Flask, history: None) -> None:
    asked = working_days.here(datetime.now(UTC) - timedelta(days=190))  # days are counted as they are there
    for query, sent in (
        (f"?period={asked.year}-{funnel.quarter(asked)[1]}&origin=SOUTHEAST&application=RED_RIVER_DELTA", True),
        (f"?since={asked}&until={asked}&kind=university", True),
        ("?origin=NL", False),
        ("?period=1999", False),
        ("?field=101", False),
        ("?period=x-9&since=yesterday&until=9999-12-31&origin=Mars&field=0&kind=0", True),
    ):
        assert ("9" in _cells(_text(demo_app, "operator", query))) is sent, query


def test_what_is_restricted_counts_for_nobody_but_those_who_broker_it(
    demo_app: Flask, pair: Pair, history: None
) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.offer).values(visibility="restricted"))
    assert "9" not in _cells(_text(demo_app, None))
    assert _cells(_text(demo_app, "operator"))[0] == "9"
    assert "9" not in _cells(_text(demo_app, "administrator"))


def test_of_what_kind_an_anonymous_owner_is_stays_untold(demo_app: Flask, pair: Pair, history: None) -> None:
    query = "?kind=university"
    assert _cells(_text(demo_app, "administrator", query))[0] == "9"
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.offer).values(anonymous=True))
    assert "9" not in _cells(_text(demo_app, "administrator", query))
    assert _cells(_text(demo_app, "operator", query))[0] == "9"


def test_listings_are_counted_from_publishing_over_matches_to_contracts(
    demo_app: Flask, pair: Pair, history: None
) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        long_ago = datetime.now(UTC) - timedelta(days=200)
        ids = [pair.need, pair.offer]
        session.execute(update(Listing).where(Listing.id.in_(ids)).values(published_at=long_ago))
        for scope in ("public", "all"):
            session.add(SurveyedPair(scope=scope, need_id=pair.need, offer_id=pair.offer, place=1, strength=70))
            for number in ids:
                session.add(SurveyedListing(scope=scope, listing_id=number, best=70, suitable=1, shown=1))
        context = Context(COMMAND_LINE)
        asked = Asked(since=long_ago.date())
        found = listing_figures.reached(session, context, asked, ["VN-33", "VN-79"])
        steps = {row.step: row for row in found}
        assert [steps[step].count for step in ListingStep][1:] == [2, 2, 2, 2]
        assert steps[ListingStep.MATCHED].days == 0
        assert round(steps[ListingStep.ASKED].days or 0) == 10
        assert round(steps[ListingStep.SIGNED].days or 0) == 60
        early = Asked(before=asked.since)
        assert [row.count for row in listing_figures.reached(session, context, early, ["VN-33"])][2:] == [0, 0, 0]
        matches = listing_figures.matches(session, context, Asked(origin="SOUTHEAST"), None)
        assert [(one.need_id, one.offer_id, one.kinds) for one in matches] == [
            (pair.need, pair.offer, ("enterprise", "university"))
        ]
        assert listing_figures.matches(session, context, Asked(origin="NL"), None) == []
        session.execute(update(Listing).where(Listing.id == pair.offer).values(anonymous=True, visibility="members"))
        reader = Context(ANONYMOUS)
        assert listing_figures.matches(session, reader, Asked(), None) == []
        session.execute(update(Listing).where(Listing.id == pair.offer).values(visibility="public"))
        assert [one.kinds for one in listing_figures.matches(session, reader, Asked(), None)] == [("enterprise",)]


def test_days_of_a_group_are_told_to_everybody_only_where_all_who_took_the_step_are_behind_them(
    demo_app: Flask,
) -> None:
    many = [way(2, 10, fields=("203",), kinds=()) for _ in range(12)] + [way(4, fields=("203",)) for _ in range(8)]
    few = [way(30, fields=("101",)) for _ in range(4)]
    # Twelve were accepted, but of one nobody knows when it was forwarded: the median of eleven would tell that.
    gap = Way({Step.SENT: SENT, Step.ACCEPTED: SENT + timedelta(days=5)}, THERE, HERE, ("203",))

    def cells(ways: Sequence[Way], exact: bool) -> dict[str, list[tuple[object, float | None, int]]]:
        with demo_app.test_request_context(headers={"Accept-Language": "en"}):
            by_field = figure_words.tables(ways, [], exact)[2]
        return {name: [(one.told, one.days, one.behind) for one in row] for name, row in by_field.rows}

    exact = cells([*many, *few], exact=True)
    row = next(row for key, row in exact.items() if len(row) and row[1][0] == 20)
    assert row[2:4] == [(20, 2, 20), (12, 10, 12)]
    assert any(row[2] == (4, 30, 4) for row in exact.values())
    told = cells([*many, *few], exact=False)
    assert not any(days == 30 for row in told.values() for _, days, _ in row)
    assert [row[3] for row in cells(many, exact=False).values()] == [(12, 10, 12)]
    assert [row[3] for row in cells([*many[1:], gap], exact=False).values()] == [(12, None, 11)]


def test_the_figures_leave_as_a_file_with_the_days_of_each_group(demo_app: Flask, history: None) -> None:
    reply = sign_in(demo_app, "operator").get("/figures.csv?kind=university", headers={"Accept-Language": "en"})
    rows = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    whole = rows[0]
    assert [whole[name] for name in ("sent", "forwarded", "accepted", "contract")] == ["9", "7", "7", "2"]
    assert [whole[name] for name in ("days to forwarding (median)", "days to the yes (median)")] == ["2", "7"]
    kinds = {row["Group"]: row for row in rows if row["Broken down"] == "By kind of organisation"}
    assert {row["days to the yes (median)"] for row in kinds.values()} == {"7"}
    reply = demo_app.test_client().get("/figures.csv", headers={"Accept-Language": "en"})
    told = next(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert (told["sent"], told["forwarded"], told["days to forwarding (median)"]) == ("9", "not shown", "")


def test_the_days_of_each_group_stand_on_the_page_with_how_many_they_are_of(demo_app: Flask, history: None) -> None:
    page = _text(demo_app, "operator")
    assert '<td class="number" data-label="forwarded">7 <small class="days">2 days (7)</small></td>' in page
    assert "counts as sent and as forwarded at the same moment" in page
    assert 'href="/figures.csv?kind=university"' in _text(demo_app, "operator", "?kind=university")
    assert '<small class="days">' not in _text(demo_app, None)
