"""The exchange that is fuzzed: the demo, the cast, and one of everything that can be acted on."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from techex import paths
from techex.accounts.service import House
from techex.app import create_app
from techex.brokering import agreement_paper, agreements, deals, papers, service
from techex.brokering.disclosing import Rung
from techex.brokering.papers import Draft as PaperDraft
from techex.brokering.pipeline import Verb as DealVerb
from techex.brokering.rules import Verb
from techex.brokering.service import Draft
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.interchange import demo
from techex.interchange.tables import ImportRun
from techex.listings.posting_tables import SavedDraft
from techex.listings.steps import STEPS
from techex.migrations import run
from techex.organisations import members
from techex.organisations.service import get_organisation
from techex.settings import Settings
from tests import once
from tests.brokering.stage import actor_of, stage
from tests.cast import Browser, person_of
from tests.matching.second_matcher import WordMatcher

from .fuzz import Fuzz
from .test_matrix import specimens

HOUSE = House("TechEx", lambda endpoint, **values: f"http://localhost/{'/'.join(map(str, values.values()))}")
TEXTS = {"who": "We have forty people and study textile chemistry. " * 4, "why": "We look for a dye house. " * 8}

TERMS = {
    "languages": "en", "years": "5", "law": "VN", "place": "Hưng Yên", "person_a": "Châu", "capacity_a": "rector",
    "person_b": "Lan", "capacity_b": "director",
}  # fmt: skip


def fill(app: Flask) -> dict[str, tuple[str, ...]]:
    """Bring everything in; returns what may stand in a path, by the name of the argument."""
    database: Database = app.extensions["techex.database"]
    context, data_dir = Context(COMMAND_LINE), app.extensions["techex.settings"].data_dir
    with database.transaction() as session:
        pair = stage(session, context)
        at = {name: Context(actor_of(session, name), context.now) for name in ("officer", "operator", "engineer")}
        university = get_organisation(session, "dai-hoc-phuong-nam")
        interest = service.send(session, at["officer"], HOUSE, pair.need, university, Draft(TEXTS, "en"), pair.offer)
        for name, verb in (("operator", Verb.SCREEN), ("operator", Verb.FORWARD), ("engineer", Verb.ACCEPT)):
            service.take(session, at[name], HOUSE, interest.id, verb)
        deal = deals.of_interest(session, interest)
        assert deal is not None
        deals.take(session, at["operator"], deal.id, DealVerb.INTRODUCE)
        made = agreement_paper.paper(agreements.parties(deal, "TechEx"), agreement_paper.checked(TERMS))
        agreements.propose(session, at["officer"], data_dir, deal.id, "nda.pdf", made, "en")
        for rung in Rung:
            said = PaperDraft(f"A paper that is {rung}", "", rung, "en")
            papers.add(session, at["officer"], data_dir, deal.id, "paper.pdf", made, said)
        numbers = {"interest_id": [interest.id], "deal_id": [deal.id]}
        numbers |= {"paper": [1, 2, 3, 4, 5], "version": [1]}
    listed = specimens(database)
    with database.transaction() as session:
        owner, lan = get_organisation(session, "det-may-song-hong"), person_of(session, "engineer")
        begun = {"person_id": lan.id, "organisation_id": owner.id, "created_at": context.now, "updated_at": context.now}
        drafts = [SavedDraft(kind=kind, values={}, **begun) for kind in ("need", "offer")]
        file = {"file_name": "a.csv", "file_format": "csv", "digest": "0" * 64, "language": "vi", "columns": {}}
        runs = [ImportRun(kind="need", state=state, **file, **begun) for state in ("uploaded", "done")]
        session.add_all(drafts + runs)
        to = {"email": "nobody@unknown.example", "role": "viewer", "language": "en", "exchange": "TechEx"}
        invitation = members.invite(
            session, context, owner, **to, link=lambda token: f"http://localhost/invitations/{token}"
        )
        session.flush()
        numbers |= {
            "draft_id": [draft.id for draft in drafts],
            "run_id": [run.id for run in runs],
            "invitation_id": [invitation.id],
            "member_id": [member.id for member in members.memberships(session, lan.id)],
        }
    numbers["listing_id"] = [pair.need, pair.offer, 1, *sorted(listed.values())]
    numbers |= {"need_id": [pair.need], "offer_id": [pair.offer], "alert_id": [1], "session_id": [1, 2]}
    known = {name: tuple(map(str, given)) for name, given in numbers.items()}
    return known | {
        "slug": ("det-may-song-hong", "dai-hoc-phuong-nam", "cong-ty-moi", "doi-thu"),
        "code": ("VN-33", "NL", "RED_RIVER_DELTA", "vi", "en", "fr"),
        "step": tuple(sorted({step.name for steps in STEPS.values() for step in steps})),
        "kind": ("need", "offer", "pdf", "xlsx"),
        "suffix": ("csv", "xlsx"),
        "filename": ("site.css", "site.js", "mark.svg"),
        "verb": tuple(sorted({argument for rule in app.url_map.iter_rules() for argument in _choices(str(rule))})),
    }


def _choices(rule: str) -> list[str]:
    return rule.split("<any(")[1].split(")")[0].split(", ") if "<any(" in rule else []


def exchange(folder: Path) -> Fuzz:
    """One from nothing, in this folder."""
    once.begin()
    settings = Settings(
        data_dir=folder,
        database_url="",
        models_dir=paths.CHECKOUT / "models",
        indexes_dir=folder / "indexes",
        card="hashing",
        engine="hashing",
        secret_key="only for tests",
        base_url="http://exchange.example",  # as where it is served: letters never ask a request for its host
        languages="vi,en",
    )
    database = Database(settings.database_address)
    run.upgrade(database)
    demo.load(database, Context(COMMAND_LINE))
    database.close()
    matcher = WordMatcher()
    app = create_app(settings, testing=True, matcher=lambda: matcher)
    app.test_client_class = Browser
    app.logger.setLevel("ERROR")  # thousands of refused sign-ins are no news here
    return Fuzz(app, folder / "techex.db", fill)
