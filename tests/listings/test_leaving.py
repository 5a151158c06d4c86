"""Who deletes their account leaves no organisation without a manager, and no colleague without the common drafts."""

from __future__ import annotations

import html

from flask import Flask
from sqlalchemy import select

from techex.core.audit import AuditEntry
from techex.listings.posting_tables import SavedDraft
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation, OrganisationMember
from techex.web import identity
from tests.cast import PASSWORD
from tests.listings.test_posting_views import SignedIn, _begin, _draft_id, _fill, _stored

FIRM = "det-may-song-hong"
DELETE = {"current_password": PASSWORD}


def firm(app: Flask) -> Organisation:
    return next(one for one in _stored(app, Organisation) if one.slug == FIRM)


def test_the_last_manager_hands_over_before_they_go_and_colleagues_keep_the_drafts(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    signed_in("editor")
    address = _begin(browser)
    page = html.unescape(browser.get("/account/delete").text)
    assert f'href="/organisations/{FIRM}/people"' in page
    assert "others still act for it" in page
    refused = browser.post("/account/delete", data=DELETE | {"dissolve": "1"})
    assert refused.status_code == 422
    assert "Hand over first" in refused.text
    editor, heir = next(
        (row.id, row.person_id) for row in _stored(demo_app, OrganisationMember) if row.role == "editor"
    )
    browser.post(f"/organisations/{FIRM}/people/{editor}/role", data={"role": "manager"})
    assert browser.post("/account/delete", data=DELETE).status_code == 303
    assert signed_in("editor").get(address).status_code == 200
    (draft,) = _stored(demo_app, SavedDraft)
    assert draft.person_id == heir
    assert firm(demo_app).listed


def test_an_organisation_that_nobody_is_left_in_is_dissolved_only_when_that_is_said(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    browser = signed_in("engineer")
    address = _begin(browser)
    _fill(browser, address)
    browser.post(f"/drafts/{_draft_id(address)}/submit")
    _begin(browser)
    assert "With your account it is dissolved" in browser.get("/account/delete").text
    refused = browser.post("/account/delete", data=DELETE)
    assert refused.status_code == 422
    assert "is to be dissolved" in html.unescape(refused.text)
    assert browser.post("/account/delete", data=DELETE | {"dissolve": "1"}).status_code == 303
    assert not firm(demo_app).listed
    assert firm(demo_app).verified_at is None
    own = [row.state for row in _stored(demo_app, Listing) if row.organisation_id == firm(demo_app).id]
    assert own
    assert set(own) == {"withdrawn"}
    assert _stored(demo_app, SavedDraft) == []
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.verb == "dissolved"))
