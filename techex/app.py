"""`create_app`: the one place that wires everything.

A process that serves calls it once, after the fork; the model and the index come when the first page needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask, request
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from techex import __version__, paths
from techex.accounts import account_views, deletion_views, signing
from techex.accounts import views as account_doors
from techex.admin import audit_views, deadlines, desk_views, saved_views, work_views
from techex.admin import views as admin_views
from techex.alerts import calendar_views
from techex.alerts import people as alert_people
from techex.alerts import views as alert_views
from techex.brokering import (
    agreement_views,
    batch_refusals,
    batch_views,
    board_views,
    commission_views,
    course_views,
    deal_views,
    document_views,
    figure_views,
    gap_views,
    proposal_views,
    report_views,
)
from techex.brokering import commissioning as commissions
from techex.brokering import people as brokering_people
from techex.brokering import reporting as reports
from techex.brokering import views as brokering_views
from techex.core import vocabulary
from techex.core.context import Context
from techex.core.database import Database
from techex.interchange import import_views
from techex.listings import life_views, organisation_views, posting_views, review_views
from techex.listings import people as listing_people
from techex.listings import views as listing_views
from techex.matching import (
    best_pairs_views,
    draft_views,
    duplicate_views,
    pair_views,
    place_views,
    quality_views,
    surveyed,
    verdict_views,
    verdicts,
)
from techex.matching import views as matching_views
from techex.organisations import members as organisation_members
from techex.organisations import operator_views
from techex.organisations import service as organisations
from techex.organisations import views as organisation_member_views
from techex.regions import service as regions
from techex.regions.rules import Place
from techex.settings import Settings, load_settings
from techex.web import addresses, csrf, identity, language, policy, problems, replies, security

BLUEPRINTS = (
    account_doors.blueprint,
    listing_views.blueprint,
    review_views.blueprint,
    organisation_views.blueprint,
    organisation_member_views.blueprint,
    operator_views.blueprint,
    audit_views.blueprint,
    place_views.blueprint,
    duplicate_views.blueprint,
    verdict_views.blueprint,
    brokering_views.blueprint,
    proposal_views.blueprint,
    course_views.blueprint,
    deal_views.blueprint,
    board_views.blueprint,
    batch_views.blueprint,
    document_views.blueprint,
    agreement_views.blueprint,
    figure_views.blueprint,
    gap_views.blueprint,
    commission_views.blueprint,
    commission_views.consent_blueprint,
    report_views.blueprint,
    report_views.plan_blueprint,
    alert_views.blueprint,
    calendar_views.blueprint,
    desk_views.blueprint,
    work_views.blueprint,
    admin_views.blueprint,
)

# What stands in the head of every page, in this order.
NAVIGATION = (
    ("listings.needs", _l("Needs")),
    ("listings.results", _l("Results")),
    ("organisations.directory", _l("Organisations")),
    ("regions.places", _l("Places")),
    ("matching.quality", _l("Quality")),
    ("figures.index", _l("Figures")),
)

# What stands below it for somebody who has signed in: (endpoint, what it is called, whom it is for).
DESK = (
    ("desk.index", _l("Your desk"), policy.operator),
    ("posting.begin", _l("Write a listing"), policy.signed_in),
    ("life.mine", _l("My listings"), policy.signed_in),
    ("brokering.interests", _l("Expressions of interest"), policy.signed_in),
    ("deals.board", _l("Deals"), policy.signed_in),
    ("gaps.index", _l("What is missing"), policy.operator),
    ("reports.index", _l("Reports"), policy.operator),
    ("reports.index", _l("Reports"), lambda actor: actor.is_administrator and not actor.is_operator),
    ("batches.index", _l("Batches"), policy.operator),
    ("alerts.index", _l("Alerts"), policy.signed_in),
    ("consents.index", _l("May we name you?"), policy.manager),
    ("membership.mine", _l("Your organisations"), policy.signed_in),
    ("review.queue", _l("Review queue"), policy.operator),
    ("verification.waiting", _l("To verify"), policy.operator),
    ("duplicates.index", _l("Listed twice?"), policy.operator),
    ("verification.who", _l("Operators"), policy.administrator),
    ("audit.log", _l("Audit log"), policy.administrator),
)


# What other domains keep about a person: forgotten when an account is deleted, and part of its export.
LEAVING: tuple[Callable[[Session, Context, int], None], ...] = (
    listing_people.leave,
    organisation_members.leave_all,
    verdicts.leave,
    saved_views.leave,
    alert_people.leave,
    batch_refusals.leave,
)
DATA_OF: tuple[Callable[[Session, int], dict[str, Any]], ...] = (
    organisation_members.data_of,
    listing_people.data_of,
    brokering_people.data_of,
    commissions.data_of,
    reports.data_of,
    verdicts.data_of,
    saved_views.data_of,
    alert_people.data_of,
    batch_refusals.data_of,
)


def create_app(
    settings: Settings | None = None,
    *,
    testing: bool = False,
    matcher: Callable[[], matching_views.Finds] | None = None,
) -> Flask:
    """The exchange as a WSGI application; `matcher` gives another one than the exchange's own.

    Raises Environment errors (settings, database address, signing key) with the sentence that says what to do.
    """
    settings = settings or load_settings()
    app = Flask(
        "techex",
        template_folder=str(paths.templates_dir()),
        static_folder=str(paths.static_dir()),
        static_url_path="/static",
    )
    app.testing = testing
    app.url_map.converters["int"] = addresses.RowNumber
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies)  # type: ignore[method-assign]
    security.init_app(app, settings)
    language.init_app(app, settings)
    problems.init_app(app)
    replies.init_app(app)
    database = Database(settings.database_address)
    identity.init_app(app, database, signing.actor, settings.base_url)
    csrf.init_app(app)
    signing.init_app(app, organisations.belonging)
    account_doors.init_app(app, organisation_members.words_of)
    account_views.init_app(app, DATA_OF)
    deletion_views.init_app(app, LEAVING, organisation_members.left_without)
    matching_views.init_app(app, matcher or _own_matcher(settings, database))
    quality_views.init_app(app, settings)
    life_views.init_app(app, surveyed.suited)
    posting_views.init_app(app, draft_views.twins_of)
    import_views.init_app(app, _language_of)
    pair_views.init_app(app)
    best_pairs_views.init_app(app)
    brokering_views.init_app(app)
    proposal_views.init_app(app)
    course_views.init_app(app)
    alert_views.init_app(app)
    calendar_views.init_app(app, deadlines.SOURCES)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    policy.init_app(app)
    _teach_templates(app, settings)
    return app


def _language_of(text: str) -> str:
    # Imported at the first row that does not say its language.
    from techex.embedding.languages import detect

    return detect(text)[0]


def _own_matcher(settings: Settings, database: Database) -> Callable[[], matching_views.Finds]:
    @cache
    def provide() -> matching_views.Finds:
        # Imported at the first search: a worker is ready before numpy and the engines are there.
        from techex.matching.service import Matcher

        found: matching_views.Finds = Matcher(settings, database)
        return found

    return provide


def _teach_templates(app: Flask, settings: Settings) -> None:
    """What templates of every domain may say: names of places and codes, in the language of the page."""

    def place(of: Place) -> str:
        return regions.place_name(of, language.page_language())

    def here() -> str:
        return request.full_path.removesuffix("?") if request.method == "GET" else request.path

    def desk() -> list[tuple[str, Any]]:
        actor = identity.context().actor
        return [(name, label) for name, label, verdict in DESK if name in app.view_functions and verdict(actor)]

    app.jinja_env.filters["place"] = place
    app.jinja_env.globals.update(
        here=here,
        navigation=lambda: [row for row in NAVIGATION if row[0] in app.view_functions],
        desk=desk,
        vocabulary=vocabulary,
        stage_of=vocabulary.stage_of,
        region_name=lambda code: regions.region_name(code, language.page_language()),
        province_name=lambda code: regions.province_name(code, language.page_language()),
        country_name=lambda code: regions.country_name(code, language.page_language()),
        exchange_name=settings.exchange_name,
        version=__version__,
    )
