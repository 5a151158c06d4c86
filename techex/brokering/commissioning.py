"""From needs that nothing suits to a drafted proposal for a commissioned task.

No word is invented: the texts are those of the needs, between sentences of a template, and each says in brackets which
need it comes from. What a proposal may say of a firm is the firm's to decide: texts that not everybody reads come in
once it has agreed, and so does its name; who has not agreed is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from techex.brokering.commission_tables import Commission, CommissionConsent, CommissionNeed
from techex.core import audit
from techex.core.context import ANONYMOUS, Actor, Context
from techex.core.mail import said_in
from techex.core.text import clean, clean_line
from techex.core.vocabulary import FIELDS, N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.listings import queries
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing, ListingField
from techex.matching import surveyed
from techex.organisations.tables import Organisation
from techex.regions.service import place_name

MOST_NEEDS = 20  # of one proposal
MOST_OFFERS = 5
LEAST_STRENGTH = 10  # of a partial offer: of pairs below, fewer than one in ten fits in anything
MOST_INSTITUTES = 5
RESEARCH = ("university", "institute")
LIMITS: Mapping[str, tuple[int, int]] = {"title": (10, 300), "problem": (20, 20_000), "result": (20, 12_000)}


class Consent(StrEnum):
    """What a firm says to being named."""

    COUNTED = "counted"
    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"


CONSENTS: Mapping[Consent, str] = {
    Consent.COUNTED: N_("not asked yet: counted, not named"),
    Consent.ASKED: N_("asked: counted, not named"),
    Consent.AGREED: N_("agreed: named"),
    Consent.DECLINED: N_("declined: counted, not named"),
}
_TITLE = N_("Commissioned task: %(title)s")
_TITLE_OF_FIELD = N_("Commissioned task in the field of %(field)s")
_PROBLEM = N_(
    "Needs on the exchange that nothing listed there suits: %(needs)s, of organisations: %(firms)s, in: %(places)s."
)
_UNQUOTED = N_("Needs that are not public and whose owners have not agreed are counted and not quoted: %(count)s.")
_RESULT = N_("What has to be reached, as those who have the problem put it:")
_NO_RESULT = N_("The needs state no measurable result. Agree on one with those who have the problem.")


def may_keep(actor: Actor, places: Iterable[str]) -> bool:
    """Operators of one of the places of its needs keep a proposal."""
    return actor.is_operator and any(actor.operates_in(code) for code in places)


def get(session: Session, context: Context, commission_id: int) -> Commission:
    """A proposal that this operator keeps; NotFound whether it is absent or somebody else's."""
    found = session.get(Commission, commission_id)
    if found is None or not may_keep(context.actor, found.places):
        raise NotFound(Sentence(N_("There is no proposal number %(number)s here."), number=commission_id))
    return found


def kept(session: Session, context: Context) -> Sequence[Commission]:
    """All that this operator keeps, the newest first."""
    rows = session.scalars(select(Commission).order_by(Commission.id.desc())).unique()
    return [row for row in rows if may_keep(context.actor, row.places)]


def begin(session: Session, context: Context, needs: Sequence[int], language: str) -> Commission:
    """Draft a proposal from some needs. Raises BadInput without any, NotFound for one that the operator does not see,
    NotAllowed where none of them is of the operator's places.
    """
    numbers = sorted(set(needs))
    if not 0 < len(numbers) <= MOST_NEEDS:
        raise BadInput(Sentence(N_("Choose 1 to %(most)s needs."), most=MOST_NEEDS), "needs")
    rows = [listings.get_visible(session, context, number, Kind.NEED) for number in numbers]
    places = sorted({code for row in rows for code in row.place_codes})
    if not may_keep(context.actor, places):
        raise NotAllowed(Sentence(N_("At least one of the needs has to be of a place that you serve.")))
    field = _common_field(rows)
    offers = _partial_offers(session, context, numbers)
    made = Commission(
        language=language,
        field=field,
        places=places,
        offers=[list(offer) for offer in offers],
        institutes=_institutes(session, context, [number for number, _ in offers], field),
        person_id=context.actor.person_id,
        created_at=context.now,
        updated_at=context.now,
        need_rows=[CommissionNeed(listing=row) for row in rows],
        consents=[
            CommissionConsent(organisation=owner, state=Consent.COUNTED.value)
            for owner in {row.organisation_id: row.organisation for row in rows}.values()
        ],
        title="",
        problem="",
        result="",
    )
    _compose(made)
    session.add(made)
    session.flush()
    audit.record(session, context, "commission drafted", "commission", made.id, {"needs": numbers})
    return made


def _common_field(rows: Sequence[Listing]) -> str:
    """The field that most of them have."""
    counted: dict[str, int] = {}
    for row in rows:
        for code in row.fields:
            counted[code] = counted.get(code, 0) + 1
    return min(counted, key=lambda code: (-counted[code], code)) if counted else ""


def _partial_offers(session: Session, context: Context, needs: Sequence[int]) -> list[tuple[int, int]]:
    """The nearest results that everybody may read, by their best strength: a proposal is shown around."""
    best: dict[int, int] = {}
    for found in surveyed.nearest(session, Context(ANONYMOUS, context.now), needs).values():
        for offer, value in found:
            best[offer] = max(value, best.get(offer, 0))
    near = [row for row in best.items() if row[1] >= LEAST_STRENGTH]
    return sorted(near, key=lambda row: (-row[1], row[0]))[:MOST_OFFERS]


def _institutes(session: Session, context: Context, offers: Sequence[int], field: str) -> list[int]:
    """Research institutions that might take it on: owners of the nearest results, then those with most in the field."""
    reader = Context(ANONYMOUS, context.now)
    open_results = select(Listing.organisation_id, func.count()).where(
        *queries.shown(reader), queries.owner_known(reader), Listing.kind == Kind.OFFER.value
    )
    near = dict(session.execute(open_results.where(Listing.id.in_(offers)).group_by(Listing.organisation_id)).all())
    in_field = select(ListingField.listing_id).where(ListingField.code == field)
    most = session.execute(
        open_results.where(Listing.id.in_(in_field))
        .group_by(Listing.organisation_id)
        .order_by(func.count().desc(), Listing.organisation_id)
    ).all()
    ids = [*sorted(near, key=lambda number: (-near[number], number)), *(row[0] for row in most)]
    research = select(Organisation.id).where(Organisation.id.in_(ids), Organisation.kind.in_(RESEARCH))
    chosen = set(session.scalars(research))
    return [number for number in dict.fromkeys(ids) if number in chosen][:MOST_INSTITUTES]


def consent_of(commission: Commission, organisation_id: int) -> Consent:
    """What a firm said."""
    found = next((row for row in commission.consents if row.organisation_id == organisation_id), None)
    return Consent(found.state) if found else Consent.COUNTED


def may_quote(commission: Commission, need: Listing) -> bool:
    """True for the words of a need that everybody reads, unless its owner declined; for others once it agreed."""
    said = consent_of_owner(commission, need)
    return said is Consent.AGREED or (need.visibility == Visibility.PUBLIC and said is not Consent.DECLINED)


def consent_of_owner(commission: Commission, need: Listing) -> Consent:
    """What the owner of a need said; before a new proposal is stored its rows have no numbers yet."""
    found = next((row for row in commission.consents if row.organisation is need.organisation), None)
    return Consent(found.state) if found else consent_of(commission, need.organisation_id)


def _compose(commission: Commission) -> None:
    """Write title, problem and result from what may be quoted now."""
    language = commission.language
    needs = [row.listing for row in commission.need_rows]
    quoted = [need for need in needs if may_quote(commission, need)]

    def said(message: str, **values: object) -> str:
        return said_in(language, message) % values

    places = dict.fromkeys(place_name(need.place, language) for need in needs)
    title = said(_TITLE, title=_words(quoted[0], "title", language)) if quoted else _title_of_field(commission)
    firms = len({need.organisation_id for need in needs})
    problem = [said(_PROBLEM, needs=len(needs), firms=firms, places=", ".join(places))]
    problem += [_quote(need, ("problem", "summary"), language) for need in quoted]
    if len(quoted) < len(needs):
        problem.append(said(_UNQUOTED, count=len(needs) - len(quoted)))
    wanted = [_quote(need, ("required_result",), language) for need in quoted]
    wanted = [text for text in wanted if text]
    commission.title = title[: LIMITS["title"][1]]
    commission.problem = "\n\n".join(problem)
    commission.result = "\n\n".join([said(_RESULT), *wanted] if wanted else [said(_NO_RESULT)])


def _words(need: Listing, name: str, language: str) -> str:
    """A text of a need, in this language where it has one."""
    if language != need.language:
        other = (need.translations or {}).get(language, {}).get("values", {}).get(name)
        if other:
            return str(other)
    own = {"title": need.title, "summary": need.summary} | need.texts
    return own.get(name, "")


def _quote(need: Listing, names: Sequence[str], language: str) -> str:
    text = next((found for name in names if (found := _words(need, name, language))), "")
    return f"{text} {mark(need.id)}" if text else ""


def mark(number: int) -> str:
    """How a text says which need it comes from."""
    return f"[{number}]"


def without(text: str, numbers: Iterable[int]) -> str:
    """A text without the paragraphs that come from these needs."""
    marks = [mark(number) for number in numbers]
    return "\n\n".join(part for part in text.split("\n\n") if not any(one in part for one in marks))


def change(
    session: Session, context: Context, commission_id: int, revision: int, given: Mapping[str, Any]
) -> Commission:
    """Keep edited texts and which offers and institutes stay. Raises NotFound, Conflict, FieldErrors."""
    found = _to_change(session, context, commission_id, revision)
    texts, errors = {}, {}
    for name, (shortest, longest) in LIMITS.items():
        try:
            text = (clean_line if name == "title" else clean)(str(given.get(name, "")), name)
        except BadInput as error:
            errors[name] = error.sentence
            continue
        if not shortest <= len(text) <= longest:
            pattern = N_("has %(count)s characters; expected %(shortest)s to %(longest)s.")
            errors[name] = Sentence(pattern, count=len(text), shortest=shortest, longest=longest)
        texts[name] = text
    if errors:
        raise FieldErrors(errors)
    for name, text in texts.items():
        setattr(found, name, text)
    offers, institutes = (set(given.get(name, ())) for name in ("offers", "institutes"))
    found.offers = [row for row in found.offers if row[0] in offers]
    found.institutes = [number for number in found.institutes if number in institutes]
    return _keep(session, context, found, "commission changed")


def redraft(session: Session, context: Context, commission_id: int, revision: int) -> Commission:
    """Write the texts anew from what may be quoted now; edits of them are lost."""
    found = _to_change(session, context, commission_id, revision)
    _compose(found)
    return _keep(session, context, found, "commission drafted again")


def remove(session: Session, context: Context, commission_id: int, revision: int) -> None:
    """Throw a proposal away."""
    found = _to_change(session, context, commission_id, revision)
    session.delete(found)
    audit.record(session, context, "commission removed", "commission", commission_id, {})


def _to_change(session: Session, context: Context, commission_id: int, revision: int) -> Commission:
    found = get(session, context, commission_id)
    if found.revision != revision:
        raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now.")))
    return found


def _keep(session: Session, context: Context, commission: Commission, verb: str) -> Commission:
    commission.updated_at = context.now
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now."))) from error
    audit.record(session, context, verb, "commission", commission.id, {})
    return commission


def without_needs(commission: Commission, needs: Sequence[Listing]) -> None:
    """Take what was quoted of some needs out of the texts."""
    numbers = [need.id for need in needs]
    commission.problem, commission.result = (without(text, numbers) for text in (commission.problem, commission.result))
    if any(title and title in commission.title for need in needs for title in _titles(need)):
        commission.title = _title_of_field(commission)


def _title_of_field(commission: Commission) -> str:
    field = FIELDS.get(commission.field, "")
    name = said_in(commission.language, field) if field else "–"
    return said_in(commission.language, _TITLE_OF_FIELD) % {"field": name}


def _titles(need: Listing) -> list[str]:
    others = (need.translations or {}).values()
    return [need.title, *(str(one.get("values", {}).get("title") or "") for one in others)]


def data_of(session: Session, person_id: int) -> dict[str, Any]:
    """What a person drafted and answered, for that person."""
    drafted = session.scalars(select(Commission).where(Commission.person_id == person_id).order_by(Commission.id))
    said = session.scalars(select(CommissionConsent).where(CommissionConsent.person_id == person_id))
    return {
        "commissions": [
            {"number": row.id, "title": row.title, "at": row.created_at.isoformat()} for row in drafted.unique()
        ],
        "consents": [
            {"commission": row.commission_id, "state": row.state, "at": row.answered_at and row.answered_at.isoformat()}
            for row in said.unique()
        ],
    }
