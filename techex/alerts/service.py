"""The verbs of alerts: keep a search, look what is new for it, write, stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import shorten
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.alerts.calendars import zone_named
from techex.alerts.rules import LONGEST_QUOTE, MOST_ALERTS, MOST_IN_A_LETTER, MOST_OF_AN_ALERT, Cadence, next_time
from techex.alerts.tables import Alert, AlertMatch
from techex.core import audit, letter_links, mail
from techex.core.context import Actor, Context, Role
from techex.core.vocabulary import N_
from techex.errors import Conflict, NotFound, Sentence
from techex.listings import service as listings
from techex.listings.rules import Visibility
from techex.matching.rules import Match
from techex.matching.strength import REVIEW
from techex.organisations import service as organisations

_SALT = "alert stops"
_SUBJECT = N_("%(exchange)s: %(count)s new for your alerts")
_SECTION = N_(
    "New for your alert “%(about)s”:\n\n%(matches)s\n\nAll of them, with their reasons: %(page)s\n"
    "No more of this alert, with one press and without signing in: %(stop)s"
)
_LETTER = "%(sections)s"
_OF_MEMBERS = N_("A listing for members, number %(number)s")
_LINE = N_("• %(title)s\n  strength %(strength)s of 100%(shared)s\n  %(link)s")
_SHARED = N_(", both say: %(words)s")
_SAYS = N_("it says: “%(words)s”")


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
        raise NotFound(Sentence(N_("There is no alert number %(number)s of yours."), number=alert_id))
    return found


def begin(
    session: Session, context: Context, place: Place, query: str, listing_id: int | None, cadence: Cadence, find: Find
) -> Alert:
    """Keep a search; what it finds now counts as known. The same search twice is one alert with the newer cadence.

    Raises Conflict beyond MOST_ALERTS, and NotFound for a listing that is absent or hidden.
    """
    person = session.get_one(Person, context.actor.person_id)
    if listing_id is not None:
        listings.get_visible(session, context, listing_id)
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


def token_for(alerts: Sequence[Alert], key: str) -> str:
    """What stands in the link that stops these alerts of one person without signing in."""
    numbers = [alert.id for alert in alerts]
    return letter_links.token_of(key, _SALT, [numbers, alerts[0].person_id])


def of_token(session: Session, token: str, key: str) -> Sequence[Alert]:
    """The alerts of such a link that have not been stopped yet. Raises NotFound for a link that is not ours."""
    numbers, person = letter_links.value_of(key, _SALT, token)
    numbers = [numbers] if isinstance(numbers, int) else numbers  # letters of older days name one
    query = select(Alert).where(Alert.id.in_(numbers), Alert.person_id == person).order_by(Alert.id)
    return session.scalars(query).unique().all()


def zone_of(person: Person, place: Place) -> ZoneInfo:
    """The time zone of a person, or of the exchange where they chose none."""
    return zone_named(person.timezone, place.zone)


def due(session: Session, context: Context, at_most: int) -> Sequence[int]:
    """Numbers of the people with an alert whose time has come, the longest waiting first."""
    query = select(Alert.person_id).where(Alert.next_at <= context.now).group_by(Alert.person_id)
    return session.scalars(query.order_by(func.min(Alert.next_at), Alert.person_id).limit(at_most)).all()


def look(session: Session, context: Context, place: Place, person_id: int, find: Find) -> int:
    """Look for what is new for the alerts of a person whose time has come, and write one letter about all of it.

    Returns how many matches it tells of; each once, whichever alerts find it. Letter, what it told and the next moment
    are one transaction: after a kill either all of it happened or nothing.
    """
    # A second worker waits here, and then finds nothing due.
    person = session.get_one(Person, person_id, with_for_update=True)
    ready = select(Alert).where(Alert.person_id == person.id, Alert.next_at <= context.now).order_by(Alert.id)
    alerts = session.scalars(ready).unique().all()
    for alert in alerts:
        alert.looked_at = context.now
        alert.next_at = next_time(Cadence(alert.cadence), context.now, zone_of(person, place))
    if not alerts or not person.is_active or person.confirmed_at is None:
        return 0
    reader, told = _as_reader(session, context, person), _told(session, person)
    sections: list[tuple[Alert, Sequence[Match]]] = []
    for alert in alerts:
        new = _new(session, reader, alert, find, told, MOST_IN_A_LETTER - sum(len(found) for _, found in sections))
        told |= {match.listing.id for match in new}
        sections += [(alert, new)] if new else []
    if sections:
        _write(session, context, place, sections)
    session.flush()
    return sum(len(found) for _, found in sections)


def _told(session: Session, person: Person) -> set[int]:
    """What letters have told a person of; what an alert found when it began was on a page before them."""
    query = select(AlertMatch.listing_id).join(Alert, Alert.id == AlertMatch.alert_id)
    return set(session.scalars(query.where(Alert.person_id == person.id, AlertMatch.told_at > Alert.created_at)))


def _new(session: Session, reader: Context, alert: Alert, find: Find, told: set[int], at_most: int) -> Sequence[Match]:
    """What one alert finds that its reader has not been told of and does not own; it counts as told from now on."""
    known = set(session.scalars(select(AlertMatch.listing_id).where(AlertMatch.alert_id == alert.id)))
    try:
        found = find(session, reader, alert)
    except NotFound:  # the listing has ended or is hidden now
        return []
    fresh = [
        match
        for match in found
        if match.listing.id not in known
        and match.strength >= REVIEW
        and not reader.actor.belongs_to(match.listing.organisation_id)
    ]
    new = [match for match in fresh if match.listing.id not in told][: min(at_most, MOST_OF_AN_ALERT)]
    for match in [*new, *(match for match in fresh if match.listing.id in told)]:
        session.add(AlertMatch(alert_id=alert.id, listing_id=match.listing.id, told_at=reader.now))
    return new


def _as_reader(session: Session, context: Context, person: Person) -> Context:
    """The person as their letters may see the exchange: without the second factor, so without an operator's rights."""
    memberships, _ = organisations.belonging(session, person.id)
    return Context(Actor(person.name, Role.PERSON, person.id, memberships), context.now)


def _write(session: Session, context: Context, place: Place, sections: Sequence[tuple[Alert, Sequence[Match]]]) -> None:
    person = sections[0][0].person
    language = person.language or "vi"
    said = [(_section(place, language, alert, found), found) for alert, found in sections]
    values = {
        "exchange": place.exchange,
        "count": sum(len(found) for _, found in sections),
        "sections": "\n\n\n".join(section for section, _found in said),
    }
    parts: list[mail.Part] = []
    for section, found in said:
        parts.append(mail.Part(section, [_need(match) for match in found]))
        parts += [mail.Part(_line(place, language, match), [_need(match)]) for match in found]
    mail.write(
        session,
        context,
        key=f"alerts-{person.id}-{context.now:%Y%m%dt%H%M%S}",
        to=person.email,
        language=language,
        subject=_SUBJECT,
        text=_LETTER,
        values=values,
        unsubscribe=_stop(place, [alert for alert, _ in sections]),
        reader=person.id,
        parts=parts,
    )


def _need(match: Match) -> mail.Need:
    """What is asked again when a letter leaves: its words stand in it only as long as everybody may read them."""
    public = match.listing.visibility == Visibility.PUBLIC
    return ("public listing" if public else "listing", match.listing.id)


def _stop(place: Place, alerts: Sequence[Alert]) -> str:
    return f"{place.base}/alerts/stop/{token_for(alerts, place.key)}"


def _section(place: Place, language: str, alert: Alert, found: Sequence[Match]) -> str:
    path = f"/matches/{alert.listing_id}" if alert.listing_id else "/matches"
    return mail.said_in(language, _SECTION) % {
        "about": about(alert),
        "matches": "\n\n".join(_line(place, language, match) for match in found),
        "page": place.base + path + (f"?{alert.query}" if alert.query else ""),
        "stop": _stop(place, [alert]),
    }


def _line(place: Place, language: str, match: Match) -> str:
    """One match as a letter says it: letters lie about in mailboxes, so of what is not public only the number."""
    listing = match.listing
    public = listing.visibility == Visibility.PUBLIC
    title = listing.title if public else mail.said_in(language, _OF_MEMBERS) % {"number": listing.id}
    shared = ", ".join(list(match.reasons.shared_terms)[:4]) if public else ""
    line = mail.said_in(language, _LINE) % {
        "title": title,
        "strength": match.strength,
        "shared": mail.said_in(language, _SHARED) % {"words": shared} if shared else "",
        "link": f"{place.base}/{'needs' if listing.is_need else 'results'}/{listing.id}",
    }
    if not (public and match.reasons.quotes):
        return line
    quote = shorten(match.reasons.quotes[0].theirs, LONGEST_QUOTE, placeholder=" …")
    return f"{line}\n  {mail.said_in(language, _SAYS) % {'words': quote}}"


def about(alert: Alert) -> str:
    """What an alert is about, in few words of its own."""

    if alert.listing is not None:
        return alert.listing.title
    text = " ".join(parse_qs(alert.query).get("text", [""])[0].split())
    return text if len(text) <= 80 else text[:79] + "…"
