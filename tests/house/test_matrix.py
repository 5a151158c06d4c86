"""Each page of a listing answers each kind of person as the declared table says, in every state and class."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.listings import rules, service
from techex.listings.life_views import BUTTONS
from techex.listings.lifecycle import Verb
from techex.listings.review_views import _VERBS as DECISIONS
from techex.listings.rules import Kind, State, Visibility
from techex.listings.tables import Listing, ListingGrant
from techex.listings.validation import checked_draft
from techex.organisations.service import get_organisation
from techex.web import policy
from tests.cast import CAST, person_of, sign_in

TABLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "visibility.toml").read_text("utf-8"))
PEOPLE = {name: group for group, names in TABLE["people"].items() for name in names}
LEAST_CELLS = 20_000
SPECIMENS = [(kind, state, visibility) for kind in Kind for state in State for visibility in Visibility]


def sees(person: str, state: State, visibility: Visibility) -> bool:
    """What the table declares."""
    who = TABLE["published"][visibility] if state is State.PUBLISHED else TABLE["state"][state]
    return PEOPLE[person] in who


def declared(page: Mapping[str, Any], person: str, state: State, visibility: Visibility) -> int:
    """The status that the most particular entry of a page declares."""
    group = PEOPLE[person]
    seen = sees(person, state, visibility)
    if group == "nobody" and group in page:
        return int(page[group])
    if not seen:
        # An operator is let in before it is asked what they see.
        return int(page.get(f"{group}.{state}", page["unseen"]))
    for entry in (f"{group}.{state}", f"*.{state}", group):
        if entry in page:
            return int(page[entry])
    return int(page["seen"])


Cell = tuple[str, str, str, Kind, State, Visibility, int]  # person, method, path, what, status


def cells(people: tuple[str, ...] = tuple(PEOPLE)) -> Iterator[Cell]:
    """Every cell: its path still has the place for the listing's number."""
    for page in TABLE["page"]:
        ways = [("", "")]
        if "{verb}" in page["path"]:
            ways = [("{verb}", verb.value) for verb in BUTTONS]
        if "{decision}" in page["path"]:
            ways = [("{decision}", verb) for verb in DECISIONS]
        for (hole, verb), method, person, specimen in product(ways, page["methods"], people, SPECIMENS):
            kind, state, visibility = specimen
            lists = ("needs", "results") if kind is Kind.NEED else ("results", "needs")
            path = page["path"].replace("{list}", lists[0]).replace("{other_list}", lists[1])
            path = path.replace(hole, verb) if hole else path
            yield person, method, path, kind, state, visibility, declared(page, person, state, visibility)


def specimens(database: Database) -> dict[tuple[Kind, State, Visibility], int]:
    """A listing of the firm for each kind, state and class."""
    found = {}
    with database.transaction() as session:
        for name in CAST:
            person_of(session, name)
        context = Context(COMMAND_LINE)
        firm = get_organisation(session, CAST["engineer"].organisation)
        university = get_organisation(session, CAST["officer"].organisation)
        for kind, state, visibility in SPECIMENS:
            values = {"title": f"A {kind} that is {state}", "summary": f"For {visibility} readers. " * 4}
            if kind is Kind.OFFER:
                values["description"] = "How it works. " * 10
            draft = checked_draft(kind, values, language="en", country="VN", province="33", visibility=visibility)
            listing = service.post(session, context, firm, draft)
            service.publish(session, context, listing)
            listing.state = state.value
            if visibility is Visibility.RESTRICTED:
                grant = {"introduced": False, "granted_at": context.now, "granted_by": "the matrix"}
                listing.grants.append(ListingGrant(organisation_id=university.id, **grant))
            session.flush()
            found[kind, state, visibility] = listing.id
    return found


@pytest.fixture
def numbers(words_app: Flask) -> dict[tuple[Kind, State, Visibility], int]:
    return specimens(words_app.extensions["techex.database"])


def wrong_cells(app: Flask, numbers: Mapping[Any, int], person: str, methods: Sequence[str] = ()) -> list[str]:
    """The cells of one person that do not hold; of these methods alone where some are given."""
    client = sign_in(app, person) if person != "anonymous" else app.test_client()
    found = []
    for _, method, path, kind, state, visibility, status in cells((person,)):
        if methods and method not in methods:
            continue
        address = path.replace("{id}", str(numbers[kind, state, visibility]))
        # No token is sent: what writes is refused before it looks at anything. The sentence of a refusal is enough,
        # no page has to be drawn around it.
        asked = {"method": method, "headers": {"Accept": "application/json"}, "buffered": True}
        got = FlaskClient.open(client, address, **asked).status_code
        if got != status:
            found.append(f"{person} {method} {path} of {state} {visibility} {kind}: {got}, declared {status}")
    return found


def test_the_matrix_is_as_large_as_it_should_be_and_has_everybody() -> None:
    assert set(PEOPLE) == {*CAST, "anonymous"}
    assert len(PEOPLE) >= 12
    assert sum(1 for _ in cells()) >= LEAST_CELLS


@pytest.mark.parametrize("person", PEOPLE)
def test_each_cell_of_a_person_holds(words_app: Flask, numbers: Mapping[Any, int], person: str) -> None:
    assert wrong_cells(words_app, numbers, person) == []


def test_lists_show_what_the_matrix_says(words_app: Flask, numbers: Mapping[Any, int]) -> None:
    """Lists hold what is published and of a class that is somebody's; what is shared by name is in no list."""
    for person in PEOPLE:
        client = sign_in(words_app, person) if person != "anonymous" else words_app.test_client()
        shown = client.get("/needs?q=A+need+that").text
        for (kind, state, visibility), number in numbers.items():
            wanted = sees(person, state, visibility) and state is State.PUBLISHED and kind is Kind.NEED
            if visibility is Visibility.RESTRICTED:
                wanted = wanted and PEOPLE[person].startswith("operators")
            assert (f'href="/needs/{number}"' in shown) is wanted, f"{person}: {state} {visibility}"


def test_what_nobody_may_press_is_refused_with_a_token_too(words_app: Flask, numbers: Mapping[Any, int]) -> None:
    database: Database = words_app.extensions["techex.database"]
    for person in ("rival", "stranger", "viewer", "administrator"):
        client = sign_in(words_app, person)
        for (kind, state, visibility), number in numbers.items():
            if kind is Kind.NEED and visibility is Visibility.PUBLIC:
                for verb in (Verb.WITHDRAW, Verb.SUBMIT, Verb.HOLD):
                    status = client.post(f"/listings/{number}/{verb}").status_code
                    assert status == (403 if sees(person, state, visibility) else 404), f"{person} {verb} {state}"
    with database.reading() as session:
        for (_, state, _visibility), number in numbers.items():
            assert session.get_one(Listing, number).state == state


# ---- changes that leak are caught by the matrix

LEAKS: dict[str, tuple[str, Any, str, Any]] = {
    "operators see drafts": ("operator", service, "may_see", lambda *given: True),
    "members see what is restricted": (
        "rival",
        rules,
        "visible_classes",
        lambda actor: frozenset(Visibility),
    ),
    "strangers are members": ("stranger", rules, "visible_classes", lambda actor: frozenset({Visibility.MEMBERS})),
    "what is hidden is refused, not absent": (
        "stranger",
        service,
        "NotFound",
        service.NotAllowed,
    ),
    "any verb for anybody": ("rival", service.lifecycle, "is_party", lambda *given: True),
    "the owner's viewer decides who sees it": (
        "viewer",
        service.lifecycle,
        "is_party",
        lambda actor, party, standing: actor.belongs_to(standing.organisation_id),
    ),
    "operators without their second factor": (
        "unarmed_operator",
        policy.Actor,
        "is_operator",
        property(lambda actor: bool(actor.places)),
    ),
    "members of unverified organisations": (
        "unverified",
        policy.Actor,
        "is_member",
        property(lambda actor: bool(actor.memberships)),
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_caught(
    words_app: Flask, numbers: Mapping[Any, int], monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    person, where, name, instead = LEAKS[leak]
    monkeypatch.setattr(where, name, instead)
    assert wrong_cells(words_app, numbers, person, ["GET"]) != []
