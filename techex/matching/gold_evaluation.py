"""What the demo exchange shows of match quality: figures, ablation, parity of languages, bands, abstention."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from techex.embedding.cards import Role
from techex.embedding.encoders import Encoder, FloatArray, Progress
from techex.interchange.demo import demo_exchange
from techex.matching import metrics, reliability
from techex.matching.evaluated import (
    Ablated,
    Abstention,
    BandCount,
    Figures,
    LanguagePair,
    Measured,
    Parallel,
    Point,
    Reliability,
)
from techex.matching.exposure import demo_exposure
from techex.matching.gold import GoldNeed, GoldSet, gold_set
from techex.matching.gold_parity import language_parity
from techex.matching.reliability import JudgedList
from techex.matching.rules import PAGE_SIZE, Band
from techex.matching.scoring import ALL_PARTS, Parts
from techex.matching.strength import EXPLORE, band, falling, strength
from techex.search.collection import Raw

FITS, PARTLY = 2, 1
FIRST_FIVE = 5
BANDS: tuple[Band, ...] = ("introduce", "review", "explore")
# Name of a part -> the score without it, as the quality page names them.
WITHOUT: Mapping[str, Parts] = {
    "zscores": replace(ALL_PARTS, spread=False),
    "passages": replace(ALL_PARTS, passages=False),
    "whole": replace(ALL_PARTS, whole=False),
    "lexical": replace(ALL_PARTS, lexical=False),
    "noise": replace(ALL_PARTS, noise=False),
    "feedback": replace(ALL_PARTS, feedback=False),
    "neighbours": replace(ALL_PARTS, neighbours=False),
    "structure": replace(ALL_PARTS, structure=False),
    "figures": replace(ALL_PARTS, figures=False),
}


@dataclass(frozen=True)
class _Answer:
    """What a need was shown: keys of offers, best first, and their strengths."""

    need: GoldNeed
    offers: Sequence[str]
    strengths: Sequence[float]


class _Remembering:
    """An encoder that encodes a text once: the demo is indexed with and without centring."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self._known = encoder, dict[tuple[Role, str], FloatArray]()
        self.card, self.dimension = encoder.card, encoder.dimension

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> FloatArray:
        """(n, dimension) unit rows."""
        missing = list(dict.fromkeys(text for text in texts if (role, text) not in self._known))
        if missing:
            rows = self._encoder.encode(missing, role, progress)
            self._known |= {(role, text): row for text, row in zip(missing, rows, strict=True)}
        if not len(texts):
            return np.empty((0, self.dimension), np.float32)
        return np.stack([self._known[role, text] for text in texts])


def evaluate_demo(
    encoder: Encoder, engine: str, made_at: datetime, *, ablate: bool = True, progress: Progress | None = None
) -> Measured:
    """Index the demo exchange in memory and match every judged need with it, as the pages do."""
    encoder = _Remembering(encoder)
    gold = gold_set(demo_exchange(), encoder, progress=progress)
    raw = gold_set(demo_exchange(), encoder, Raw())
    matched = [need for need in gold.needs if not need.unmatched]
    answers = [_answer(gold, need) for need in matched]
    ablation = []
    if ablate:
        rows = [(raw, need) for need in raw.needs if not need.unmatched]
        ablation.append(_ablated("centring", [_answer(known, need) for known, need in rows]))
        for name, parts in WITHOUT.items():
            ablation.append(_ablated(name, [_answer(gold, need, parts) for need in matched]))
    return Measured(
        made_at=made_at,
        card=encoder.card.name,
        engine=engine,
        needs=len(gold.needs),
        results=len(gold.names),
        figures=_figures(answers),
        ablation=tuple(ablation),
        languages=_language_pairs(gold, answers),
        bands=_bands(answers),
        abstention=_abstention(gold, answers),
        parallel=_parallel(gold),
        exposure=demo_exposure(gold),
        reliability=_reliability(gold),
        parity=language_parity(gold, raw),
    )


def _answer(gold: GoldSet, need: GoldNeed, parts: Parts = ALL_PARTS) -> _Answer:
    ranked = gold.ranked(need, parts)
    strengths = falling(strength(ranked.plain, need.query.words)).tolist()
    return _Answer(need, [gold.names[number - 1] for number in ranked.ids.tolist()], strengths)


def _figures(answers: Sequence[_Answer]) -> Figures:
    rows = [
        (
            metrics.ndcg(answer.offers, answer.need.grades),
            metrics.reciprocal_rank(answer.offers, answer.need.grades),
            metrics.recall(answer.offers, answer.need.grades, 10),
            metrics.recall(answer.offers, answer.need.grades, 100),
        )
        for answer in answers
    ]
    ndcg, mrr, recall, recall_deep = np.mean(rows, axis=0).tolist()
    return Figures(ndcg=ndcg, mrr=mrr, recall=recall, recall_deep=recall_deep)


def _ablated(name: str, answers: Sequence[_Answer]) -> Ablated:
    return Ablated(without=name, **_figures(answers).model_dump(by_alias=False))


def _language_pairs(gold: GoldSet, answers: Sequence[_Answer]) -> tuple[LanguagePair, ...]:
    """For each pair of languages the needs with a fitting result in the other language, judged by those alone."""
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for answer in answers:
        grades = answer.need.grades
        for language in sorted({gold.languages[offer] for offer, grade in grades.items() if grade >= FITS}):
            own = {offer: grade for offer, grade in grades.items() if gold.languages[offer] == language}
            shown = [offer for offer in answer.offers if gold.languages[offer] == language or not grades.get(offer)]
            figures = (metrics.ndcg(shown, own), metrics.recall(answer.offers, own, 10))
            pairs[answer.need.language, language].append(figures)
    return tuple(
        LanguagePair(
            need=need,
            result=result,
            needs=len(rows),
            ndcg=float(np.mean([ndcg for ndcg, _ in rows])),
            recall=float(np.mean([recall for _, recall in rows])),
        )
        for (need, result), rows in sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _bands(answers: Sequence[_Answer]) -> tuple[BandCount, ...]:
    """Of the first pages: how many matches of a band were shown, and how many fit."""
    found: dict[Band, list[int]] = defaultdict(list)
    for answer in answers:
        for offer, value in list(zip(answer.offers, answer.strengths, strict=True))[:PAGE_SIZE]:
            found[band(value)].append(answer.need.grades.get(offer, 0))
    return tuple(
        BandCount(band=name, shown=len(found[name]), fits=found[name].count(FITS), partly=found[name].count(PARTLY))
        for name in BANDS
    )


def _abstention(gold: GoldSet, answers: Sequence[_Answer]) -> Abstention:
    unmatched = [_answer(gold, need) for need in gold.needs if need.unmatched]
    return Abstention(
        unmatched=len(unmatched),
        said_so=sum(answer.strengths[0] < EXPLORE for answer in unmatched),
        matched=len(answers),
        wrongly=sum(answer.strengths[0] < EXPLORE for answer in answers),
    )


def _reliability(gold: GoldSet) -> Reliability:
    """Strengths of the first pages by curves that do not know the need: fitted to the others, in both languages."""
    lists = [_judged(gold, need) for need in gold.needs]
    left_out = reliability.cross_validated([*lists, *(_judged(gold, twin) for _, twin in gold.parallel)], lists)
    unmatched, said_so, matched, wrongly = left_out.told_nothing(EXPLORE)
    return Reliability(
        pairs=left_out.pairs,
        error=left_out.error,
        as_shown=reliability.as_shipped(lists).error,
        of_matches=left_out.error_from(EXPLORE),
        brier=left_out.brier,
        curve=tuple(Point(pairs=one.pairs, promised=one.promised, found=one.found) for one in left_out.curve()),
        abstention=Abstention(unmatched=unmatched, said_so=said_so, matched=matched, wrongly=wrongly),
        fitted=reliability.fit(lists).as_constants,
        in_use=reliability.shipped().as_constants,
    )


def _judged(gold: GoldSet, need: GoldNeed) -> JudgedList:
    ranked = gold.ranked(need)
    said = [need.grades.get(gold.names[number - 1], 0) / FITS for number in ranked.ids[: reliability.JUDGED].tolist()]
    return JudgedList.of(need.key, ranked.grounds, said, need.unmatched)


def _parallel(gold: GoldSet) -> Parallel:
    """The same need in two languages: how much of the first five is the same."""
    shares = [
        len({*_answer(gold, own).offers[:FIRST_FIVE]} & {*_answer(gold, twin).offers[:FIRST_FIVE]}) / FIRST_FIVE
        for own, twin in gold.parallel
    ]
    return Parallel(pairs=len(shares), overlap=float(np.mean(shares)) if shares else 0.0)
