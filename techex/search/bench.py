"""How fast candidates are found in a large collection that is made from a small real one.

Run by `make bench`, or alone: ``python -m techex.search.bench``. Vectors: two real centred passage vectors, mixed in
random shares, and noise of NOISE times their length added, so that the cloud keeps the shape that the model gives it.
Words: sentences of real texts drawn at random, and rare words with a long tail. This says how long a search takes; it
says nothing about how good the matches are.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import click
import numpy as np

from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.embedding.passages import passages_of
from techex.embedding.sentences import split_sentences
from techex.interchange.demo import demo_exchange
from techex.listings.rules import BODY_FIELDS, Kind, Visibility
from techex.quantities.compact import FigureRows, stated
from techex.regions.service import provinces
from techex.search.analysis import listing_terms, search_terms
from techex.search.collection import KEYS, Collection, Raw
from techex.search.dense import FloatArray, HalfArray, IntArray, build_index
from techex.search.facts import FACTS, Facts, Filters
from techex.search.names import Names, Vocabulary
from techex.search.partitions import Partition, Selection, Tables
from techex.search.postings import BLOCK, Postings
from techex.search.segments import PASSAGES, PASSAGES_A_LISTING, Entry, Passage, Segment
from techex.search.stated import Stated
from techex.settings import load_settings

LISTINGS = 100_000
PASSAGES_EACH = 4
NOISE = 0.5
SENTENCES_EACH = 8
RARE_WORDS_EACH = 10
RARE_WORDS = 1_000_000
NOBODY_SAYS = "a term of the changed listing alone"
LANGUAGES_HELD = ("vi", "en", "id", "nl", "ko", "ja", "zh")  # those of the demo exchange: a search is widened for them
CANDIDATES = 200  # of each leg
ROUNDS = 200
IN_MEMORY = 1_000_000  # passages whose exact vectors are held in memory: 768 MB
OFFERS = (Visibility.PUBLIC, Kind.OFFER)

# Filters by how much of the collection passes them; facts are drawn so that they do.
SHARES: Mapping[str, tuple[float, Filters]] = {
    "50 %": (0.5, Filters(languages=frozenset({"half"}))),
    "10 %": (0.1, Filters(languages=frozenset({"tenth"}))),
    "1 %": (0.01, Filters(languages=frozenset({"hundredth"}))),
    "0.1 %": (0.001, Filters(languages=frozenset({"thousandth"}))),
}


@dataclass(frozen=True)
class Source:
    """The real texts a collection is grown from: centred passage vectors, sentences as terms, and searches."""

    vectors: FloatArray
    sentences: Sequence[Mapping[str, int]]
    searches: Sequence[tuple[FloatArray, Mapping[str, float]]]  # one vector (1, d) and the terms of a short text
    figures: Sequence[FigureRows] = ()  # what results state


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one step on the clock and of the processor, which other work on the machine does not stretch, and
    for searches by meaning the share of the ten truly nearest that were found."""

    step: str
    p50: float
    p95: float
    cpu_p50: float
    cpu_p95: float
    recall: float | None = None


@dataclass(frozen=True)
class Figures:
    """What was measured on one collection."""

    listings: int
    passages: int
    build_seconds: float
    bytes_per_passage: int  # all of it: codes, ids, facts, postings; exact vectors left out where a file holds them
    vector_bytes_per_passage: int  # exact vectors in memory when there is no snapshot to map them from
    change_ms: float  # a new listing until the next search finds it, vectors given
    merge_seconds: float | None  # recent part into base, in the background
    timings: tuple[Timing, ...]


def demo_source() -> Source:
    """The demo exchange, embedded with the card in use. Raises ModelNotPrepared."""
    settings = load_settings()
    card = load_card(settings.card)
    encoder = load_encoder(card, settings.models_dir, engine=settings.engine or None, threads=settings.threads)
    drafts = [listing.draft for listing in demo_exchange().listings]
    texts, sentences, searches, figures = [], [], [], []
    for draft in drafts:
        body = {name: draft.values[name] for name in BODY_FIELDS if draft.values.get(name)}
        passages = passages_of(draft.values["title"], draft.values["summary"], body, draft.language)
        texts += [passage.text for passage in passages]
        for text in (draft.values["summary"], *body.values()):
            sentences += [listing_terms(sentence, draft.language) for sentence in split_sentences(text, draft.language)]
        if draft.kind is Kind.NEED:
            searches.append((draft.values["title"], draft.language))
        else:
            figures.append(stated("\n".join([draft.values["summary"], *body.values()]), draft.language))
    raw = encoder.encode(texts, "listing")
    mean = raw.mean(0)
    queries = unit(encoder.encode([text for text, _ in searches], "search") - mean)
    words = [search_terms(text, language, LANGUAGES_HELD).all for text, language in searches]
    asked = [(query[None], terms) for query, terms in zip(queries, words, strict=True)]
    return Source(unit(raw - mean), sentences, asked, figures)


def made_collection(source: Source, listings: int = LISTINGS, seed: int = 0) -> Collection:
    """A collection of public offers grown from a source; the other partitions are empty."""
    rng = np.random.default_rng(seed)
    dimension = source.vectors.shape[1]
    tables = Tables(Names(), Vocabulary(), dimension)
    ids = np.arange(1, listings + 1, dtype=np.int64)
    facts = np.zeros(listings, FACTS)
    facts["listing"], facts["organisation"] = ids, rng.integers(1, 5_000, listings)
    facts["language"] = _shares(rng, listings, tables.labels)
    facts["country"] = tables.labels.add("VN")
    facts["province"] = np.array([tables.labels.add(code) for code in provinces()])[rng.integers(34, size=listings)]
    facts["trl"] = rng.integers(1, 10, listings)
    passages = np.zeros(listings * PASSAGES_EACH, PASSAGES)
    passages["id"] = (ids[:, None] * PASSAGES_A_LISTING + np.arange(PASSAGES_EACH)).ravel()
    passages["digest"] = rng.integers(1 << 62, size=len(passages))
    passages["language"] = np.repeat(facts["language"], PASSAGES_EACH)
    postings = _postings(source, listings, tables.vocabulary, rng)
    index = build_index(passages["id"], _grown_vectors(source, len(passages), rng))
    said = [source.figures[at] for at in rng.integers(len(source.figures), size=listings)] if source.figures else None
    segment = Segment(facts, passages, index, postings, Stated.of(said) if said else None)
    partitions = {key: Partition.build((), tables) for key in KEYS}
    partitions[OFFERS] = Partition(
        segment, Segment.build((), dimension, tables.labels, tables.vocabulary), None, tables
    )
    return Collection("bench", 1, Raw(), tables, partitions)


def measure(
    source: Source, listings: int = LISTINGS, report: Callable[[str], None] = lambda _: None, rounds: int | None = None
) -> Figures:
    """Build a collection of this size and time the steps of finding candidates in it."""
    report(f"growing {listings:,} listings")
    started = time.perf_counter()
    collection = made_collection(source, listings)
    built = time.perf_counter() - started
    partition = collection.partitions[OFFERS]
    report("searching")
    timings = list(_timings(partition, source, rounds or ROUNDS))
    report("changing")
    started = time.perf_counter()
    words = {NOBODY_SAYS: 1, **source.sentences[0]}
    parts = [Passage(position, "description", "vi", "long", "0" * 64) for position in range(PASSAGES_EACH)]
    entry = Entry(listings + 1, Facts("vi", "VN", "01"), words, parts, source.vectors[:PASSAGES_EACH])
    changed = partition.changed([1], [entry])
    assert changed.keywords({NOBODY_SAYS: 1.0}).top(1)[0].tolist() == [listings + 1]  # noqa: S101 - the change was not lost
    change_ms = 1000 * (time.perf_counter() - started)
    merged: float | None = None
    if partition.passage_count <= IN_MEMORY:  # a second copy of a very large collection has no room beside the first
        started = time.perf_counter()
        changed.merged()
        merged = round(time.perf_counter() - started, 1)
    halves = partition.segments[0].index.halves().nbytes
    return Figures(
        listings=listings,
        passages=partition.passage_count,
        build_seconds=round(built, 1),
        bytes_per_passage=round((collection.resident_bytes - halves) / partition.passage_count),
        vector_bytes_per_passage=round(halves / partition.passage_count),
        change_ms=round(change_ms, 1),
        merge_seconds=merged,
        timings=tuple(timings),
    )


def grown(real: FloatArray, size: int, rng: np.random.Generator) -> FloatArray:
    """(size, d) unit vectors: pairs of real ones mixed, with noise."""
    return grown_near(real[rng.integers(len(real), size=size)], real, rng)


def grown_near(some: FloatArray, real: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(n, d) unit vectors: each of `some` mixed with a real one in random shares, with noise."""
    others = real[rng.integers(len(real), size=len(some))]
    share = rng.uniform(0.5, 1, (len(some), 1)).astype(np.float32)
    noise = rng.standard_normal(some.shape, np.float32) * np.float32(NOISE / some.shape[1] ** 0.5)
    return unit(share * some + (1 - share) * others + noise)


def _grown_vectors(source: Source, size: int, rng: np.random.Generator) -> HalfArray:
    """As stored; those of a very large collection lie in a file without a name, as with a snapshot."""
    shape, first = (size, source.vectors.shape[1]), 0
    vectors: HalfArray
    if size <= IN_MEMORY:
        vectors = np.empty(shape, np.float16)
    else:
        with tempfile.TemporaryFile() as file:  # goes when the last array on it does
            vectors = np.memmap(file, np.float16, "w+", shape=shape)
    for portion in _portions(size):
        vectors[first : first + portion] = grown(source.vectors, portion, rng)
        first += portion
    return vectors


def unit(vectors: FloatArray) -> FloatArray:
    """Rows of length one."""
    rows: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return rows


def _timings(partition: Partition, source: Source, rounds: int) -> Sequence[Timing]:
    turns = [source.searches[turn % len(source.searches)] for turn in range(rounds)]
    selections: dict[str, Selection | None] = {"everything": None}
    rows = []
    for name, (_, filters) in SHARES.items():
        took = _times(turns, lambda query, terms, f=filters: partition.allowed(f))  # type: ignore[misc]
        selections[name] = partition.allowed(filters)
        rows.append(_timing(f"filter of {name}", took))
    for name, selection in selections.items():
        took = _times(turns, lambda query, terms, s=selection: partition.dense(query, CANDIDATES, s))  # type: ignore[misc]
        rows.append(_timing(f"by meaning, {name}", took, _recall(partition, source, selection)))
    for name, selection in selections.items():
        took = _times(turns, lambda query, terms, s=selection: partition.keywords(terms).top(CANDIDATES, s))  # type: ignore[misc]
        rows.append(_timing(f"by words, {name}", took))
    for name, selection in selections.items():
        took = _times(turns, lambda query, terms, s=selection: _candidates(partition, query, terms, s))  # type: ignore[misc]
        rows.append(_timing(f"candidates with exact scores, {name}", took))
    return rows


def _candidates(
    partition: Partition, query: FloatArray, terms: Mapping[str, float], selection: Selection | None
) -> tuple[IntArray, object, object]:
    """Everything between filter and ranking: both legs, then exact scores of all their listings."""
    near, _ = partition.dense(query, CANDIDATES, selection)
    keywords = partition.keywords(terms)
    worded, _ = keywords.top(CANDIDATES, selection)
    ids = np.union1d(near, worded)
    passages = partition.passages(ids)
    return ids, passages.best(query @ passages.vectors.T), keywords.of(ids)


def _recall(partition: Partition, source: Source, selection: Selection | None) -> float:
    """The share of the ten listings truly nearest, by comparing all passages, that are among the candidates."""
    segment = partition.segments[0]
    halves, owners = segment.index.halves(), segment.owners
    queries = np.concatenate([query for query, _ in source.searches[:20]])
    similarities = np.concatenate(
        [queries @ halves[start : start + 65_536].astype(np.float32).T for start in range(0, len(halves), 65_536)], 1
    )
    best = np.maximum.reduceat(similarities, segment.starts[:-1], axis=1)
    if selection is not None:
        best[:, ~selection.masks[0]] = -np.inf
    assert len(owners) == similarities.shape[1]  # noqa: S101 - every passage has its listing
    shares = []
    for query, row in zip(queries, best, strict=True):
        nearest = np.argsort(-row)[:10]
        nearest = segment.ids[nearest[np.isfinite(row[nearest])]]
        found, _ = partition.dense(query[None], CANDIDATES, selection)
        shares.append(np.isin(nearest, found).mean())
    return float(np.mean(shares))


def _times(
    turns: Sequence[tuple[FloatArray, Mapping[str, float]]], step: Callable[[FloatArray, Mapping[str, float]], object]
) -> list[tuple[float, float]]:
    """Milliseconds on the clock and of this thread's processor time."""
    took = []
    for query, terms in turns:
        started, worked = time.perf_counter(), time.thread_time()
        step(query, terms)
        took.append((1000 * (time.perf_counter() - started), 1000 * (time.thread_time() - worked)))
    return took


def _timing(step: str, took: Sequence[tuple[float, float]], recall: float | None = None) -> Timing:
    (p50, cpu_p50), (p95, cpu_p95) = np.percentile(np.array(took), [50, 95], axis=0).round(2).tolist()
    return Timing(step, p50, p95, cpu_p50, cpu_p95, recall)


def _shares(rng: np.random.Generator, size: int, labels: Names) -> np.ndarray:
    """Labels such that each filter of SHARES lets its share pass."""
    draw, column, reached = rng.random(size), np.full(size, labels.add("rest"), np.int32), 0.0
    for share, filters in SHARES.values():
        (name,) = filters.languages
        column[(draw >= reached) & (draw < reached + share)] = labels.add(name)
        reached += share
    return column


def _postings(source: Source, listings: int, vocabulary: Vocabulary, rng: np.random.Generator) -> Postings:
    words = [np.array([vocabulary.add(term) for term in sentence], np.int64) for sentence in source.sentences]
    rare = np.array([vocabulary.add(f"rare{number}") for number in range(RARE_WORDS)], np.int64)
    pool, sizes = np.concatenate(words), np.array([len(some) for some in words])
    starts = np.cumsum(sizes) - sizes
    parts = []
    for some in _portions(listings):
        chosen = rng.integers(len(words), size=(some, SENTENCES_EACH))
        lengths = sizes[chosen]
        total = int(lengths.sum())
        offsets = np.arange(total) - np.repeat(np.cumsum(lengths.ravel()) - lengths.ravel(), lengths.ravel())
        common = pool[np.repeat(starts[chosen].ravel(), lengths.ravel()) + offsets]
        owners = np.repeat(np.arange(some), lengths.sum(1))
        tail = rare[(rng.pareto(0.6, (some, RARE_WORDS_EACH)) % RARE_WORDS).astype(np.int64)]
        terms = np.concatenate([common, tail.ravel()])
        rows = np.concatenate([owners, np.repeat(np.arange(some), RARE_WORDS_EACH)])
        pairs, counts = np.unique(terms * some + rows, return_counts=True)
        terms, rows = np.divmod(pairs, some)
        lengths = np.bincount(rows, counts, some).astype(np.float32)
        often = np.minimum(counts, np.iinfo(np.uint8).max).astype(np.uint8)
        parts.append(Postings.of(terms.astype(np.int32), rows.astype(np.int32), often, lengths))
    vocabulary.settle()
    return Postings.joined(parts)


def _portions(total: int, most: int = BLOCK) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]


@click.command()
@click.option("--listings", default=LISTINGS, show_default=True, help="How many listings to grow.")
@click.option("--rounds", default=ROUNDS, show_default=True, help="Searches a step.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(listings: int, rounds: int, as_json: bool) -> None:
    """Time the search for candidates in a large collection grown from the demo exchange."""
    found = measure(demo_source(), listings, rounds=rounds, report=lambda what: click.echo(f"… {what}", err=True))
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo(
        f"{found.listings:,} listings, {found.passages:,} passages, built in {found.build_seconds} s; "
        f"{found.bytes_per_passage} bytes a passage in memory and {found.vector_bytes_per_passage} for exact vectors "
        f"(in a file, with a snapshot); a change {found.change_ms} ms"
        + ("." if found.merge_seconds is None else f", a merge {found.merge_seconds} s.")
    )
    for timing in found.timings:
        recall = "" if timing.recall is None else f"   recall@10 {timing.recall:.3f}"
        click.echo(
            f"{timing.step:42} p50 {timing.p50:7.2f} ms   p95 {timing.p95:7.2f} ms   "
            f"(CPU {timing.cpu_p50:7.2f} and {timing.cpu_p95:7.2f}){recall}"
        )


if __name__ == "__main__":
    bench()
