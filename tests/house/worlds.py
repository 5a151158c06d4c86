"""Two exchanges that differ only in what is confidential, and everything an outsider can ask of them.

Whatever differs between two replies to somebody without rights is a leak, through whichever channel: words, order,
counts, strengths, facets, statuses, headers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from techex.app import create_app
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.listings import content, reviews, service
from techex.listings.disclosure import Disclosure
from techex.listings.rules import Kind, State, Teaser, Visibility
from techex.listings.tables import Listing, ListingGrant, Report
from techex.listings.validation import checked_draft
from techex.matching import survey
from techex.matching.service import Matcher
from techex.organisations.rules import OrganisationDraft
from techex.organisations.service import get_organisation, upsert
from techex.search import service as search
from techex.settings import Settings
from tests.cast import CAST, person_of, sign_in

from .worlds_course import go_on
from .worlds_deals import hand_over

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CANARY = "zqcanary"  # begins a word in every confidential field; nobody ever searches for it
PROBE = "zqprobe"  # a word of confidential texts that outsiders do search for
OUTSIDERS = ("anonymous", "stranger", "unverified", "unarmed_operator", "administrator", "suspended")
MEMBERS = ("rival", "officer")  # of verified organisations, to which nothing confidential belongs

Side = Literal["left", "right"]

TOPICS = (
    ("dye house waste water colour removal membrane", "207", "33"),
    ("longan drying heat pump solar roof", "211", "33"),
    ("cassava starch residue biogas digester", "401", "80"),
    ("shrimp pond oxygen sensor aeration control", "402", "96"),
    ("rice straw briquette press rural boiler", "207", "01"),
    ("weld seam ultrasonic inspection robot", "203", "79"),
    ("district hospital infusion pump alarm", "303", "79"),
    ("tea leaf colour sorting camera", "211", "19"),
)


@dataclass(frozen=True)
class World:
    """One of the two, with a browser for everybody."""

    app: Flask
    settings: Settings
    browsers: Mapping[str, FlaskClient]
    ids: Mapping[str, int]
    matchers: list[Matcher]  # the last one answers

    def ask(self, person: str, path: str) -> tuple[int, bytes, bytes]:
        """Status, headers and body of a reply, without what differs by itself: tokens and nonces."""
        response = self.browsers[person].get(path, buffered=True)
        headers = sorted(f"{name}: {value}" for name, value in response.headers if name not in _VARYING)
        return response.status_code, _masked("\n".join(headers).encode()), _masked(response.data)

    def index_anew(self, learn: bool = False) -> None:
        """Read the index from the database again, as a starting worker does; `learn` also what it is centred with."""
        database: Database = self.app.extensions["techex.database"]
        if learn:
            search.rebuild(self.settings, database)
        self.matchers.append(_patient(Matcher(self.settings, database)))
        self.app.extensions.pop("techex.flows", None)

    def close(self) -> None:
        """Let go of the database."""
        self.app.extensions["techex.database"].close()


_VARYING = ("Date", "Set-Cookie", "Content-Length")
_TOKENS = re.compile(rb'(?<=name="csrf_token" value=")[^"]*|nonce-[\w+/=-]+|(?<=nonce=")[^"]*')


def _masked(text: bytes) -> bytes:
    return _TOKENS.sub(b"", text)


def build(folder: Path, migrated: Path, side: Side, *, members_too: bool, models: Path) -> World:
    """An exchange; `members_too` says that what members read differs as well."""
    folder.mkdir(parents=True)
    shutil.copy(migrated, folder / "techex.db")
    settings = Settings(
        data_dir=folder,
        database_url="",
        models_dir=models,
        indexes_dir=folder / "indexes",
        card="hashing",
        engine="hashing",
        secret_key="only for tests",
        base_url="https://exchange.example",
        languages="vi,en",
    )
    database = Database(settings.database_address)
    with database.transaction() as session:
        ids = _fill(session, side, members_too)
        about, firm = session.get_one(Listing, ids["open.0"]), get_organisation(session, CAST["engineer"].organisation)
        secret = f"{CANARY}{side} {PROBE}"
        ids["deal"] = hand_over(session, NOW, folder, about, firm, secret, side == "left")
        go_on(session, NOW, ids, secret, side == "left")
    search.embed_pending(settings, database)
    search.rebuild(settings, database)
    survey.look_over(settings, database, Context(COMMAND_LINE, NOW))
    matchers = [_patient(Matcher(settings, database))]
    app = create_app(settings, testing=True, matcher=lambda: matchers[-1])
    people = (*OUTSIDERS[1:], *MEMBERS)
    browsers: dict[str, FlaskClient] = {"anonymous": app.test_client()} | {name: sign_in(app, name) for name in people}
    for browser in browsers.values():
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return World(app, settings, browsers, ids, matchers)


def _patient(matcher: Matcher) -> Matcher:
    # How far a page gets with the gaps of its closest listings depends on how busy the machine is.
    matcher.pairs.lacks = partial(matcher.pairs.lacks, seconds=60.0)  # type: ignore[method-assign]
    return matcher


def _fill(session: Session, side: Side, members_too: bool) -> dict[str, int]:
    context = Context(COMMAND_LINE, NOW)
    for name in CAST:
        person_of(session, name)
    owners = {}
    for slug, kind, province in (
        ("open-firm", "enterprise", "33"),
        ("open-university", "university", "79"),
        ("left-house", "institute", "01"),
        ("right-house", "association", "80"),
    ):
        draft = OrganisationDraft(f"The {slug}", slug=slug, kind=kind, province=province)
        owners[slug], _ = upsert(session, context, draft)
    owners["with-people"] = get_organisation(session, CAST["engineer"].organisation)
    hidden_owner = owners["left-house" if side == "left" else "right-house"]
    ids: dict[str, int] = {}

    def post(name: str, kind: Kind, topic: int, owner: Any, seed: str, **over: Any) -> Listing:
        words, field, province = TOPICS[topic]
        place = over.pop("province", province)
        values: dict[str, Any] = {
            "title": f"{words.capitalize()} {seed}",
            "summary": f"We deal with {words}. {seed} is the word by which this one is told from the others.",
            "trl": 4 + topic % 5,
            "fields": [over.pop("field", field)],
            "transfer_forms": ["assignment" if topic % 2 else "service_contract"],
        }
        if kind is Kind.OFFER:
            values |= {
                "description": f"How {words} works at 80 °C and 400 m³ a day, {seed}. " * 3,
                "advantages": f"Half the cost of the usual way of {words}.",
                "price": 1_000_000.0 + topic,
                "currency": "VND",
                "ip_status": "granted",
            }
        else:
            values |= {"required_result": f"At least 70 °C and 300 m³ for {words}.", "budget_max": 2_000_000.0}
            values |= {"currency": "VND"}
        visibility = over.pop("visibility", Visibility.PUBLIC).value
        draft = checked_draft(kind, values | over, language="en", country="VN", province=place, visibility=visibility)
        listing = service.post(session, context, owner, draft)
        service.publish(session, context, listing)
        ids[name] = listing.id
        return listing

    # Open to everybody, the same on both sides but for fields that not everybody reads.
    guarded = f"{CANARY}{side}"
    for number, (topic, kind) in enumerate(product(range(len(TOPICS)), Kind)):
        owner = owners["open-firm" if number % 3 else "open-university"]
        more: dict[str, Any] = {"contact": f"{guarded} 0912"}
        if kind is Kind.OFFER:
            more["ip_numbers"] = f"{guarded} {PROBE if side == 'left' else 'other'}"
            if members_too:
                more["price"] = 1.0 if side == "left" else 9e9
        post(f"open.{number}", kind, topic, owner, f"open{number}", **more)
    # Both houses are known for something: what is missing from the matches of it would tell what else is theirs.
    for number, (house, kind) in enumerate(product(("left-house", "right-house"), Kind)):
        post(f"house.{number}", kind, 0, owners[house], f"house{number}")
    # Anonymous ones: everything the same, but whose they are.
    for number in range(4):
        kind = Kind.NEED if number % 2 else Kind.OFFER
        listing = post(f"anonymous.{number}", kind, number, hidden_owner, f"nameless{number}")
        disclose_to(session, listing, Disclosure(anonymous=True))
    # What is told of a restricted one is the same; the rest is not.
    listing = post(
        "teaser", Kind.NEED, 0, hidden_owner, f"{CANARY}{side} {PROBE}", visibility=Visibility.RESTRICTED, province="33"
    )
    told = "A firm in the north looks for a way to treat water; more on request."
    disclose_to(session, listing, Disclosure(Visibility.RESTRICTED, False, Teaser.PUBLIC, told))
    if members_too:
        listing = post(
            "teaser.members", Kind.OFFER, 1, hidden_owner, f"{CANARY}{side}", visibility=Visibility.RESTRICTED
        )
        told = f"Only members may read this of {side}: {CANARY}{side} and more of it."
        disclose_to(session, listing, Disclosure(Visibility.RESTRICTED, True, Teaser.MEMBERS, told))
    _hide(session, context, post, owners, side, members_too)
    session.flush()
    # Everybody's clock starts at one moment, whatever was written in which order.
    for listing in session.query(Listing):
        listing.published_at = NOW - timedelta(hours=listing.id)
    return ids


def disclose_to(session: Session, listing: Listing, asked: Disclosure) -> None:
    """Set who may see a listing, as its owner would."""
    listing.visibility, listing.anonymous = asked.visibility.value, asked.anonymous
    listing.teaser, listing.teaser_text = asked.teaser.value, asked.teaser_text
    session.flush()


def _hide(session: Session, context: Context, post: Any, owners: Any, side: Side, members_too: bool) -> None:
    """Confidential listings of every class and state: other texts, places, fields and owners, and more of them on one
    side. They are nearest to what outsiders search for.
    """
    house = owners["left-house" if side == "left" else "open-firm"]
    places = ("33", "01") if side == "left" else ("96", "79")
    fields = ("207", "211") if side == "left" else ("503", "601")
    for number in range(12 if side == "left" else 3):
        kind = Kind.NEED if number % 2 else Kind.OFFER
        more = {"province": places[number % 2], "field": fields[number % 2], "visibility": Visibility.RESTRICTED}
        listing = post(f"restricted.{number}", kind, number % 8, house, f"{CANARY}{side}{number} {PROBE}", **more)
        session.add(
            ListingGrant(
                listing_id=listing.id,
                organisation_id=house.id,
                introduced=True,
                granted_at=context.now,
                granted_by=f"{CANARY}{side}",
            )
        )
    if members_too:
        for number in range(6 if side == "left" else 2):
            kind = Kind.NEED if number % 2 else Kind.OFFER
            more = {"province": places[0], "field": fields[0], "visibility": Visibility.MEMBERS}
            post(f"members.{number}", kind, number, house, f"{CANARY}{side}m{number} {PROBE}", **more)
    for number, state in enumerate(state for state in State if state is not State.PUBLISHED):
        if side == "right" and number % 2:
            continue
        kind = Kind.NEED if number % 2 else Kind.OFFER
        owner = owners["with-people"] if state is State.RETURNED else house
        listing = post(f"state.{state}", kind, number % 8, owner, f"{CANARY}{side}s{number} {PROBE}", field=fields[0])
        listing.state = state.value
        service.keep_revision(session, context, listing, content.content_of(listing), "past")
        if state in (State.SUBMITTED, State.UNDER_REVIEW):
            service.open_review(session, context, listing)
        if state is State.FLAGGED:
            reporter = person_of(session, "editor").id
            session.add(
                Report(
                    listing_id=listing.id,
                    reporter_id=reporter,
                    ground="other",
                    text=f"{CANARY}{side}",
                    reported_at=context.now,
                )
            )
        if state is State.RETURNED:
            key = f"returned-{side}"
            reviews.tell_owners(
                session, context, listing, key, "%(exchange)s", "%(number)s %(link)s", lambda _: CANARY, "x"
            )
    session.flush()


WORDS = (
    *(words for words, _, _ in TOPICS),
    *("water", "drying at 80 °C", "heat pump", "nameless0", "left-house", "The right-house", "open-firm", "zzz", ""),
    *(f"open{number}" for number in range(16)),
    *(f"{words} {PROBE}" for words, _, _ in TOPICS),
    *(PROBE, f"{PROBE} water", "xử lý nước thải dệt nhuộm"),
)


def paths(world: World) -> Iterator[str]:
    """Addresses of every GET route with many query strings; ids of open, hidden and absent listings alike."""
    last = max(world.ids.values())
    numbers = [*range(1, last + 12), 10**6]
    opened = [number for name, number in sorted(world.ids.items()) if name.startswith(("open", "house", "anonymous"))]
    hidden = [world.ids[name] for name in ("restricted.0", "restricted.1", "state.draft", "state.flagged")]
    yield from _every_route(world.app, [opened[0], *hidden, 10**6])
    yield from ("/organisations?q=house", "/organisations?kind=institute", "/organisations.csv?q=house&sort=newest")
    yield from (f"/batches/new?listing={number}&look=1&with={opened[1]}" for number in (opened[0], *hidden))
    for deal in (world.ids["deal"], world.ids["deal"] + 1):
        yield from (f"/deals/{deal}{page}" for page in ("", "/papers", "/agreement", "/papers/1/1", "/papers/3/1"))
        yield from (f"/deals/{deal}/{page}" for page in ("receipts/1", "outcomes/6"))
        yield from (f"/participations/{deal}", f"/interests/{deal}", f"/interests/{deal + 2}")
    yield from (f"/deals/search?q={PROBE}", "/deals?view=list", "/deals.csv")
    yield from ("/figures.csv", "/figures.xlsx?as=everybody", "/figures.csv?field=207&kind=institute")
    yield from ("/figures?origin=RED_RIVER_DELTA&kind=institute", "/figures?application=SOUTHEAST&kind=association")
    for number in numbers:
        yield from (f"/needs/{number}", f"/results/{number}", f"/matches/{number}", f"/listings/{number}/history")
        yield from (f"/listings/{number}/visibility", f"/listings/{number}/report", f"/listings/{number}/edit")
        yield from (f"/review/{number}", f"/pairs/text/{number}?text=water", f"/interests/new?listing={number}")
        yield from (f"/attachments/{number}", f"/drafts/{number}/matches", f"/interests/{number}")
        yield f"/matches/{number}/why?other={opened[0]}"
        yield from (f"/matches/{each}/why?other={number}" for each in opened[:2])
        yield f"/matches/why?text=water+colour+membrane&other={number}"
        yield f"/pairs/{number}/{opened[1]}"
        yield f"/pairs/{opened[0]}/{number}"
    slugs = ("open-firm", "open-university", "left-house", "right-house", "doi-thu", "nobody")
    for slug in slugs:
        yield from (f"/organisations/{slug}", f"/organisations/{slug}/edit", f"/organisations/{slug}/people")
        yield f"/organisations/{slug}/verification"
    yield from (f"/places/VN-{code}" for code in ("33", "01", "80", "96", "79", "19", "04"))
    yield from ("/places/NL", "/places/XX", "/regions/SOUTHEAST", "/regions/RED_RIVER_DELTA", "/organisations?q=house")
    for name, query in product(("needs", "results"), _lists(slugs)):
        yield f"/{name}?{query}"
    for name, query in product(("needs.csv", "results.csv"), list(_lists(slugs))[::3]):
        yield f"/{name}?{query}"
    yield from (f"/{name}.xlsx?sort={sort}" for name, sort in product(("needs", "results"), ("trl", "title")))
    for text, more in product(WORDS, ("", "&for=need", "&org=institute", "&field=207", "&trl=5&page=2")):
        if text:
            yield f"/matches?text={text.replace(' ', '+')}{more}"
    yield from (f"/matches/{opened[0]}/why?other={word.replace(' ', '+')}" for word in WORDS)
    for number, more in product(opened, ("org=association", "org=institute", "field=207", "province=33", "page=2")):
        yield f"/matches/{number}?{more}"


def _every_route(app: Flask, numbers: Sequence[int]) -> Iterator[str]:
    """Each route that is read, with ids of open, hidden and absent things where it takes one."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        for number in numbers if rule.arguments else [0]:
            values = {name: number if name.endswith("_id") else _ONE.get(name, "1") for name in rule.arguments}
            if "xlsx):kind" in rule.rule:
                values["kind"] = "xlsx"
            yield adapter.build(rule.endpoint, values, method="GET")


_ONE = {
    "slug": "left-house",
    "code": "en",
    "token": "nonsense",
    "step": "basics",
    "kind": "need",
    "form": "csv",
    "suffix": "csv",
}


def _lists(slugs: Sequence[str]) -> Iterator[str]:
    yield from (f"q={word.replace(' ', '+')}" for word in WORDS if word)
    yield from (f"organisation={slug}" for slug in slugs)
    yield from (f"org={kind}" for kind in ("institute", "association", "enterprise", "university"))
    yield from (f"field={code}" for code in ("207", "211", "503", "601", "401"))
    yield from (
        f"province={code}&sort={sort}" for code, sort in product(("33", "01", "96"), ("newest", "title", "trl"))
    )
    yield from (f"trl={level}&lang=en" for level in range(1, 10))
    yield from (f"page={page}&sort={sort}" for page, sort in product(range(1, 6), ("newest", "title", "deadline")))
    yield from (f"form={form}&ip=granted" for form in ("assignment", "service_contract"))
    yield from (f"q=water&org={kind}&page={page}" for kind, page in product(("institute", "enterprise"), (1, 2)))
