"""The texts of the comparison: the demo exchange, judged sets of a folder, and a larger collection for speed.

Everything is written to one folder as files, so that every system reads the same: `<set>/documents.jsonl` and
`queries.jsonl` (`id`, `text`), `speed/documents.jsonl` and `queries.jsonl` (`id`, `text`, `region`), vectors beside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from techex.embedding.sentences import split_sentences
from techex.interchange.demo import demo_exchange
from techex.listings.rules import BODY_FIELDS, Kind
from techex.matching.judged import Document, JudgedSet, read_set

LISTINGS = 20_000
SEARCHES = 200
REGIONS = 100  # a filter for one of them leaves 1 % of the listings
SENTENCES = 8
# Two real vectors are mixed and noise of half their length is added, so that neighbours are as near as real ones are.
NOISE = 0.5

# A folder of judged sets may hold queries in several languages: those of an exchange in Vietnam are measured.
LANGUAGES = ("vi", "en")


def judged_sets(data: Path | None) -> dict[str, JudgedSet]:
    """The demo exchange, its needs once more in the other language, and the judged sets of a folder."""
    found = _demo()
    for folder in sorted(data.iterdir()) if data else ():
        qrels = folder / "qrels.tsv"
        if not qrels.is_file():
            continue
        # Where one corpus mixes languages, that is the case of an exchange.
        mixed = folder / "corpus.mixed.jsonl"
        corpus = mixed if mixed.is_file() else folder / "corpus.jsonl"
        for queries in sorted(folder.glob("queries*.jsonl")):
            name = queries.stem.removeprefix("queries").strip("._")
            if corpus is mixed and name not in LANGUAGES:
                continue
            label = f"{folder.name}, {name} → mixed" if corpus is mixed else f"{folder.name} {name}".strip()
            found[label] = read_set(corpus, queries, qrels)
    return found


def _demo() -> dict[str, JudgedSet]:
    exchange = demo_exchange()
    texts = {row.key: _text(row.draft.values) for row in exchange.listings}
    offers = [Document(row.key, "", texts[row.key]) for row in exchange.of_kind(Kind.OFFER)]
    judged = [judgement for judgement in exchange.judgements if not judgement.unmatched]
    grades = {judgement.need: judgement.grades for judgement in judged}
    needs = [Document(judgement.need, "", texts[judgement.need]) for judgement in judged]
    other = [Document(j.need, "", _text(j.parallel)) for j in judged if j.parallel]
    return {
        "demo exchange, seven languages": JudgedSet(offers, needs, grades),
        "the same needs translated vi ↔ en": JudgedSet(offers, other, grades),
    }


def _text(values: Mapping[str, Any]) -> str:
    return "\n".join(str(values[name]) for name in ("title", "summary", *BODY_FIELDS) if values.get(name))


def write_judged(folder: Path, judged: JudgedSet) -> None:
    """Documents and the queries that can be measured."""
    folder.mkdir(parents=True)
    _write(folder / "documents.jsonl", ({"id": d.id, "text": f"{d.title} {d.text}".strip()} for d in judged.documents))
    _write(folder / "queries.jsonl", ({"id": q.id, "text": q.text} for q in judged.judged_queries))


def write_speed(folder: Path) -> None:
    """A collection of LISTINGS texts made of the demo's sentences, each in one of REGIONS, and SEARCHES for one."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(20261122)
    exchange = demo_exchange()
    sentences: dict[str, list[str]] = {}
    for row in exchange.of_kind(Kind.OFFER):
        language = row.draft.language
        sentences.setdefault(language, []).extend(split_sentences(_text(row.draft.values), language))
    languages = sorted(sentences)
    counts = np.array([len(sentences[language]) for language in languages], float)
    rows = []
    for number in range(LISTINGS):
        pool = sentences[languages[rng.choice(len(languages), p=counts / counts.sum())]]
        text = " ".join(pool[place] for place in rng.integers(0, len(pool), SENTENCES))
        rows.append({"id": str(number), "text": text, "region": f"r{number % REGIONS:02}"})
    _write(folder / "documents.jsonl", rows)
    needs = [_text(row.draft.values) for row in exchange.of_kind(Kind.NEED)]
    # A search is a few sentences, not a whole form.
    searches = [" ".join(need.split()[:40]) for need in needs]
    asked = [
        {"id": str(n), "text": f"{searches[n % len(searches)]} {n}", "region": f"r{rng.integers(REGIONS):02}"}
        for n in range(SEARCHES)
    ]
    _write(folder / "queries.jsonl", asked)


def grow(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(count, d) unit rows about as far from one another as the real ones (n, d) are."""
    rng = np.random.default_rng(seed)
    share = rng.random((count, 1), np.float32)
    made = share * vectors[rng.integers(0, len(vectors), count)]
    made += (1 - share) * vectors[rng.integers(0, len(vectors), count)]
    # Only what differs from the mean says what a text is about: noise of that size, not of the whole vector's.
    spread = NOISE * np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).mean()
    made += (spread / np.sqrt(vectors.shape[1])) * rng.standard_normal(made.shape, np.float32)
    grown: np.ndarray = made / np.linalg.norm(made, axis=1, keepdims=True)
    return grown


def _write(path: Path, rows: Iterable[Mapping[str, str]] | Sequence[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
