"""The verbs of alerts: keep a search, look what is new for it, write, stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.alerts.rules import MOST_ALERTS, MOST_IN_A_LETTER, Cadence, next_time
from techex.alerts.tables import Alert, AlertMatch
from techex.core import audit, mail
from techex.core.context import Actor, Context, Role
from techex.core.vocabulary import N_
from techex.errors import Conflict, NotFound, Sentence
from techex.listings.rules import Visibility
from techex.matching.rules import Match
from techex.matching.strength import REVIEW
from techex.organisations import service as organisations

_SALT = "alert stops"
_SUBJECT = N_("%(exchange)s: %(count)s new for your alert")
_LETTER = N_(
    "New for your alert “%(about)s”:\n\n%(matches)s\n\nAll of them, with their reasons: %(page)s\n\n"
    "No more of this alert, with one press and without signing in: %(stop)s"
)
_OF_MEMBERS = N_("A listing for members, number %(number)s")
_LINE = N_("• %(title)s\n  strength %(strength)s of 100%(shared)s\n  %(link)s")
_SHARED = N_(", both say: %(words)s")


@dataclass(frozen=True)
class Place:
    """What a letter needs to know: the exchange's name, its own address, its zone, the key that signs links."""

    exchange: str
    base: str
    zone: str
    key: str


Find = Callable[[Session, Context, Alert], Sequence[Match]]


def of_person(session: Session, context: Context) -> Sequence[Alert]:
    """A person's own alerts, the newest first."""
    query = select(Alert).where(Alert.person_id == context.actor.person_id).order_by(Alert.id.desc())
    return session.scalars(query).unique().all()


def get(session: Session, context: Context, alert_id: int) -> Alert:
    """One of a person's own; raises NotFound."""
    found = session.get(Alert, alert_id)
    if found is None or found.person_id != context.actor.person_id:
        raise NotFound(f"There is no alert number {alert_id} of yours.")
    return found


def begin(
    session: Session, context: Context, place: Place, query: str, listing_id: int | None, cadence: Cadence, find: Find
) -> Alert:
    """Keep a search; what it finds now counts as known. The same search twice is one alert with the newer cadence.

    Raises Conflict beyond MOST_ALERTS, and what `find` raises for a listing the person may not see.
    """
    person = session.get_one(Person, context.actor.person_id)
    for known in of_person(session, context):
        if (known.query, known.listing_id) == (query, listing_id):
            set_cadence(session, context, place, known, cadence)
            return known
    mine = session.scalar(select(func.count()).select_from(Alert).where(Alert.person_id == person.id)) or 0
    if mine >= MOST_ALERTS:
        raise Conflict(Sentence(N_("You have %(most)s alerts. Stop one before you begin another."), most=MOST_ALERTS))
    alert = Alert(
        person=person,
        query=query,
        listing_id=listing_id,
        cadence=cadence.value,
        created_at=context.now,
        looked_at=context.now,
        next_at=next_time(cadence, context.now, zone_of(person, place)),
    )
    session.add(alert)
    session.flush()
    for match in find(session, _as_reader(session, context, person), alert):
        session.add(AlertMatch(alert_id=alert.id, listing_id=match.listing.id, told_at=context.now))
    audit.record(session, context, "alert begun", "alert", alert.id)
    session.flush()
    return alert


def set_cadence(session: Session, context: Context, place: Place, alert: Alert, cadence: Cadence) -> None:
    """Let it write more or less often, from now on."""
    alert.cadence = cadence.value
    alert.next_at = next_time(cadence, context.now, zone_of(alert.person, place))


def stop(session: Session, context: Context, alert: Alert) -> None:
    """End an alert and forget what it told."""
    audit.record(session, context, "alert stopped", "alert", alert.id)
    session.delete(alert)
    session.flush()


def token_for(alert: Alert, key: str) -> str:
    """What stands in the link that stops an alert without signing in."""
    return str(URLSafeSerializer(key, salt=_SALT).dumps([alert.id, alert.person_id]))


def of_token(session: Session, token: str, key: str) -> Alert | None:
    """The alert of such a link; None where it has been stopped already. Raises NotFound for a link that is not ours."""
    try:
        number, person = URLSafeSerializer(key, salt=_SALT).loads(token)
    except (BadSignature, ValueError, TypeError) as error:
        raise NotFound(
            "This link is not one of ours, or a part of it is missing. Copy it whole from the letter."
        ) from error
    found = session.get(Alert, number)
    return found if found is not None and found.person_id == person else None


def zone_of(person: Person, place: Place) -> ZoneInfo:
    """The time zone of a person, or of the exchange where they chose none."""
    for name in (person.timezone, place.zone):
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine does not know (any more)
            continue
    return ZoneInfo("UTC")


def due(session: Session, context: Context, at_most: int) -> Sequence[int]:
    """Numbers of the alerts whose time has come, the longest waiting first."""
    query = select(Alert.id).where(Alert.next_at <= context.now).order_by(Alert.next_at, Alert.id)
    return session.scalars(query.limit(at_most)).all()


def look(session: Session, context: Context, place: Place, alert_id: int, find: Find) -> int:
    """Look for what is new for an alert and write about it; returns how many matches the letter tells of.

    Letter, what it told and the next moment are one transaction: after a kill either all of it happened or nothing.
    """
    alert = session.get(Alert, alert_id)
    if alert is None or alert.next_at > context.now:
        return 0  # stopped or looked at meanwhile
    person = alert.person
    alert.looked_at = context.now
    alert.next_at = next_time(Cadence(alert.cadence), context.now, zone_of(person, place))
    if not person.is_active or person.confirmed_at is None:
        return 0
    told = set(session.scalars(select(AlertMatch.listing_id).where(AlertMatch.alert_id == alert.id)))
    try:
        found = find(session, _as_reader(session, context, person), alert)
    except NotFound:  # the listing has ended or is hidden now
        return 0
    new = [match for match in found if match.listing.id not in told and match.strength >= REVIEW][:MOST_IN_A_LETTER]
    for match in new:
        session.add(AlertMatch(alert_id=alert.id, listing_id=match.listing.id, told_at=context.now))
    if new:
        _write(session, context, place, alert, new)
    session.flush()
    return len(new)


def _as_reader(session: Session, context: Context, person: Person) -> Context:
    """The person as their letters may see the exchange: without the second factor, so without an operator's rights."""
    memberships, _ = organisations.belonging(session, person.id)
    return Context(Actor(person.name, Role.PERSON, person.id, memberships), context.now)


def _write(session: Session, context: Context, place: Place, alert: Alert, new: Sequence[Match]) -> None:
    language = alert.person.language or "vi"
    path = f"/matches/{alert.listing_id}" if alert.listing_id else "/matches"
    path += f"?{alert.query}" if alert.query else ""
    values = {
        "exchange": place.exchange,
        "count": len(new),
        "about": about(alert),
        "matches": "\n\n".join(_line(place, language, match) for match in new),
        "page": place.base + path,
        "stop": f"{place.base}/alerts/stop/{token_for(alert, place.key)}",
    }
    mail.write(
        session,
        context,
        key=f"alert-{alert.id}-{context.now:%Y%m%dt%H%M%S}",
        to=alert.person.email,
        language=language,
        subject=_SUBJECT,
        text=_LETTER,
        values=values,
        unsubscribe=str(values["stop"]),
    )


def _line(place: Place, language: str, match: Match) -> str:
    """One match as a letter says it: letters lie about in mailboxes, so of what is not public only the number."""
    listing = match.listing
    public = listing.visibility == Visibility.PUBLIC
    title = listing.title if public else mail.said_in(language, _OF_MEMBERS) % {"number": listing.id}
    shared = ", ".join(list(match.reasons.shared_terms)[:4]) if public else ""
    return mail.said_in(language, _LINE) % {
        "title": title,
        "strength": match.strength,
        "shared": mail.said_in(language, _SHARED) % {"words": shared} if shared else "",
        "link": f"{place.base}/{'needs' if listing.is_need else 'results'}/{listing.id}",
    }


def about(alert: Alert) -> str:
    """What an alert is about, in few words of its own."""

    if alert.listing is not None:
        return alert.listing.title
    text = " ".join(parse_qs(alert.query).get("text", [""])[0].split())
    return text if len(text) <= 80 else text[:79] + "…"
