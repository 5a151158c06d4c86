"""Learning from verdicts: what may be learned from so many, and whether it holds on needs it was not learned from.

Three things are learned, one on top of the other, each only from enough verdicts: factors of the parts of a score, a
turn of query vectors, and last the calibration of strength. Each must earn its place by cross-validation: needs are cut
into FOLDS, what is learned from some is measured on the others. Nothing is applied here; the result is a candidate.

What is measured is subtle, because verdicts are given on what was shown. nDCG@10 of the whole list takes a listing
without a verdict for no match, and so favours the ranking that showed the list. nDCG of the judged listings alone
favours its opposite where readers stop at the first fit, since all that is refused then stood above it. Their mean is
what comes nearest to the truth in simulation, where it is known (DECISIONS.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from techex.matching import calibration, mapping, metrics, ranking, weighting
from techex.matching.calibration import Calibration
from techex.matching.candidates import Query
from techex.matching.learned import NOTHING, Learned
from techex.matching.ranking import Ranking
from techex.matching.reference import whole_vectors
from techex.matching.strength import falling, strength
from techex.search.partitions import Partition

Numbers = NDArray[np.float64]
Report = Callable[[int, int], None]

# From how many verdicts on: a curve of two numbers, a curve of any shape, about ten factors, and some thousand numbers.
CALIBRATE_FROM = 50
ISOTONIC_FROM = 200
WEIGH_FROM = 200
MAP_FROM_PAIRS = 250

FOLDS = 4
# How firmly to hold on to what was there before; cross-validation chooses. Below the least ones every development set
# loses on needs not learned from, above the greatest nothing changes.
FACTOR_FIRMNESS = (1.0, 3.0, 10.0)
MAP_FIRMNESS = (10.0, 30.0, 100.0)
# How many standard errors a gain must lie above nothing. In 32 simulated exchanges factors were taken 6 times and were
# truly better each time (mean gain .041; at 1.0: 13 taken, 5 of them worse). A map does little harm (0: 25 taken, mean
# gain .004, worst -.013; at 1.0: 14 taken, the same mean and worst), and where ranking is weak it gains most. Half an
# error is asked for, so that verdicts thrown by dice (a gain of a fifth of an error) teach nothing.
SURE_OF_FACTORS, SURE_OF_MAP = 1.5, 0.5
# A language pair with fewer needs than this is not measured: one need would decide.
LEAST_NEEDS = 5


@dataclass(frozen=True)
class Case:
    """A need and what was said of offers for it: listing id -> 1 fit, one half partly, 0 no, or the mean of several."""

    query: Query
    partitions: Sequence[Partition]
    grades: Mapping[int, float]

    @property
    def has_fit(self) -> bool:
        """True when a ranking can be measured by it."""
        return any(grade > 0 for grade in self.grades.values())

    def ranked(self, learned: Learned | None) -> Ranking:
        """The offers for this need as they would be ranked with what was learned."""
        return ranking.rank(self.partitions, self.query, learned=learned)

    def strengths(self, ranked: Ranking) -> Numbers:
        """(n,) strengths 0-100 of its listings, before calibration."""
        return falling(strength(ranked.plain, self.query.words))

    def ndcg(self, ranked: Ranking) -> float:
        """nDCG@10 of a ranking, a listing without a grade counting as no match."""
        return metrics.ndcg([str(offer) for offer in ranked.ids[:10].tolist()], self._doubled)

    def quality(self, ranked: Ranking) -> float:
        """How well a ranking agrees with verdicts: the mean of nDCG@10 and of nDCG among the judged listings."""
        judged = ranked.ids[np.isin(ranked.ids, list(self.grades))]
        among = metrics.ndcg([str(offer) for offer in judged.tolist()], self._doubled, len(judged))
        return (self.ndcg(ranked) + among) / 2

    @cached_property
    def _doubled(self) -> Mapping[str, int]:
        return {str(offer): round(2 * grade) for offer, grade in self.grades.items()}

    @cached_property
    def language_pairs(self) -> frozenset[tuple[str, str]]:
        """(language of the need, language of a fitting offer)."""
        found = set()
        for offer, grade in self.grades.items():
            facts = next((facts for part in self.partitions if (facts := part.facts(offer)) is not None), None)
            if grade > 0 and facts is not None:
                found.add((self.query.language, facts.language))
        return frozenset(found)


@dataclass(frozen=True)
class Compared:
    """A mean over needs that were not learned from, before and after; `error` is the standard error of the gain."""

    needs: int
    before: float
    after: float
    error: float = 0.0

    @classmethod
    def of(cls, old: Numbers, new: Numbers) -> Compared:
        """The means of (n,) figures, n at least 2."""
        error = float((new - old).std(ddof=1) / len(old) ** 0.5)
        return cls(len(old), float(old.mean()), float(new.mean()), error)

    @property
    def gain(self) -> float:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True)
class Step:
    """One thing that was tried: "factors", "map" or "strength"; what it was worth and why it is in or out.

    `measured` is Case.quality (of strength the Brier score: less is better) by cross-validation, None where nothing was
    tried; `languages` the same by "need>offer".
    """

    name: str
    accepted: bool
    reason: str
    measured: Compared | None = None
    languages: Mapping[str, Compared] | None = None


@dataclass(frozen=True)
class Candidate:
    """What was learned, not applied yet, and how it came about."""

    learned: Learned
    steps: Sequence[Step]


def learn(cases: Sequence[Case], verdicts: int, progress: Report | None = None) -> Candidate:
    """Learn what `verdicts` verdicts, gathered in cases, have to say; deterministic.

    Factors and map are learned from the bare ranking: what is active today plays no part, so a candidate never piles up
    on another.
    """
    steps = []
    learned = NOTHING
    pairs = sum(len(case.grades) for case in cases)
    told = _Told(progress)
    if verdicts < WEIGH_FROM:
        steps.append(_too_few("factors", verdicts, WEIGH_FROM, "verdicts"))
    else:
        learned, step = _tried("factors", cases, learned, FACTOR_FIRMNESS, _with_factors, SURE_OF_FACTORS, told)
        steps.append(step)
    if pairs < MAP_FROM_PAIRS:
        steps.append(_too_few("map", pairs, MAP_FROM_PAIRS, "judged pairs"))
    else:
        learned, step = _tried("map", cases, learned, MAP_FIRMNESS, _with_map, SURE_OF_MAP, told)
        steps.append(step)
    if verdicts < CALIBRATE_FROM:
        steps.append(_too_few("strength", verdicts, CALIBRATE_FROM, "verdicts"))
    else:
        learned, step = _calibrated(cases, learned, isotonic=verdicts >= ISOTONIC_FROM)
        steps.append(step)
    return Candidate(learned, steps)


class _Told:
    """Counts lists ranked, of those that will be."""

    def __init__(self, report: Report | None) -> None:
        self._report, self._done, self._total = report, 0, 0

    def expect(self, lists: int) -> None:
        self._total += lists

    def one_more(self) -> None:
        self._done += 1
        if self._report:
            self._report(self._done, self._total)


def _too_few(name: str, have: int, needed: int, what: str) -> Step:
    return Step(name, False, f"{have} {what}, learned from {needed} on")


# (the cases to learn from with the ranking of each, what was learned before, firmness) -> what is learned now
Fit = Callable[[Sequence[tuple[Case, Ranking]], Learned, float], Learned]


def _with_factors(given: Sequence[tuple[Case, Ranking]], learned: Learned, firmness: float) -> Learned:
    lists, judged = [], []
    for case, ranked in given:
        places = {int(offer): place for place, offer in enumerate(ranked.ids)}
        grades = {places[offer]: grade for offer, grade in case.grades.items() if offer in places}
        contributions = np.array([ranked.parts[part] for part in ranking.PARTS])
        lists.append(weighting.comparisons(contributions, grades))
        judged.append(contributions[:, list(grades)])
    factors = weighting.fit_factors(weighting.together(lists), firmness)
    plain = [at for at, part in enumerate(ranking.PARTS) if part != ranking.FEEDBACK]  # what strength is read off
    factors *= weighting.same_scale(np.concatenate(judged, axis=1)[plain], factors[plain])
    return replace(learned, factors=dict(zip(ranking.PARTS, factors.round(4).tolist(), strict=True)))


def _with_map(given: Sequence[tuple[Case, Ranking]], learned: Learned, firmness: float) -> Learned:
    lessons = []
    for case, _ in given:
        if case.query.whole is None:
            continue
        offers = np.array(sorted(case.grades), np.int64)
        wholes = np.sum([whole_vectors(part.passages(offers)) for part in case.partitions], axis=0)
        known = wholes.any(axis=1)
        grades = np.array([case.grades[offer] for offer in offers.tolist()], np.float32)
        fits, refused = known & (grades > 0), known & (grades == 0)
        lessons.append(mapping.lessons_of(case.query.whole, wholes[fits], grades[fits], wholes[refused]))
    return replace(learned, query_map=mapping.fit_map(mapping.together(lessons), firmness))


def _tried(
    name: str,
    cases: Sequence[Case],
    before: Learned,
    firmness: Sequence[float],
    fit: Fit,
    sure: float,
    told: _Told,
) -> tuple[Learned, Step]:
    """`before` with one thing more if that helps needs it was not learned from, else `before`; and why."""
    measured = [case for case in cases if case.has_fit]
    if len(measured) < FOLDS * LEAST_NEEDS:
        return before, Step(name, False, f"{len(measured)} needs with a fit, learned from {FOLDS * LEAST_NEEDS} on")
    told.expect(len(cases) + len(firmness) * len(measured))
    lists = [(case, case.ranked(before)) for case in cases]
    old = np.array([case.quality(ranked) for case, ranked in lists if case.has_fit])
    for _ in cases:
        told.one_more()
    # Not by order: neighbours are often of one organisation, and a fold should be like the others.
    folds = np.random.default_rng(0).permutation(len(cases)) % FOLDS
    trials = []
    for firm in firmness:
        by_fold = [
            fit([pair for pair, other in zip(lists, folds, strict=True) if other != fold], before, firm)
            for fold in range(FOLDS)
        ]
        new = []
        for case, fold in zip(cases, folds, strict=True):
            if case.has_fit:
                new.append(case.quality(case.ranked(by_fold[fold])))
                told.one_more()
        trials.append(np.array(new))
    best = int(np.argmax([trial.mean() for trial in trials]))
    languages = _by_language(measured, old, trials[best])
    compared = Compared.of(old, trials[best])
    reason = objection(compared, languages, sure)
    if reason:
        return before, Step(name, False, reason, compared, languages)
    return fit(lists, before, firmness[best]), Step(name, True, "better on needs not learned from", compared, languages)


def objection(measured: Compared, languages: Mapping[str, Compared], sure: float) -> str:
    """Why a change is not taken; empty when it is. A language pair is worse where it loses more than its own error."""
    if measured.gain <= sure * measured.error:
        return "no better on needs not learned from than chance would have it"
    worse = sorted(pair for pair, compared in languages.items() if compared.gain < -compared.error)
    return f"worse for {', '.join(worse)}" if worse else ""


def _by_language(cases: Sequence[Case], old: Numbers, new: Numbers) -> dict[str, Compared]:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, case in enumerate(cases):
        for pair in case.language_pairs:
            rows[pair].append(row)
    return {
        ">".join(pair): Compared.of(old[at], new[at]) for pair, at in sorted(rows.items()) if len(at) >= LEAST_NEEDS
    }


def _calibrated(cases: Sequence[Case], learned: Learned, *, isotonic: bool) -> tuple[Learned, Step]:
    """With the curve that says best, by cross-validation over needs, how likely a pair of a strength fits."""
    strengths, outcomes, owners = [], [], []
    for number, case in enumerate(cases):
        ranked = case.ranked(learned)
        for offer, said in zip(ranked.ids.tolist(), case.strengths(ranked).tolist(), strict=True):
            if offer in case.grades:
                strengths.append(said)
                outcomes.append(case.grades[offer])
                owners.append(number)
    raw, wanted = np.array(strengths), np.array(outcomes)
    folds = (np.random.default_rng(0).permutation(len(cases)) % FOLDS)[np.array(owners, np.int64)]
    kinds: list[Callable[[Numbers, Numbers], Calibration]] = [calibration.fit_platt]
    if isotonic:
        kinds.append(calibration.fit_isotonic)
    held_out = []
    for fit in kinds:
        said = raw.copy()
        for fold in range(FOLDS):
            rest = folds != fold
            if rest.any() and not rest.all():
                said[~rest] = fit(raw[rest], wanted[rest])(raw[~rest])
        held_out.append(said)
    errors = [calibration.brier(said, wanted) for said in held_out]
    best = int(np.argmin(errors))
    compared = Compared(len(raw), calibration.brier(raw, wanted), errors[best])
    curve = kinds[best](raw, wanted)
    flat = isinstance(curve, calibration.Platt) and curve.slope <= calibration.LEAST_SLOPE
    if flat or compared.after >= compared.before:
        reason = "strength does not tell fits from others in these verdicts" if flat else "no nearer to the verdicts"
        return learned, Step("strength", False, reason, compared)
    off = calibration.calibration_error(raw, wanted), calibration.calibration_error(held_out[best], wanted)
    reason = f"calibration error {off[0]:.3f} -> {off[1]:.3f} on needs not learned from"
    return replace(learned, calibration=curve), Step("strength", True, reason, compared)
