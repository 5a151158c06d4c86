"""The demo exchange: invented organisations with needs and results, and the judged pairs that measure matching.

The texts stand in `demo_data/*.toml`; everything loaded from them is marked illustrative.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from techex.accounts import demo as demo_people
from techex.core import audit, changes
from techex.core.context import Actor, Context, MemberRole, Role
from techex.core.database import Database
from techex.interchange.service import ImportReport, store
from techex.listings.posting_tables import SavedDraft
from techex.listings.rules import FIELD_BY_NAME, LIFE_DAYS, Kind, ListingDraft
from techex.listings.tables import Listing, ListingGrant
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import OperatorPlace, Organisation, OrganisationMember

_DATA = Path(__file__).parent / "demo_data"

# The demo was "published" over this many days, so that there is a year of history to show.
SPREAD_DAYS = 350

_CURATOR = Actor("demo exchange", Role.SYSTEM)


@dataclass(frozen=True)
class DemoListing:
    """One invented listing with the short name of its organisation."""

    key: str
    organisation: str
    draft: ListingDraft


@dataclass(frozen=True)
class Judgement:
    """What a reader of both texts says of one need: grades of offers (2 fits, 1 partly, 0 does not)."""

    need: str
    grades: Mapping[str, int]
    unmatched: bool
    parallel: Mapping[str, str] = field(default_factory=dict)  # the same need in another language, with its "language"


@dataclass(frozen=True)
class DemoExchange:
    """Everything in the demo: organisations, listings, judgements."""

    organisations: tuple[OrganisationDraft, ...]
    listings: tuple[DemoListing, ...]
    judgements: tuple[Judgement, ...]

    def of_kind(self, kind: Kind) -> list[DemoListing]:
        """The needs, or the offers."""
        return [listing for listing in self.listings if listing.draft.kind is kind]

    def kind_of(self, organisation: str) -> str:
        """What an organisation of the demo is, by its short name."""
        return next(draft.kind for draft in self.organisations if draft.slug == organisation)


@cache
def demo_exchange() -> DemoExchange:
    """Read and check the demo's files; raises FieldErrors if one of its texts breaks a rule of the exchange."""
    found_organisations: list[OrganisationDraft] = []
    found_listings: list[DemoListing] = []
    judgements: list[Judgement] = []
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(_DATA.glob("*.toml"))]
    rows = [row for data in files for row in data.get("organisation", ())]
    found_organisations.extend(_organisation(row) for row in rows)
    places = {row["key"]: (row["country"], row.get("province")) for row in rows}
    for data in files:
        found_listings.extend(_listing(Kind.NEED, row, places) for row in data.get("need", ()))
        found_listings.extend(_listing(Kind.OFFER, row, places) for row in data.get("offer", ()))
        judgements.extend(_judgement(row) for row in data.get("need", ()))
    return DemoExchange(tuple(found_organisations), tuple(found_listings), tuple(judgements))


def _organisation(row: Mapping[str, Any]) -> OrganisationDraft:
    return OrganisationDraft(
        slug=row["key"],
        name=row["name"],
        names={"en": row["name_en"]} if "name_en" in row else {},
        kind=row["kind"],
        country=row["country"],
        province=row.get("province"),
        fields=row.get("fields", ()),
        website=row.get("website", ""),
        illustrative=True,
    )


def _listing(kind: Kind, row: Mapping[str, Any], places: Mapping[str, tuple[str, str | None]]) -> DemoListing:
    home = places[row["organisation"]]
    country = row.get("country", home[0])
    draft = checked_draft(
        kind,
        {name: value for name, value in row.items() if name in FIELD_BY_NAME},
        language=row["language"],
        country=country,
        province=row.get("province", home[1] if country == home[0] else None),
        external_id=row["key"],
        illustrative=True,
    )
    return DemoListing(row["key"], row["organisation"], draft)


def _judgement(row: Mapping[str, Any]) -> Judgement:
    grades = (
        dict.fromkeys(row.get("hard_negatives", ()), 0)
        | dict.fromkeys(row.get("partly", ()), 1)
        | dict.fromkeys(row.get("fits", ()), 2)
    )
    return Judgement(row["key"], grades, row.get("unmatched", False), row.get("parallel", {}))


def load(database: Database, context: Context, progress: Callable[[int, int], None] | None = None) -> ImportReport:
    """Bring the demo exchange into the database; a second run changes nothing.

    `progress` gets (done, all) after each listing.
    """
    context = replace(context, actor=_CURATOR)
    exchange = demo_exchange()
    report = ImportReport()
    with database.transaction() as session:
        owners = {}
        for draft in exchange.organisations:
            owners[draft.slug], new = organisations.upsert(session, context, draft)
            if new and draft.kind != "enterprise":
                # The demo's operators know its institutions; its firms show what an unverified one looks like.
                organisations.verify(session, context, owners[draft.slug], CHECKED)
        for number, listing in enumerate(exchange.listings, start=1):
            posted = replace(context, now=context.now - timedelta(days=_age_days(listing.key)))
            match store(session, posted, owners[listing.organisation], listing.draft):
                case "created":
                    report.created += 1
                case "updated":
                    report.updated += 1
                case _:
                    report.unchanged += 1
            if progress:
                progress(number, len(exchange.listings))
        if report.created:
            # Their year begins today, whenever they were "published": a demo is no use with half of it expired.
            ends = context.now + timedelta(days=LIFE_DAYS)
            session.execute(update(Listing).where(Listing.illustrative).values(expires_at=ends))
        _people(session, context, owners)
    return report


# What the demo's operators say they checked.
CHECKED = ("register", "papers")
# Who is shown on the page of their organisation, and as what.
SHOWN = {"officer": "Trưởng phòng Chuyển giao công nghệ"}
# Whom the demo's people act for: person -> short name of the organisation; and the places its operator serves, so that
# both of these organisations are among them and there is a day's work on the desk.
ACT_FOR = {"engineer": "hung-yen-do-may-longan", "officer": "ho-chi-minh-dh-ben-nghe"}
SERVES = ("VN-33", "VN-79", "VN-01", "VN-24", "VN-44", "VN-56", "VN-66", "VN-75")


def _people(session: Session, context: Context, owners: Mapping[str, Organisation]) -> None:
    """People to sign in as, where nobody real has an account yet."""
    numbers = demo_people.begin(session, context)
    if not numbers:
        return
    for key, slug in ACT_FOR.items():
        owner = owners[slug]
        if owner.verified_at is None:
            organisations.verify(session, context, owner, CHECKED)
        member = select(OrganisationMember.id).where(
            OrganisationMember.organisation_id == owner.id, OrganisationMember.person_id == numbers[key]
        )
        if session.scalar(member) is None:
            session.add(
                OrganisationMember(
                    organisation_id=owner.id,
                    person_id=numbers[key],
                    role=MemberRole.MANAGER,
                    shown=key in SHOWN,
                    position=SHOWN.get(key, ""),
                    since=context.now,
                )
            )
    there = set(session.scalars(select(OperatorPlace.place_code).where(OperatorPlace.person_id == numbers["operator"])))
    session.add_all(
        OperatorPlace(person_id=numbers["operator"], place_code=code, granted_at=context.now)
        for code in SERVES
        if code not in there
    )


def _age_days(key: str) -> float:
    """How long ago a demo listing was published: from its key, so that it is the same in every installation."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
    return share * SPREAD_DAYS


@dataclass(frozen=True)
class Removed:
    """What went out: how many listings, and the names of invented organisations that stay because of something real."""

    listings: int
    kept: list[str]


def remove(database: Database, context: Context) -> int:
    """Take everything illustrative out of the database; returns how many listings went."""
    with database.transaction() as session:
        return remove_in(session, context).listings


def remove_in(session: Session, context: Context, named: Collection[int] = ()) -> Removed:
    """The same inside a transaction. What is not illustrative stays whole, so invented organisations stay, too, that it
    names: as owner of a listing, in a grant or an unfinished listing, or, by number, among those `named` elsewhere.
    """
    context = replace(context, actor=_CURATOR)
    gone = list(session.scalars(select(Listing.id).where(Listing.illustrative)))
    for listing_id in gone:
        changes.record(session, context, "listing", listing_id, "deleted")
    session.execute(delete(Listing).where(Listing.illustrative))
    used = or_(
        Organisation.id.in_(named),
        *(Organisation.id.in_(select(table.organisation_id)) for table in (Listing, SavedDraft, ListingGrant)),
    )
    kept = session.scalars(select(Organisation.name).where(Organisation.illustrative, used).order_by(Organisation.id))
    removed = Removed(len(gone), list(kept))
    session.execute(delete(Organisation).where(Organisation.illustrative, ~used))
    audit.record(session, context, "demo removed", "listing", 0, {"listings": len(gone)})
    return removed
