"""The declared matrix holds: each route gives each kind of person the declared status, and no route is missing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from techex.accounts import demo
from techex.brokering import reporting
from techex.brokering.commission_tables import Commission, CommissionConsent, CommissionNeed
from techex.brokering.report_tables import PlanDocument, Report
from techex.core import installation
from techex.core.context import COMMAND_LINE, Actor, Context, Role
from techex.interchange.tables import ImportRun
from techex.listings.posting_tables import SavedDraft
from techex.listings.rules import Kind, Visibility
from techex.listings.service import post, publish
from techex.listings.validation import checked_draft
from techex.organisations import members
from techex.organisations.rules import OrganisationDraft
from techex.organisations.service import upsert
from techex.web import csrf, identity
from tests.cast import enter, sign_in

MATRIX: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "permissions.toml").read_text("utf-8"))["route"]
PEOPLE = (
    *("anonymous", "stranger", "suspended", "engineer", "viewer", "rival", "unverified"),
    *("operator", "other_operator", "unarmed_operator", "administrator", "unarmed_administrator"),
)
SHUT_OUT = ("anonymous", "suspended")  # nobody is signed in


def declared(row: dict[str, Any], person: str) -> int:
    """The status a row declares: for this person, for whoever is signed in, for everybody."""
    if person in row:
        return int(row[person])
    return int(row["anonymous"] if person in SHUT_OUT else row.get("signed_in", row["anonymous"]))


def _scene(app: Flask) -> dict[str, int]:
    """The whole cast; one published listing of each kind and visibility class, by "need.public" and the like; a
    membership, and an open invitation.
    """
    with app.app_context(), identity.database().transaction() as session:
        context = Context(COMMAND_LINE)
        installation.remember(session, demo.FACT, True)  # which has pages of its own
        lan = enter(session, context)["engineer"]
        owner, _ = upsert(session, context, OrganisationDraft("Matrix cooperative", slug="matrix"))
        ids = {}
        for kind in Kind:
            for visibility in Visibility:
                values = {"title": f"A {kind} for {visibility} readers", "summary": "What it is about. " * 4}
                if kind is Kind.OFFER:
                    values |= {"description": "How it works. " * 10, "advantages": "Better than the old way of it."}
                draft = checked_draft(kind, values, language="en", country="VN", province="01", visibility=visibility)
                listing = post(session, context, owner, draft)
                publish(session, context, listing)
                ids[f"{kind}.{visibility}"] = listing.id
        member = members.memberships(session, lan.id)[0]
        ids["member"] = member.id
        begun = {"person_id": lan.id, "organisation_id": member.organisation_id, "kind": "need", "values": {}}
        draft = SavedDraft(**begun, created_at=context.now, updated_at=context.now)
        session.add(draft)
        session.flush()
        whole = {"organisation_id": member.organisation_id, "person_id": lan.id, "kind": "need", "state": "done"}
        file = {"file_name": "a.csv", "file_format": "csv", "digest": "0" * 64, "language": "vi", "columns": {}}
        imported = ImportRun(**whole, **file, created_at=context.now, updated_at=context.now)
        session.add(imported)
        session.flush()
        ids["draft"], ids["import"] = draft.id, imported.id
        to = {"email": "nobody@unknown.example", "role": "viewer"}
        ids |= _report(session, context)
        ids |= _commission(session, context, ids["need.public"], member.organisation_id)
        invitation = members.invite(session, context, member.organisation, **to, link=str, language="en", exchange="X")
        ids["invitation"] = invitation.id
        return ids


def _commission(session: Session, context: Context, need: int, firm: int) -> dict[str, int]:
    """A proposal for a commissioned task, kept in Hưng Yên, in which a firm is asked whether it may be named."""
    texts = {"title": "Commissioned task", "problem": "A problem", "result": "A result", "offers": [], "institutes": []}
    made = Commission(
        **texts, language="en", field="101", places=["VN-33"], created_at=context.now, updated_at=context.now
    )
    made.need_rows.append(CommissionNeed(listing_id=need))
    made.consents.append(CommissionConsent(organisation_id=firm, state="asked", asked_at=context.now))
    session.add(made)
    session.flush()
    return {"commission": made.id, "commission.firm": firm}


def _report(session: Session, context: Context) -> dict[str, int]:
    """A report of Hưng Yên and a plan document."""
    day = context.now.date()
    plan = PlanDocument(number="328-KH/TU", title="A plan", date=day, added_at=context.now)
    facts = reporting.facts(session, Context(Actor("x", Role.PERSON, places=frozenset({"VN-33"}))), day, day, ["VN-33"])
    made = Report(since=day, until=day, places=["VN-33"], facts=facts, made_at=context.now)
    session.add_all([plan, made])
    session.flush()
    return {"report": made.id, "plan": plan.id}


def test_every_route_has_a_row(app: Flask) -> None:
    declared = {row["endpoint"] for row in MATRIX}
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert routes - declared == set(), "routes without a row in permissions.toml"
    assert declared - routes == set(), "rows without a route"


@pytest.mark.parametrize("person", PEOPLE)
def test_each_cell_of_the_matrix_holds(words_app: Flask, person: str) -> None:
    ids = _scene(words_app)
    wrong, client = [], None
    for row in MATRIX:
        path = row["path"]
        for cell, number in ids.items():
            path = path.replace(f"{{{cell}}}", str(number))
        assert "{" not in path, f"{row['path']}: names nothing of the matrix"
        client = client or (words_app.test_client() if person == "anonymous" else sign_in(words_app, person))
        method = row.get("method", "GET")
        status = (client.post if method == "POST" else client.get)(path, buffered=True).status_code
        if method == "POST" and row["endpoint"].startswith("accounts."):
            client = None  # some of these sign out
        if status != declared(row, person):
            wrong.append(f"{person} {method} {path} ({row['path']}): {status}, declared {declared(row, person)}")
    assert wrong == []


def test_a_refused_write_leaves_no_trace_of_a_person(words_app: Flask) -> None:
    writes = [row for row in MATRIX if row.get("method") == "POST" and "{" not in row["path"]]
    writes = [row for row in writes if row["endpoint"] not in csrf.SIGNED]  # their key is in the address
    assert writes
    for row in writes:
        client = FlaskClient(words_app, words_app.response_class)
        assert client.post(row["path"]).status_code in (403, 405), row["path"]


def test_no_page_is_changed_by_a_method_it_does_not_know(words_app: Flask) -> None:
    client = FlaskClient(words_app, words_app.response_class)
    for row in MATRIX:
        if "{" not in row["path"]:
            for method in ("PUT", "PATCH", "DELETE"):
                assert client.open(row["path"], method=method, buffered=True).status_code == 405
