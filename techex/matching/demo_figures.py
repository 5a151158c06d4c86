"""The demo exchange as a measure: what its judged pairs say about ranking, languages, strength and abstention."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from techex.embedding.cards import Role
from techex.embedding.encoders import Encoder, FloatArray, Progress
from techex.interchange.demo import DemoExchange
from techex.matching import metrics
from techex.matching.evaluated import Ablated, Abstention, BandCount, Figures, LanguagePair, Measured, Parallel
from techex.matching.evaluation import CENTRING, WITHOUT
from techex.matching.gold import GoldNeed, GoldSet, gold_set
from techex.matching.ranking import rank
from techex.matching.rules import PAGE_SIZE
from techex.matching.scoring import ALL_PARTS, Parts
from techex.matching.strength import EXPLORE, band, strength
from techex.search.collection import Raw

OVERLAP = 5  # of so many first matches the two versions of a need should share most


class Remembering:
    """An encoder that embeds a text once: the same texts are indexed again for every part that is switched off."""

    def __init__(self, encoder: Encoder) -> None:
        self.card, self.dimension, self._encoder = encoder.card, encoder.dimension, encoder
        self._known: dict[tuple[str, str], FloatArray] = {}

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> FloatArray:
        """As the encoder does it, from memory where it did it before."""
        new = [text for text in dict.fromkeys(texts) if (text, role) not in self._known]
        if new:
            for text, row in zip(new, self._encoder.encode(new, role, progress), strict=True):
                self._known[text, role] = row
        return np.array([self._known[text, role] for text in texts], np.float32).reshape(len(texts), self.dimension)


class Ranked:
    """The offers of a gold set in the order of one need, best first."""

    def __init__(self, gold: GoldSet, need: GoldNeed, parts: Parts = ALL_PARTS) -> None:
        found = rank([gold.offers], need.query, None, parts)
        self.keys = [gold.names[number - 1] for number in found.ids.tolist()]
        self.strengths = strength(found.scores).tolist()

    @property
    def suitable(self) -> bool:
        """Whether anything passes the floor below which a page says that nothing fits."""
        return bool(self.strengths) and self.strengths[0] >= EXPLORE


def measure(
    exchange: DemoExchange,
    encoder: Encoder,
    *,
    now: datetime,
    engine: str,
    ablate: bool = False,
    progress: Progress | None = None,
) -> Measured:
    """Rank the demo's results for each of its needs, as their pages do, and compare with the judgements."""
    encoder = Remembering(encoder)
    gold = gold_set(exchange, encoder, progress=progress)
    lists = {need.key: Ranked(gold, need) for need in gold.needs}
    return Measured(
        made_at=now,
        card=encoder.card.name,
        engine=engine,
        needs=len(gold.needs),
        results=len(gold.names),
        figures=Figures.model_validate(_figures(gold, lists)),
        ablation=_ablation(exchange, encoder, gold) if ablate else (),
        languages=_languages(gold, lists),
        bands=_bands(gold, lists),
        abstention=_abstention(gold, lists),
        parallel=_parallel(gold, lists),
    )


def _figures(gold: GoldSet, lists: Mapping[str, Ranked]) -> dict[str, float]:
    rows = [
        (
            metrics.ndcg(lists[need.key].keys, need.grades),
            metrics.reciprocal_rank(lists[need.key].keys, need.grades),
            metrics.recall(lists[need.key].keys, need.grades, 10),
            metrics.recall(lists[need.key].keys, need.grades, 100),
        )
        for need in gold.needs
        if not need.unmatched
    ]
    names = ("ndcg@10", "mrr@10", "recall@10", "recall@100")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def _ablation(exchange: DemoExchange, encoder: Encoder, gold: GoldSet) -> tuple[Ablated, ...]:
    found = []
    raw = gold_set(exchange, encoder, means=Raw())
    found.append(_without(CENTRING, raw, ALL_PARTS))
    found += [_without(name, gold, parts) for name, parts in WITHOUT.items()]
    return tuple(found)


def _without(name: str, gold: GoldSet, parts: Parts) -> Ablated:
    lists = {need.key: Ranked(gold, need, parts) for need in gold.needs if not need.unmatched}
    return Ablated.model_validate({"without": name, **_figures(gold, lists)})


def _languages(gold: GoldSet, lists: Mapping[str, Ranked]) -> tuple[LanguagePair, ...]:
    """For each pair of languages: of the results judged to fit, how many are among the first ten."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for need in gold.needs:
        fitting: dict[str, dict[str, int]] = defaultdict(dict)
        for key, grade in need.grades.items():
            if grade == 2:
                fitting[gold.languages[key]][key] = grade
        for language, grades in fitting.items():
            found[need.language, language].append(metrics.recall(lists[need.key].keys, grades, 10))
    return tuple(
        LanguagePair.model_validate(
            {"need": need, "result": result, "needs": len(shares), "recall@10": float(np.mean(shares))}
        )
        for (need, result), shares in sorted(found.items(), key=lambda row: (-len(row[1]), row[0]))
    )


def _bands(gold: GoldSet, lists: Mapping[str, Ranked]) -> tuple[BandCount, ...]:
    """What first pages show: how many matches of a band, and how many of them were judged to fit."""
    shown: Counter[str] = Counter()
    fits: Counter[str] = Counter()
    partly: Counter[str] = Counter()
    for need in gold.needs:
        ranked = lists[need.key]
        for key, value in list(zip(ranked.keys, ranked.strengths, strict=True))[:PAGE_SIZE]:
            word = band(value)
            shown[word] += 1
            fits[word] += need.grades.get(key) == 2
            partly[word] += need.grades.get(key) == 1
    return tuple(
        BandCount(band=word, shown=shown[word], fits=fits[word], partly=partly[word])
        for word in ("introduce", "review", "explore")
    )


def _abstention(gold: GoldSet, lists: Mapping[str, Ranked]) -> Abstention:
    unmatched = [need for need in gold.needs if need.unmatched]
    matched = [need for need in gold.needs if not need.unmatched]
    return Abstention(
        unmatched=len(unmatched),
        said_so=sum(not lists[need.key].suitable for need in unmatched),
        matched=len(matched),
        wrongly=sum(not lists[need.key].suitable for need in matched),
    )


def _parallel(gold: GoldSet, lists: Mapping[str, Ranked]) -> Parallel | None:
    if not gold.parallel:
        return None
    shares = [
        len(set(lists[own.key].keys[:OVERLAP]) & set(Ranked(gold, twin).keys[:OVERLAP])) / OVERLAP
        for own, twin in gold.parallel
    ]
    return Parallel.model_validate({"pairs": len(shares), "overlap@5": float(np.mean(shares))})
