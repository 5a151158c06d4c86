"""The evidence table of a pair: each requirement of a need with the offer's best sentence, and a verdict.

No text is made up: every word comes from one of the two listings or from a message template. A figure decides where
there is one; a sentence without figures can show that something is stated, never that it is contradicted.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import numpy as np

from techex.core.vocabulary import N_
from techex.embedding.passages import digest_of
from techex.listings.rules import Kind, ListingDraft
from techex.listings.tables import Listing
from techex.matching.alignment import Alignment, Vectors, align
from techex.matching.declared import declared_facts
from techex.matching.requirements import Requirement, requirements_of
from techex.matching.rules import Fact
from techex.matching.scoring import evened
from techex.matching.statements import Statement, statements_of
from techex.quantities.agreement import Agreement, comparable, compare
from techex.quantities.measured import Better, better_of, kinds_of
from techex.quantities.reading import Quantity
from techex.quantities.words import Relation
from techex.regions.rules import Place
from techex.search.collection import Centring

Verdict = Literal["met", "contradicts", "not_stated"]
Encode = Callable[[Sequence[str]], Vectors]  # texts of listings to unit vectors, one row each

# A sentence is cited where its score, and twice its lead over the next one, together reach this: then 89 % of the
# citations are right (of all best sentences 77 %), and 70 % of the requirements have one. Without a figure, a cited
# sentence also means that the requirement is met.
CITED = 0.40
LEAD = 2.0
# Within a pair some sentence is always the nearest. One without figures answers only if it were like the requirement
# among all texts, too: by this cosine of centred vectors. Rows that read "met" by words where a pair fits and where it
# does not (778 and 1,533 of the demo): 20 and 12 % without, 18 and 7 % at .2, 17 and 4 % at .25, 15 and 3 % at .3.
ALIKE_ANYWHERE = 0.25

VECTORS_KEPT = 20_000  # 30 MB at 384 numbers: the sentences of some 500 offers
TABLES_KEPT = 500

ASK = N_("The result does not say this. Ask: does it hold that “%(asked)s”?")
ASK_FIGURE = N_("No figure is given. Ask: which one is reached, where “%(asked)s” is asked?")
ASK_RANGE = N_("“%(offered)s” may or may not satisfy “%(asked)s”. Ask: under which conditions does it?")
GAP = N_("%(offered)s where %(asked)s is asked")


@dataclass(frozen=True)
class Message:
    """A template for gettext and the words of the listings that fill it."""

    template: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Side:
    """One listing of a pair: its language, its values by names of listings' FIELDS, its place."""

    language: str
    values: Mapping[str, Any]
    place: Place | None = None

    @property
    def texts(self) -> dict[str, str]:
        """Its texts by field, those that are empty left out."""
        return {name: value for name, value in self.values.items() if isinstance(value, str) and value.strip()}

    @property
    def digest(self) -> str:
        """Names its contents: equal sides make equal tables."""
        content = repr((self.language, self.place, sorted(self.values.items(), key=lambda item: item[0])))
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Check:
    """One asked figure and the offered one it was held against; None where the offer gives none."""

    asked: Quantity
    offered: Quantity | None
    verdict: Verdict
    gap: float = 0.0  # by how much it is missed, as a share of what is asked
    statement: int = -1  # which sentence the offered figure stands in

    @property
    def message(self) -> Message | None:
        """What is missed, in the words of both sides: "60 °C where at least 80 °C is asked"."""
        if self.verdict != "contradicts" or self.offered is None:
            return None
        return Message(GAP, {"offered": self.offered.text, "asked": self.asked.text})


@dataclass(frozen=True)
class Cited:
    """A sentence of the offer, in its own language, and the field it stands in."""

    field: str
    text: str
    language: str


@dataclass(frozen=True)
class Row:
    """A requirement, the offer's best sentence for it, the verdict, and the question where it is open."""

    requirement: Requirement
    verdict: Verdict
    score: float  # of the best sentence; comparable within one table
    cited: Cited | None = None
    checks: Sequence[Check] = ()
    question: Message | None = None

    @property
    def by_words(self) -> bool:
        """True where a sentence counts as an answer and no figure shows it: for a reader to judge."""
        return self.verdict == "met" and all(check.verdict == "not_stated" for check in self.checks)


@dataclass(frozen=True)
class Table:
    """All rows of a pair, in the need's order, and the facts of both forms."""

    rows: Sequence[Row]
    facts: Sequence[Fact]
    need_language: str
    offer_language: str

    def count(self, verdict: Verdict) -> int:
        """How many rows have this verdict."""
        return sum(row.verdict == verdict for row in self.rows)


@dataclass(frozen=True)
class Gap:
    """The requirement that fails, and by how much: `share` of what is asked, 0..; `message` says it."""

    row: Row
    check: Check
    share: float
    message: Message


class EvidenceTables:
    """Makes evidence tables; keeps vectors by text and tables by contents. One per worker; safe between threads.

    `centring` gives what the vectors of all texts have in common.
    """

    def __init__(self, encode: Encode, centring: Callable[[], Centring]) -> None:
        self._encode, self._centring = encode, centring
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._tables: OrderedDict[tuple[str, str, str], Table] = OrderedDict()
        self._lock = Lock()

    def table(self, need: Side, offer: Side) -> Table:
        """The evidence table of a pair."""
        centring = self._centring()
        key = (need.digest, offer.digest, centring.version)
        with self._lock:
            if key in self._tables:
                self._tables.move_to_end(key)
                return self._tables[key]
        made = self._made(need, offer, centring)
        with self._lock:
            self._tables[key] = made
            while len(self._tables) > TABLES_KEPT:
                self._tables.popitem(last=False)
        return made

    def nearest_gap(self, need: Side, offer: Side) -> Gap | None:
        """The requirement of which the offer falls short, the widest gap first; None where no figure contradicts."""
        gaps = [
            Gap(row, check, check.gap, check.message)
            for row in self.table(need, offer).rows
            for check in row.checks
            if check.message is not None
        ]
        return max(gaps, key=lambda gap: gap.share, default=None)

    def _made(self, need: Side, offer: Side, centring: Centring) -> Table:
        requirements = requirements_of(need.texts, need.language)
        statements = statements_of(offer.texts, offer.language)
        facts = declared_facts(need.values, offer.values, need.place, offer.place)
        if not requirements or not statements:
            rows = [_unanswered(requirement) for requirement in requirements]
            return Table(rows, facts, need.language, offer.language)
        texts = [requirement.text for requirement in requirements]
        vectors = self._rows([*texts, *(clause for one in statements for clause in one.clauses)])
        asked, clauses = vectors[: len(texts)], vectors[len(texts) :]
        there = centring.apply(asked, need.language, Kind.NEED, "short")
        here = centring.apply(clauses, offer.language, Kind.OFFER, "short")
        same = np.full(len(clauses), need.language == offer.language)
        alignment = align(requirements, statements, asked, clauses, evened(there @ here.T, same))
        rows = [
            _row(number, requirements, statements, alignment, offer.language) for number in range(len(requirements))
        ]
        return Table(rows, facts, need.language, offer.language)

    def _rows(self, texts: Sequence[str]) -> Vectors:
        digests = [digest_of(text) for text in texts]
        with self._lock:
            known = {digest: self._vectors[digest] for digest in digests if digest in self._vectors}
        missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        if missing:
            known |= dict(zip(missing, self._encode(list(missing.values())), strict=True))
        with self._lock:
            for digest in digests:
                self._vectors[digest] = known[digest]
                self._vectors.move_to_end(digest)
            while len(self._vectors) > VECTORS_KEPT:
                self._vectors.popitem(last=False)
        return np.stack([known[digest] for digest in digests])


def side_of_draft(draft: ListingDraft) -> Side:
    """The side that a checked draft would be."""
    return Side(draft.language, dict(draft.values), Place(draft.country, draft.province))


def side_of(listing: Listing) -> Side:
    """The side that a stored listing is."""
    values = {name: getattr(listing, name) for name in _COLUMNS} | dict(listing.texts)
    values |= {"partner_kinds": listing.body.get("partner_kinds"), "organisation_kind": listing.kind_of_owner}
    return Side(listing.language, values | {"title": listing.title, "summary": listing.summary}, listing.place)


_COLUMNS = (
    *("trl", "transfer_forms", "fields", "reach", "budget_min", "budget_max"),
    *("price", "currency", "deadline", "validity"),
)


def _unanswered(requirement: Requirement) -> Row:
    checks = [Check(quantity, None, "not_stated") for quantity in _asked(requirement)]
    return Row(requirement, "not_stated", 0.0, None, checks, _question(requirement, checks))


def _row(
    number: int,
    requirements: Sequence[Requirement],
    statements: Sequence[Statement],
    alignment: Alignment,
    language: str,
) -> Row:
    requirement = requirements[number]
    scores = alignment.scores[number]
    best = int(np.argmax(scores))
    checks = [_check(quantity, number, requirements, statements, alignment) for quantity in _asked(requirement)]
    decided = [check for check in checks if check.verdict != "not_stated"]
    lead = float(scores[best] - np.partition(scores, -2)[-2]) if len(scores) > 1 else float(scores[best])
    cited = best if scores[best] + LEAD * lead >= CITED else None
    if any(check.verdict == "contradicts" for check in decided):
        verdict: Verdict = "contradicts"
        cited = next(check.statement for check in decided if check.verdict == "contradicts")
    elif decided:
        verdict = "met"
        if cited is None or best not in {check.statement for check in decided}:
            cited = max((check.statement for check in decided), key=lambda statement: scores[statement])
    else:
        if not checks and cited is not None and alignment.world[number, cited] < ALIKE_ANYWHERE:
            cited = None
        verdict = "not_stated" if checks or cited is None else "met"
    return Row(
        requirement,
        verdict,
        float(scores[best]),
        None if cited is None else Cited(statements[cited].field, statements[cited].text, language),
        checks,
        _question(requirement, checks) if verdict == "not_stated" else None,
    )


def _asked(requirement: Requirement) -> list[Quantity]:
    """The figures that are asked for: those with a bound or a known direction, or else the first bare one."""
    bound = [
        quantity
        for quantity in requirement.quantities
        if quantity.relation not in (Relation.EXACTLY, Relation.ABOUT) and not quantity.baseline
    ]
    return bound or [
        quantity
        for quantity in requirement.quantities[:1]
        if not quantity.baseline and not (requirement.describes_surroundings and better_of(quantity) is Better.NEITHER)
    ]


# How sure it must be that two figures are about the same thing before they are held against each other, and how much
# surer where one is easily something else: a figure of a comparing sentence, or an asked one without a bound.
SAME_THING = 0.35
DOUBTFUL = 0.10
# Both name the same measured thing ("accuracy", "payback").
NAMED = 0.15
# Half of how well the sentence answers the requirement as a whole.
OF_THE_SENTENCE = 0.5
# Among figures nearly as sure, one that satisfies is enough.
AS_SURE = 0.08


@dataclass(frozen=True)
class _Candidate:
    """An offered figure that an asked one may be held against."""

    sure: float
    needed: float
    agreement: Agreement
    offered: Quantity
    statement: int


def _check(
    asked: Quantity,
    number: int,
    requirements: Sequence[Requirement],
    statements: Sequence[Statement],
    alignment: Alignment,
) -> Check:
    bare = asked.relation in (Relation.EXACTLY, Relation.ABOUT)
    surroundings = requirements[number].describes_surroundings
    found: list[_Candidate] = []
    for index, statement in enumerate(statements):
        for offered in statement.quantities:
            if not comparable(asked, offered):
                continue
            sure = _same_thing(asked, offered, number, index, statement, alignment)
            needed = SAME_THING + DOUBTFUL * (statement.compares + bare)
            found.append(_Candidate(sure, needed, compare(asked, offered, surroundings), offered, index))
    found = [one for one in found if one.sure >= SAME_THING]
    if not found:
        return Check(asked, None, "not_stated")
    surest = max(one.sure for one in found)
    near = [one for one in found if one.sure >= surest - AS_SURE]
    met = [one for one in near if one.agreement.holds == "met"]
    chosen = max(met or near, key=lambda one: one.sure)
    if chosen.agreement.holds == "contradicts":
        taken = chosen.sure < chosen.needed or _meant_by_another(chosen, number, requirements, statements, alignment)
        return Check(asked, None, "not_stated") if taken else _checked(asked, chosen, "contradicts")
    return _checked(asked, chosen, "met" if chosen.agreement.holds == "met" else "not_stated")


def _checked(asked: Quantity, chosen: _Candidate, verdict: Verdict) -> Check:
    return Check(asked, chosen.offered, verdict, chosen.agreement.gap, chosen.statement)


def _meant_by_another(
    chosen: _Candidate,
    number: int,
    requirements: Sequence[Requirement],
    statements: Sequence[Statement],
    alignment: Alignment,
) -> bool:
    """Whether the figure answers another requirement better: lead, where cadmium is asked for beside it."""
    statement = statements[chosen.statement]
    return any(
        comparable(quantity, chosen.offered)
        and _same_thing(quantity, chosen.offered, other, chosen.statement, statement, alignment) > chosen.sure
        for other, requirement in enumerate(requirements)
        if other != number
        for quantity in requirement.quantities
    )


def _same_thing(
    asked: Quantity, offered: Quantity, number: int, index: int, statement: Statement, alignment: Alignment
) -> float:
    """How sure it is that two comparable figures are about the same thing."""
    clause = next(
        (at for at, text in enumerate(statement.clauses) if offered.clause in text or text in offered.clause), None
    )
    near = alignment.likeness(number, index, clause) if clause is not None else 0.0
    named = NAMED if kinds_of(asked) & kinds_of(offered) else 0.0
    return near + named + OF_THE_SENTENCE * float(alignment.scores[number][index])


def _question(requirement: Requirement, checks: Sequence[Check]) -> Message:
    for check in checks:
        if check.verdict == "not_stated" and check.offered is not None:
            return Message(ASK_RANGE, {"offered": check.offered.text, "asked": check.asked.text})
    if checks:
        return Message(ASK_FIGURE, {"asked": requirement.text})
    return Message(ASK, {"asked": requirement.text})
