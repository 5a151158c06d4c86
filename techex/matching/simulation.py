"""What verdicts would teach, tried on judged sets: simulated readers judge half of the needs, the others are measured.

A reader reads a list from the top and says of each listing what the judgments say, now and then the wrong thing. Lists
are those of the bare ranking, so a fit that it does not show is never learned from: as it would be in an exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from techex.embedding.encoders import Encoder
from techex.embedding.languages import detect
from techex.errors import BadInput
from techex.interchange.demo import DemoExchange
from techex.listings.rules import BODY_FIELDS, Kind
from techex.matching import learning, metrics, ranking
from techex.matching.asked import text_query
from techex.matching.evaluation import Indexed
from techex.matching.gold import GoldSet
from techex.matching.heeding import Said
from techex.matching.judged import JudgedSet
from techex.matching.learned import NOTHING
from techex.matching.learning import Case, Compared, Step
from techex.matching.ranking import Ranking
from techex.search.collection import Raw

Progress = Callable[[int, int], None]

# Verdicts that say the opposite of what is judged: what is known of how often two experts disagree.
NOISE = 0.1
# A reader who looks for one match stops at the first fit, or here; one who screens a list judges all of its head.
SEARCHED, SCREENED = 10, 5
# Grades from here on mean "fit" where a set has more than one good grade; those below mean "partly".
FIT_GRADE = 2


@dataclass(frozen=True)
class Round:
    """One division of the needs: what was learned from one half, and nDCG@10 of the other before and after."""

    verdicts: int
    fits: int
    unseen: Compared
    steps: Sequence[Step] = field(default=())


@dataclass(frozen=True)
class Simulation:
    """All rounds of one set."""

    needs: int
    documents: int
    rounds: Sequence[Round]

    @property
    def before(self) -> float:
        """Mean nDCG@10 of unseen needs without learning."""
        return float(np.mean([each.unseen.before for each in self.rounds]))

    @property
    def after(self) -> float:
        """Mean nDCG@10 of unseen needs with what was accepted."""
        return float(np.mean([each.unseen.after for each in self.rounds]))


def cases_of(judged: JudgedSet, encoder: Encoder, progress: Progress | None = None, *, raw: bool = False) -> list[Case]:
    """The judged queries of a set with everything that is judged of them, grades as verdicts (1, one half, 0).

    `raw` leaves vectors as the model gives them, without centring.
    """
    indexed = Indexed.of(judged.documents, encoder, progress)
    partition = indexed.partition(Raw() if raw else indexed.learned(encoder))
    numbers = {document.id: number for number, document in enumerate(judged.documents, 1)}
    most = max(grade for grades in judged.grades.values() for grade in grades.values())
    fit = min(FIT_GRADE, most)
    cases = []
    for query in judged.judged_queries:
        grades = {
            numbers[document]: 1.0 if grade >= fit else 0.5 if grade > 0 else 0.0
            for document, grade in judged.grades[query.id].items()
            if document in numbers
        }
        cases.append(Case(text_query(query.text, encoder).centred(indexed.centring), (partition,), grades))
    return cases


def cases_of_demo(gold: GoldSet) -> list[Case]:
    """The needs of the demo exchange for which something fits, with its judgments as verdicts."""
    numbers = {key: number for number, key in enumerate(gold.names, 1)}
    said = [(need, {numbers[key]: grade / 2 for key, grade in need.grades.items()}) for need in gold.needs]
    cases = [Case(need.query, (gold.offers,), grades) for need, grades in said]
    return [case for case in cases if case.has_fit]


def simulate(
    cases: Sequence[Case],
    *,
    verdicts: int,
    rounds: int,
    noise: float = NOISE,
    screening: bool = False,
    progress: Progress | None = None,
) -> Simulation:
    """Divide the needs in two, `rounds` times; draw at most `verdicts` in one half, learn, measure the other.

    Readers stop at the first fit among SEARCHED listings, or with `screening` judge all of the first SCREENED.
    """
    done = []
    for number in range(rounds):
        rng = np.random.default_rng(number)
        order = rng.permutation(len(cases))
        seen, unseen = order[: len(order) // 2], order[len(order) // 2 :]
        judged = read([cases[at] for at in seen], verdicts, noise, screening, rng)
        given = sum(len(case.grades) for case in judged)
        candidate = learning.learn(judged, given)
        left = [cases[at] for at in unseen]
        before = [case.ndcg(case.ranked(NOTHING)) for case in left]
        after = [case.ndcg(case.ranked(candidate.learned)) for case in left]
        fits = sum(grade > 0 for case in judged for grade in case.grades.values())
        compared = Compared(len(left), float(np.mean(before)), float(np.mean(after)))
        done.append(Round(given, fits, compared, candidate.steps))
        if progress:
            progress(number + 1, rounds)
    return Simulation(len(cases), sum(len(part) for part in cases[0].partitions), done)


def texts_of(judged: JudgedSet) -> dict[int, tuple[str, str]]:
    """Text and language of each document, by the number it has in `cases_of`."""
    texts = [f"{document.title}\n{document.text}" for document in judged.documents]
    return {number: (text, detect(text)[0]) for number, text in enumerate(texts, 1)}


def texts_of_demo(exchange: DemoExchange) -> dict[int, tuple[str, str]]:
    """The same of the demo's results, by the number they have in `cases_of_demo`."""
    drafts = [listing.draft for listing in exchange.of_kind(Kind.OFFER)]
    texts = [
        [draft.values[name] for name in ("title", "summary", *BODY_FIELDS) if draft.values.get(name)]
        for draft in drafts
    ]
    return {
        number: ("\n".join(own), draft.language)
        for number, (own, draft) in enumerate(zip(texts, drafts, strict=True), 1)
    }


def simulate_own(
    cases: Sequence[Case],
    texts: Mapping[int, tuple[str, str]],
    *,
    verdicts: int,
    each: int,
    rounds: int,
    noise: float = NOISE,
    progress: Progress | None = None,
) -> Simulation:
    """Verdicts on the first `each` of a need's list, `verdicts` in all; measured is the order of the rest of that list.

    The pairs of a need are divided, not the needs: a need whose fits all stand among those that were judged is skipped.
    Raises BadInput where fewer than two needs are left.
    """
    done = []
    for number in range(rounds):
        rng = np.random.default_rng(number)
        before, after, given, fits = [], [], 0, 0
        for case in (cases[at] for at in rng.permutation(len(cases))):
            bare = case.ranked(NOTHING)
            seen = bare.ids[:each].tolist()
            rest = {str(offer): round(2 * grade) for offer, grade in case.grades.items() if offer not in seen}
            if not any(rest.values()) or given + len(seen) > verdicts:
                continue
            grades = {offer: _said(case.grades.get(offer, 0.0), noise, rng) for offer in seen}
            said = Said(grades, {offer: texts[offer] for offer in seen if grades[offer] > 0})
            heeded = ranking.both(case.partitions, case.query, None, said)[1]
            before.append(_of_rest(bare, seen, rest))
            after.append(_of_rest(heeded, seen, rest))
            given, fits = given + len(seen), fits + len(said.texts)
        if len(before) < 2:
            raise BadInput(
                f"{len(before)} of {len(cases)} needs could be measured, two are wanted: {verdicts} verdicts, {each} a "
                f"need, and a fit that does not stand among the first {each}. Ask for more verdicts or fewer a need."
            )
        done.append(Round(given, fits, Compared.of(np.array(before), np.array(after))))
        if progress:
            progress(number + 1, rounds)
    return Simulation(len(cases), sum(len(part) for part in cases[0].partitions), done)


def _of_rest(ranked: Ranking, seen: Sequence[int], rest: Mapping[str, int]) -> float:
    left = ranked.ids[~np.isin(ranked.ids, seen)][:10].tolist()
    return metrics.ndcg([str(offer) for offer in left], rest)


def _said(grade: float, noise: float, rng: np.random.Generator) -> float:
    return 1 - grade if rng.random() < noise else grade


def read(cases: Sequence[Case], verdicts: int, noise: float, screening: bool, rng: np.random.Generator) -> list[Case]:
    """The cases with the verdicts that readers give, in this order, until there are enough."""
    judged = []
    for case in cases:
        said: dict[int, float] = {}
        for offer in case.ranked(NOTHING).ids[: SCREENED if screening else SEARCHED].tolist():
            if verdicts == 0:
                break
            verdicts -= 1
            grade = case.grades.get(offer, 0.0)
            said[offer] = _said(grade, noise, rng)
            if not screening and said[offer] == 1:
                break
        if said:
            judged.append(Case(case.query, case.partitions, said))
    return judged
