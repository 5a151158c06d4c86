"""A year of invented brokering for the demo exchange, made by the real verbs at moments that have passed.

Who asks whom follows the judged pairs of the demo; what becomes of it and when follows from the names of both listings,
so that it is the same in every installation. Nothing of it is sent by letter.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from techex.accounts.demo import is_demo
from techex.accounts.service import House
from techex.brokering import agreement_paper, agreements, deals, papers, service, talk
from techex.brokering.course_tables import DealParticipant
from techex.brokering.deal_tables import Deal, DealMessage, DealStep
from techex.brokering.paper_tables import DealPaper, DealPaperVersion
from techex.brokering.pipeline import VALUE_BANDS
from techex.brokering.pipeline import Verb as DealVerb
from techex.brokering.rules import Verb
from techex.brokering.service import Draft
from techex.brokering.tables import Interest, InterestStep
from techex.core.context import COMMAND_LINE, Actor, Context, MemberRole, Membership, Role
from techex.core.database import Database
from techex.core.mail import Letter
from techex.core.vocabulary import TRANSFER_FORMS
from techex.errors import Conflict
from techex.interchange.demo import demo_exchange
from techex.listings.tables import Listing
from techex.matching.verdicts import Refusal
from techex.organisations.tables import Organisation
from techex.regions.rules import HOME_COUNTRY

NAME = "demo exchange"
LATELY_DAYS = 15  # one in eight was sent within so many, so that something waits
_HOUSE = House(NAME, lambda *_, **__: "")
_WHO = {
    "vi": "(Ví dụ minh họa.) Chúng tôi làm việc trong lĩnh vực này hơn mười năm, có đội ngũ kỹ thuật riêng và đã cùng "
    "các đối tác trong nước đưa ba công nghệ vào vận hành; chúng tôi có mặt bằng để thử nghiệm.",
    "en": "(Illustrative.) We have worked in this field for more than ten years, with engineers of our own, and have "
    "brought three technologies into operation together with partners; there is room for a trial on our site.",
}
_WHY = {
    "vi": "(Ví dụ minh họa.) Nội dung tin của quý vị gần với điều chúng tôi đang tìm. Chúng tôi mong được trao đổi về "
    "điều kiện thử nghiệm trong vụ tới, các thông số đã đo được và hình thức chuyển giao phù hợp với hai bên.",
    "en": "(Illustrative.) Your listing is close to what we are looking for. We would like to talk about the "
    "conditions of a trial next season, the figures that were measured and a form of transfer that suits both sides.",
}
_HELLO = {
    "vi": "(Ví dụ minh họa.) Xin chào, chúng tôi gửi lịch hẹn thử nghiệm trong tuần tới.",
    "en": "(Illustrative.) Good morning, here are our dates for a trial next week.",
}

_TERMS = {
    "languages": "both",
    "years": "5",
    "law": HOME_COUNTRY,
    "place": "Hà Nội",
    "person_a": "(minh họa, illustrative)",
    "capacity_a": "Giám đốc",
    "person_b": "(minh họa, illustrative)",
    "capacity_b": "Viện trưởng",
}


@dataclass(frozen=True)
class _Pair:
    """Two listings that were judged to fit, and what chance says of them."""

    need: Listing
    offer: Listing
    grade: int

    def chance(self, of: str) -> float:
        """A number from 0 to 1 that depends on both listings and on what it is for."""
        text = f"{self.need.external_id} {self.offer.external_id} {of}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32

    def days(self, of: str, least: float, most: float) -> timedelta:
        """A while between so many days."""
        return timedelta(days=least + (most - least) * self.chance(of))

    def one_of(self, of: str, choices: list[str]) -> str:
        """One of the choices."""
        return choices[int(self.chance(of) * len(choices))]


def load(database: Database, context: Context, data_dir: Path | None = None) -> int:
    """Bring the history in; returns how many expressions of interest. Nothing where this is no demo, or has some.

    Agreements on confidentiality are files below `data_dir`; without it the deals go on without one.
    """
    with database.transaction() as session:
        there = select(Interest.id).join(Listing, Listing.id == Interest.listing_id).where(Listing.illustrative)
        if not is_demo(session) or session.scalar(there.limit(1)) is not None:
            return 0
        letters = session.scalar(select(func.max(Letter.id))) or 0
        _live(session, context.now, [_life(session, context.now, pair, data_dir) for pair in _pairs(session)])
        session.execute(delete(Letter).where(Letter.id > letters))
        return session.scalar(select(func.count()).select_from(there.subquery())) or 0


def remove(session: Session) -> None:
    """Take everything away that was asked of illustrative listings or by illustrative organisations."""
    invented = select(Listing.id).where(Listing.illustrative)
    inventors = select(Organisation.id).where(Organisation.illustrative)
    of_demo = or_(
        *(Interest.listing_id.in_(invented), Interest.own_listing_id.in_(invented)),
        *(Interest.sender_id.in_(inventors), Interest.receiver_id.in_(inventors)),
    )
    gone = select(Interest.id).where(of_demo)
    gone_deals = select(Deal.id).where(Deal.interest_id.in_(gone))
    of_deals = select(DealPaper.id).where(DealPaper.deal_id.in_(gone_deals))
    session.execute(delete(DealPaperVersion).where(DealPaperVersion.paper_id.in_(of_deals)))
    for table in (DealPaper, DealMessage, DealStep):
        session.execute(delete(table).where(table.deal_id.in_(gone_deals)))
    session.execute(delete(Deal).where(Deal.interest_id.in_(gone)))
    session.execute(delete(InterestStep).where(InterestStep.interest_id.in_(gone)))
    session.execute(delete(Interest).where(of_demo))


def named(session: Session) -> list[int]:
    """Organisations that deals name as further participants: after `remove`, those of real deals, which go on."""
    found = select(DealParticipant.organisation_id).where(DealParticipant.organisation_id.is_not(None)).distinct()
    return [number for number in session.scalars(found) if number is not None]


def _pairs(session: Session) -> list[_Pair]:
    rows = session.scalars(select(Listing).where(Listing.illustrative, Listing.published_at.is_not(None)))
    known = {str(listing.external_id): listing for listing in rows.unique()}
    return [
        _Pair(known[judged.need], known[offer], grade)
        for judged in demo_exchange().judgements
        for offer, grade in sorted(judged.grades.items())
        if grade and judged.need in known and offer in known
        if known[judged.need].organisation_id != known[offer].organisation_id
    ]


def _live(session: Session, now: datetime, lives: list[Iterator[datetime]]) -> None:
    """Let all go on side by side in the order of time, until now: what would come later has not happened yet."""
    waiting: list[tuple[datetime, int]] = []

    def go_on(number: int) -> None:
        moment = next(lives[number], None)
        if moment is not None and moment < now:
            heapq.heappush(waiting, (moment, number))

    for number in range(len(lives)):
        go_on(number)
    while waiting:
        go_on(heapq.heappop(waiting)[1])


class _People:
    """Who acts for both sides of a pair and who brokers between them."""

    def __init__(self, pair: _Pair) -> None:
        # Whoever has a result asks a little more often than whoever needs one.
        self.listing, self.own = (pair.need, pair.offer) if pair.chance("who") < 0.6 else (pair.offer, pair.need)
        self.sender, self.receiver = (_member(listing.organisation) for listing in (self.own, self.listing))
        codes = (*self.listing.place_codes, self.own.organisation.place.code)
        self.operator = Actor(NAME, Role.PERSON, places=frozenset(codes), second_factor=True)
        self.language = "vi" if self.own.organisation.country == HOME_COUNTRY else "en"


def _member(organisation: Organisation) -> Actor:
    return Actor(NAME, Role.PERSON, memberships=(Membership(organisation.id, MemberRole.MANAGER, True),))


def _life(session: Session, now: datetime, pair: _Pair, data_dir: Path | None) -> Iterator[datetime]:
    """One expression of interest: yields the moment of each step, and takes it once it goes on."""
    people = _People(pair)
    published = max(listing.published_at or now for listing in (pair.need, pair.offer))
    since = now - published - timedelta(days=1)
    at = published + timedelta(days=1) + since * pair.chance("sent") ** 3  # sooner rather than later
    if pair.chance("lately") < 0.12 and since.days > LATELY_DAYS:
        at = now - pair.days("lately sent", 0.1, LATELY_DAYS)
    if since.days < 1:
        return
    yield at
    texts = {"who": _WHO[people.language], "why": _WHY[people.language]}
    draft = Draft(texts, people.language)
    sending = Context(people.sender, at)
    try:
        one = service.send(session, sending, _HOUSE, people.listing.id, people.own.organisation, draft, people.own.id)
    except Conflict:  # the week's number is used up, or this listing has been asked about
        return

    def take(who: Actor, verb: Verb, reason: str = "") -> None:
        service.take(session, Context(who, at), _HOUSE, one.id, verb, reason=reason)

    fate = pair.chance("fate") + (0.3 if pair.grade == 1 else 0.0)
    at += pair.days("screen", 0.1, 2)
    yield at
    take(people.operator, Verb.SCREEN)
    at += pair.days("forward", 0.05, 1)
    yield at
    if pair.chance("refused") < 0.05:
        take(people.operator, Verb.REFUSE, Refusal.DESCRIPTION_UNCLEAR.value)
        return
    try:
        take(people.operator, Verb.FORWARD)
    except Conflict:  # the receiver has too many before them: it waits
        return
    if fate > 1.0:
        assert one.due is not None  # noqa: S101 - what is with its receiver has a day
        at = max(at, datetime.combine(one.due, at.timetz())) + timedelta(days=2)  # over in every time zone
        yield at
        take(COMMAND_LINE, Verb.LAPSE)
        return
    at += pair.days("answer", 0.5, 11)
    yield at
    if fate > 0.75:
        found = [reason.value for reason in Refusal if reason is not Refusal.OTHER]
        take(people.receiver, Verb.DECLINE, pair.one_of("reason", found))
    elif fate > 0.7:
        take(people.sender, Verb.WITHDRAW)
    else:
        take(people.receiver, Verb.ACCEPT)
        deal = deals.of_interest(session, one)
        assert deal is not None  # noqa: S101 - accepting opened it
        yield from _deal(session, pair, people, deal.id, at, data_dir)


def _deal(
    session: Session, pair: _Pair, people: _People, number: int, at: datetime, data_dir: Path | None
) -> Iterator[datetime]:
    """What becomes of a deal, from the introduction on."""
    fate = pair.chance("deal")

    def take(who: Actor, verb: DealVerb, given: Mapping[str, str] | None = None) -> None:
        deals.take(session, Context(who, at), number, verb, given=given)

    at += pair.days("introduce", 0.2, 2.5)
    yield at
    take(people.operator, DealVerb.INTRODUCE)
    if fate < 0.22:
        return  # nobody calls: a silent deal
    at += pair.days("hello", 0.5, 4)
    yield at
    deals.write_message(session, Context(people.sender, at), number, _HELLO[people.language], people.language)
    if data_dir is not None:
        for name, side, most in (("secret", people.sender, 4.0), ("secret too", people.receiver, 6.0)):
            at += pair.days(name, most / 4, most)
            yield at
            _agree(session, Context(side, at), number, data_dir)
    steps: list[tuple[str, Actor, DealVerb, float, Mapping[str, str] | None]] = [
        ("evaluate", people.receiver, DealVerb.EVALUATE, 10, None),
    ]
    if fate < 0.42:
        lost = {"reason": pair.one_of("lost", [Refusal.TERMS_OR_PRICE, Refusal.CAPACITY_OR_TIMING, Refusal.TOO_EARLY])}
        steps.append(("lose", people.receiver, DealVerb.LOSE, 25, lost))
    else:
        steps += [
            ("negotiate", people.sender, DealVerb.NEGOTIATE, 14, None),
            ("draw up", people.sender, DealVerb.DRAW_UP, 12, _contract(pair)),
            ("confirm", people.sender, DealVerb.CONFIRM, 3, None),
            ("confirm too", people.receiver, DealVerb.CONFIRM, 6, None),
        ]
    for name, who, verb, most, given in steps:
        at += pair.days(name, most / 4, most)
        yield at
        take(who, verb, given)
    if fate >= 0.42:
        yield from _in_use(session, pair, people, number, at)


def _agree(session: Session, context: Context, number: int, data_dir: Path) -> None:
    """One side reads the agreement, which the first one proposes, and accepts it."""
    deal = session.get_one(Deal, number)
    if talk.disclosed(deal).agreement is None:
        terms = agreement_paper.checked(_TERMS)
        made = agreement_paper.paper(agreements.parties(deal, NAME), terms)
        agreements.propose(session, context, data_dir, number, "agreement.pdf", made, "vi", terms.as_dict())
    agreement, paper = talk.disclosed(deal).agreement, agreements.of_deal(session, deal)
    assert agreement is not None  # noqa: S101 - it was proposed above
    assert paper is not None  # noqa: S101 - the same
    papers.look(session, context, number, paper.number, agreement.version)
    signer = (_TERMS["person_a"], _TERMS["capacity_a"])
    agreements.accept(session, context, number, agreement.digest, *signer)


def _in_use(session: Session, pair: _Pair, people: _People, number: int, at: datetime) -> Iterator[datetime]:
    """A contract that has been signed: registered where it must be, mostly, and brought into use."""
    if deals.standing(session.get_one(Deal, number)).obliged:
        if pair.chance("registered") < 0.4:
            return
        at += pair.days("register", 15, 45)
        yield at
        given = {"registration": f"{int(100 + 900 * pair.chance('number'))}/{at.year}/GCN-VD"}
        deals.take(session, Context(people.receiver, at), number, DealVerb.REGISTER, given=given)
    at += pair.days("implement", 15, 50)
    yield at
    deals.take(session, Context(people.receiver, at), number, DealVerb.IMPLEMENT)


def _contract(pair: _Pair) -> dict[str, str]:
    origin, application = pair.offer.place, pair.need.place
    return {
        "value_band": pair.one_of("band", list(VALUE_BANDS)[:4]),
        "currency": "VND" if origin.country == application.country == HOME_COUNTRY else "USD",
        "transfer_form": pair.one_of("form", list(TRANSFER_FORMS)),
        "origin": origin.code,
        "application": application.code,
        "state_money": "yes" if pair.chance("state") < 0.3 else "",
    }
