"""Whether all languages are served alike: right pairs against random ones, language pair by language pair. No database.

Two figures for each pair of languages: how surely a right pair is told from a random one (the area under the ROC
curve), and the share of right pairs found where one in a thousand random pairs is let through, with one mark for all
languages. The score is the one that strengths are read from; beside it the raw cosine of the whole texts, which is what
one gets by embedding both and comparing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from techex.core.text import clean
from techex.embedding.encoders import Encoder
from techex.errors import BadInput, UnreadableFile
from techex.matching import ranking
from techex.matching.asked import text_query
from techex.matching.evaluation import Indexed
from techex.matching.judged import Document

Numbers = NDArray[np.float64]
Pair = tuple[str, str]
Progress = Callable[[int, int], None]

FALSE_POSITIVES = 0.001
# With fewer texts a set has too few random pairs to say what one in a thousand reaches.
LEAST_TEXTS = 40


@dataclass(frozen=True)
class Told:
    """Right pairs of two languages: how many there are, the area under the ROC curve, the share above the mark."""

    right: int
    auc: float
    found: float


@dataclass(frozen=True)
class Separation:
    """All language pairs by one score."""

    pairs: Mapping[Pair, Told]

    @property
    def ratio(self) -> float | None:
        """The largest share of right pairs found over the smallest; None where the smallest is nothing."""
        shares = [told.found for told in self.pairs.values()]
        return max(shares) / min(shares) if min(shares) else None

    @property
    def least_auc(self) -> float:
        """The smallest area under the curve."""
        return min(told.auc for told in self.pairs.values())


@dataclass(frozen=True)
class Parity:
    """What was measured on so many pairs of parallel texts, by our score and by raw cosine."""

    texts: int
    ours: Separation
    raw: Separation


def separation(
    right: Mapping[Pair, Numbers], random: Mapping[Pair, Numbers], false_positives: float = FALSE_POSITIVES
) -> Separation:
    """From scores of right and of random pairs by languages; the mark is one for all."""
    mark = float(np.quantile(np.concatenate(list(random.values())), 1 - false_positives))
    return Separation(
        {
            pair: Told(len(scores), auc(scores, random[pair]), float(np.mean(scores > mark)))
            for pair, scores in right.items()
        }
    )


def auc(right: Numbers, random: Numbers) -> float:
    """How often a right pair scores higher than a random one, ties counting half (Mann and Whitney 1947)."""
    order = np.sort(random)
    below, not_above = np.searchsorted(order, right, "left"), np.searchsorted(order, right, "right")
    return float(np.mean(below + not_above)) / (2 * len(random))


@dataclass(frozen=True)
class ParallelTexts:
    """Texts that say the same in two languages, named as the file names them."""

    languages: Pair
    texts: Sequence[tuple[str, str]]


def read_parallel(path: Path) -> ParallelTexts:
    """A file of JSON lines: `_id` and two texts, each named by its language. Raises UnreadableFile."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(
            f"{path} cannot be read ({error}). Expected UTF-8 text with one JSON object a line."
        ) from None
    languages: Pair | None = None
    texts = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line, f"{path}, line {number}")
        names = tuple(sorted(name for name in row if name != "_id"))
        languages = languages or (names[0], names[1])
        if names != languages:
            raise UnreadableFile(f"{path}, line {number}: languages {', '.join(names)}; line 1 has {languages}.")
        texts.append((row[names[0]], row[names[1]]))
    if languages is None or len(texts) < LEAST_TEXTS:
        raise UnreadableFile(f"{path} holds {len(texts)} pairs of texts; at least {LEAST_TEXTS} are needed.")
    return ParallelTexts(languages, texts)


def _row(line: str, where: str) -> dict[str, str]:
    try:
        row = json.loads(line)
        texts = {name: clean(text, name).strip() for name, text in row.items() if name != "_id"}
    except (json.JSONDecodeError, AttributeError, TypeError, BadInput) as error:
        raise UnreadableFile(
            f"{where}: {error}. Expected an object with `_id` and a text in each of two languages."
        ) from None
    if len(texts) != 2 or not all(texts.values()):
        raise UnreadableFile(f"{where}: expected `_id` and two texts, each named by its language, none of them empty.")
    return texts


def measure(sets: Sequence[ParallelTexts], encoder: Encoder, progress: Progress | None = None) -> Parity:
    """Ask with every text for its counterpart, both ways, in a collection of the counterparts of all sets."""
    right: dict[str, dict[Pair, list[Numbers]]] = {"ours": {}, "raw": {}}
    random: dict[str, dict[Pair, list[Numbers]]] = {"ours": {}, "raw": {}}
    done, steps = 0, 2 * sum(len(each.texts) for each in sets)
    for asking, answering in ((0, 1), (1, 0)):
        documents = [
            Document(f"{place}:{row}", "", pair[answering])
            for place, each in enumerate(sets)
            for row, pair in enumerate(each.texts)
        ]
        indexed = Indexed.of(documents, encoder)
        partition = indexed.partition(indexed.learned(encoder))
        listed = encoder.encode([document.text for document in documents], "listing")
        start = 0
        for each in sets:
            here = slice(start, start + len(each.texts))
            start = here.stop
            asked = [text_query(pair[asking], encoder) for pair in each.texts]
            ours = np.empty((len(asked), len(asked)))
            for row, query in enumerate(asked):
                ranked = ranking.rank([partition], query.centred(indexed.centring))
                scores = np.full(len(documents), float(ranked.plain.min()))
                scores[ranked.ids - 1] = ranked.plain
                ours[row] = scores[here]
                done += 1
                if progress:
                    progress(done, steps)
            cosine = np.stack([query.vectors[-1] for query in asked]) @ listed[here].T
            for name, matrix in (("ours", ours), ("raw", cosine.astype(np.float64))):
                own = np.eye(len(matrix), dtype=np.bool_)
                right[name].setdefault(each.languages, []).append(matrix[own])
                random[name].setdefault(each.languages, []).append(matrix[~own])
    found = {
        name: separation(
            {pair: np.concatenate(values) for pair, values in right[name].items()},
            {pair: np.concatenate(values) for pair, values in random[name].items()},
        )
        for name in right
    }
    return Parity(sum(len(each.texts) for each in sets), found["ours"], found["raw"])
