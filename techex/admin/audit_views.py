"""The audit log, for administrators: who did what to what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import format_datetime, get_timezone, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.admin import audit_details, audit_queries
from techex.admin.audit_queries import Asked
from techex.admin.audit_words import OTHERWISE
from techex.core import audit
from techex.core.sheets import MOST_ROWS
from techex.core.vocabulary import N_
from techex.errors import BadInput
from techex.web import addresses, identity, policy, replies, tables
from techex.web.language import who

LARGEST_NUMBER = 2**31 - 1  # of an integer column

blueprint = Blueprint("audit", __name__)


def _number(text: str) -> int | None:
    number = addresses.whole(text.strip(), -1)
    return number if 0 <= number <= LARGEST_NUMBER else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _begin(day: date | None) -> datetime | None:
    """The first moment of a day in the time zone of the page."""
    if day is None:
        return None
    zone = get_timezone()
    naive = datetime.combine(day, time.min)
    # pytz zones must be asked for the offset of that day.
    local = zone.localize(naive) if hasattr(zone, "localize") else naive.replace(tzinfo=zone)
    return local.astimezone(UTC)


def _person(session: Session, text: str) -> int | None:
    """The number of a person, from the number itself or from an e-mail address; -1 for nobody."""
    text = text.strip().removeprefix("person").strip()
    if not text:
        return None
    if (number := _number(text)) is not None:
        return number
    try:
        key = checked_address(text).key
    except BadInput:
        return -1
    return session.scalar(select(Person.id).where(Person.email_key == key)) or -1


@blueprint.get("/audit")
@policy.open_to(policy.administrator)
def log() -> Response:
    """The log, the newest entry first; the address says what was looked for, and an odd value finds nothing."""
    data = _data()
    with identity.database().reading() as session:
        asked = _asked(session, data)
        said = {name: value for name, value in data.items() if value}

        def at_page(page: int) -> str:
            return url_for("audit.log", page=page, **said)  # type: ignore[arg-type]

        def about(**values: Any) -> str:
            return url_for("audit.log", **values)

        return replies.page(
            "admin/audit.html",
            found=audit_queries.entries(session, asked),
            subjects=audit_queries.subjects(session),
            head=audit.last(session),
            asked=data,
            is_asked=bool(said),
            at_page=at_page,
            about=about,
            otherwise=OTHERWISE,
            details=audit_details.said,
            moment=lambda value: format_datetime(value, "medium"),
            file_address=lambda suffix: url_for("audit.file", **said, suffix=suffix),  # type: ignore[arg-type]
        )


@blueprint.get(f"/audit.{tables.FILE}")
@policy.open_to(policy.administrator)
def file(suffix: str) -> Response:
    """The entries that are asked for, with the columns of the page."""
    with identity.database().reading() as session:
        found = audit_queries.everything(session, _asked(session, _data()), MOST_ROWS)
        names = audit_queries.names_in(session, found)
    columns = (
        tables.Column(N_("No."), lambda entry: entry.id),
        tables.Column(N_("When"), lambda entry: f"{entry.at:%Y-%m-%d %H:%M:%S}Z"),
        tables.Column(N_("Who"), lambda entry: names.get(entry.person_id) or who(entry.actor)),
        tables.Column(N_("Did what"), lambda entry: gettext(OTHERWISE.get(entry.verb, entry.verb))),
        tables.Column(N_("To what"), lambda entry: f"{gettext(entry.subject)} {entry.subject_id}"),
        tables.Column(N_("Details"), lambda entry: "; ".join(map(": ".join, audit_details.said(entry.detail, names)))),
    )
    return tables.download("audit", suffix, columns, found)


def _data() -> dict[str, str]:
    names = ("subject", "number", "person", "since", "until", "sort")
    return {name: request.args.get(name, "").strip() for name in names}


def _asked(session: Session, data: Mapping[str, str]) -> Asked:
    since, until = _day(data["since"]), _day(data["until"])
    return Asked(
        subject=data["subject"],
        subject_id=(-1 if (found := _number(data["number"])) is None else found) if data["number"] else None,
        person_id=_person(session, data["person"]),
        since=_begin(since),
        before=_begin(until + timedelta(days=1) if until and until < date.max else None),
        oldest_first=data["sort"] == "oldest",
        page=addresses.page_number(request.args),
    )
