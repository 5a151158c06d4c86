"""The pages of suspected duplicates: who sees which pairs, what only one of both says, and decisions that stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from techex.core.audit import AuditEntry
from techex.listings.tables import Listing
from techex.matching.duplicate_views import PAGE_SIZE
from techex.matching.tables import DuplicatePair
from techex.web import identity
from tests.cast import Browser, sign_in
from tests.conftest import NOW

Enter = Callable[[str], Browser]


@pytest.fixture
def enter(demo_app: Flask) -> Enter:
    return lambda name: sign_in(demo_app, name)


@pytest.fixture
def found(demo_app: Flask) -> tuple[int, int]:
    """Two offers that look like one, the first in Hưng Yên, the second in Hà Nội."""
    return add_pair(demo_app, 0, "VN-33", "VN-01")


def add_pair(app: Flask, at: int, one: str, other: str, verdict: str = "near", shared: float = 0.9) -> tuple[int, int]:
    with app.app_context(), identity.database().transaction() as session:
        ids = session.scalars(select(Listing.id).where(Listing.kind == "offer").order_by(Listing.id)).all()
        first, second = ids[2 * at], ids[2 * at + 1]
        for listing_id, code in ((first, one), (second, other)):
            session.get_one(Listing, listing_id).country = code[:2]
            session.get_one(Listing, listing_id).province = code[3:] or None
        differences = {"figures": [["8.4"], ["16.8"]], "words": [["longan"], []]}
        session.add(
            DuplicatePair(
                first_id=first,
                second_id=second,
                verdict=verdict,
                shared=shared,
                differences=differences,
                found_at=NOW,
            )
        )
    return first, second


def decision_of(app: Flask, pair: tuple[int, int]) -> tuple[str | None, str]:
    with app.app_context(), identity.database().reading() as session:
        row = session.scalars(select(DuplicatePair).where(DuplicatePair.first_id == pair[0])).unique().one()
        return row.decision, row.decided_by


def test_an_operator_of_either_place_sees_the_pair_and_others_do_not(
    demo_app: Flask, found: tuple[int, int], enter: Enter
) -> None:
    address = f"/duplicates/{found[0]}/{found[1]}"
    assert address in enter("operator").get("/duplicates").text
    assert address in enter("administrator").get("/duplicates").text
    other = enter("other_operator")
    assert address not in other.get("/duplicates").text
    assert other.get(address).status_code == 403
    assert other.post(address, data={"decision": "duplicate"}).status_code == 403
    assert decision_of(demo_app, found) == (None, "")


def test_the_pair_shows_both_texts_and_what_only_one_of_them_says(found: tuple[int, int], enter: Enter) -> None:
    operator = enter("operator")
    for page in (operator.get("/duplicates").text, operator.get(f"/duplicates/{found[1]}/{found[0]}").text):
        assert page.count('<div class="pair-side edge-') == 2
        assert "8.4 · longan</b>" in page
        assert "16.8</b>" in page
        assert "90\u00a0% of the text in common" in page


def test_a_decision_is_kept_on_record_and_can_be_taken_back(
    demo_app: Flask, found: tuple[int, int], enter: Enter
) -> None:
    operator, address = enter("operator"), f"/duplicates/{found[0]}/{found[1]}"
    reply = operator.post(address, data={"decision": "different"}, follow_redirects=True)
    assert "two different listings" in reply.text
    assert decision_of(demo_app, found) == ("different", "Hoàng Mai")
    assert f'action="{address}"' not in operator.get("/duplicates").text
    assert f'action="{address}"' in operator.get("/duplicates?show=decided").text
    with demo_app.app_context(), identity.database().reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.subject == "duplicate_pair")).one()
        assert entry.verb == "different"
    operator.post(address, data={"decision": "open"})
    assert decision_of(demo_app, found) == (None, "")


def test_a_word_that_is_no_decision_changes_nothing(demo_app: Flask, found: tuple[int, int], enter: Enter) -> None:
    reply = enter("operator").post(f"/duplicates/{found[0]}/{found[1]}", data={"decision": "merge"})
    assert reply.status_code == 422
    assert decision_of(demo_app, found) == (None, "")


def test_variants_stand_apart(demo_app: Flask, enter: Enter) -> None:
    one, other = add_pair(demo_app, 1, "VN-33", "VN-33", "variant")
    operator = enter("operator")
    assert f"/duplicates/{one}/{other}" not in operator.get("/duplicates").text
    assert f"/duplicates/{one}/{other}" in operator.get("/duplicates?show=variants").text


def test_a_retold_text_is_told_by_its_figures(demo_app: Flask, enter: Enter) -> None:
    add_pair(demo_app, 1, "VN-33", "VN-33", "semantic", 1.0)
    assert "100\u00a0% of the figures in common" in enter("operator").get("/duplicates").text


def test_many_pairs_come_in_pages(demo_app: Flask, enter: Enter) -> None:
    for at in range(PAGE_SIZE + 1):
        add_pair(demo_app, at, "VN-33", "VN-01")
    operator = enter("operator")
    assert operator.get("/duplicates").text.count('class="duplicate"') == PAGE_SIZE
    assert operator.get("/duplicates?page=2").text.count('class="duplicate"') == 1
    assert operator.get("/duplicates?page=999&done=x-y&show=nothing").status_code == 200


def test_an_operator_with_nothing_to_decide_is_told_what_would_fill_the_page(enter: Enter) -> None:
    operator = enter("operator")
    assert "No pair waits here" in operator.get("/duplicates").text
    assert "Không có cặp nào chờ ở đây" in operator.get("/duplicates", headers={"Accept-Language": "vi"}).text
