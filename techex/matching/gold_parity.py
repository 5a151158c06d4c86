"""Parity of languages on the demo exchange: fitting pairs against those nobody chose, by languages of both sides."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from techex.matching import parity
from techex.matching.evaluated import LanguageParity, Separated
from techex.matching.gold import GoldNeed, GoldSet
from techex.matching.reference import whole_vectors

FITS = 2
# The demo has some twenty thousand random pairs: one in a hundred is a mark that two hundred of them set.
FALSE_POSITIVES = 0.01
# A pair of languages with fewer fitting pairs is not shown: one pair would decide.
LEAST_RIGHT = 5


def language_parity(gold: GoldSet, raw: GoldSet) -> LanguageParity:
    """Of needs in all their languages; `raw` is the same exchange without centring, for the raw cosine."""
    right: dict[str, dict[parity.Pair, list[float]]] = {"ours": defaultdict(list), "raw": defaultdict(list)}
    random: dict[str, dict[parity.Pair, list[float]]] = {"ours": defaultdict(list), "raw": defaultdict(list)}
    wholes = whole_vectors(raw.offers.passages(raw.offers.ids()))
    for known, uncentred in zip(_needs(gold), _needs(raw), strict=True):
        ranked = gold.ranked(known)
        weights = dict(zip(ranked.ids.tolist(), ranked.plain.tolist(), strict=True))
        whole = uncentred.query.whole
        cosines = (
            dict(zip(raw.offers.ids().tolist(), (wholes @ whole).tolist(), strict=True)) if whole is not None else {}
        )
        for number, name in enumerate(gold.names, 1):
            grade = known.grades.get(name)
            if grade not in (None, FITS) or number not in weights or number not in cosines:
                continue
            kept = right if grade == FITS else random
            kept["ours"][known.language, gold.languages[name]].append(weights[number])
            kept["raw"][known.language, gold.languages[name]].append(cosines[number])
    enough = [pair for pair, scores in right["ours"].items() if len(scores) >= LEAST_RIGHT]
    if not enough:
        return LanguageParity(false_positives=FALSE_POSITIVES)
    ours, plain = (
        parity.separation(
            {pair: np.array(right[name][pair]) for pair in enough},
            {pair: np.array(scores) for pair, scores in random[name].items()},
            FALSE_POSITIVES,
        )
        for name in ("ours", "raw")
    )
    return LanguageParity(
        false_positives=FALSE_POSITIVES,
        pairs=tuple(
            Separated(
                need=pair[0],
                result=pair[1],
                right=told.right,
                auc=told.auc,
                found=told.found,
                auc_raw=plain.pairs[pair].auc,
                found_raw=plain.pairs[pair].found,
            )
            for pair, told in sorted(ours.pairs.items(), key=lambda item: (-item[1].right, item[0]))
        ),
        ratio=ours.ratio,
        ratio_raw=plain.ratio,
    )


def _needs(gold: GoldSet) -> list[GoldNeed]:
    return [*gold.needs, *(twin for _, twin in gold.parallel)]
