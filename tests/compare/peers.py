"""What people would use instead of TechEx, each as its own documentation shows it. Runs in an environment of its own.

    python peers.py vectors FOLDER MODEL      texts to vectors, once for all peers, with sentence-transformers
    python peers.py NAME FOLDER               one peer on all sets; prints one JSON object

Knows nothing of TechEx: it reads and writes files. All peers get the same vectors; none may use the network.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

DEEP = 100  # documents asked for of each query; figures look at the first ten
SHOWN = 10
FUSION = 60  # the constant of reciprocal rank fusion, as in the paper (Cormack et al. 2009)
PAGE_BYTES = 4096

Rows = list[dict[str, str]]


class Peer(Protocol):
    """An index over documents with vectors and a region each."""

    def __init__(self, documents: Rows, vectors: np.ndarray) -> None: ...

    def search(self, text: str, vector: np.ndarray, k: int, region: str | None) -> list[str]:
        """Ids of at most k documents, best first, of one region if it is given."""


class Cosine:
    """sentence-transformers: `util.semantic_search` over all vectors, or over those of a region."""

    package = "sentence-transformers"

    def __init__(self, documents: Rows, vectors: np.ndarray) -> None:
        import torch
        from sentence_transformers import util

        self._search = util.semantic_search
        self._vectors = torch.from_numpy(vectors)
        self._ids = [row["id"] for row in documents]
        self._regions = np.array([row.get("region", "") for row in documents])

    def search(self, text: str, vector: np.ndarray, k: int, region: str | None) -> list[str]:
        import torch

        rows = None if region is None else np.flatnonzero(self._regions == region)
        vectors = self._vectors if rows is None else self._vectors[torch.from_numpy(rows)]
        hits = self._search(torch.from_numpy(vector[None]), vectors, top_k=k)[0]
        return [self._ids[hit["corpus_id"] if rows is None else rows[hit["corpus_id"]]] for hit in hits]


class BM25:
    """bm25s with its own tokenizer."""

    package = "bm25s"

    def __init__(self, documents: Rows, vectors: np.ndarray) -> None:
        import bm25s

        self._bm25s = bm25s
        self._index = bm25s.BM25()
        self._index.index(
            bm25s.tokenize([row["text"] for row in documents], stopwords=None, show_progress=False),
            show_progress=False,
        )
        self._ids = [row["id"] for row in documents]
        self._regions = np.array([row.get("region", "") for row in documents])

    def search(self, text: str, vector: np.ndarray, k: int, region: str | None) -> list[str]:
        tokens = self._bm25s.tokenize([text], stopwords=None, show_progress=False)
        mask = None if region is None else (self._regions == region).astype(np.float32)
        found, scores = self._index.retrieve(tokens, k=min(k, len(self._ids)), weight_mask=mask, show_progress=False)
        return [self._ids[row] for row, score in zip(found[0], scores[0], strict=True) if score > 0]


class Fusion:
    """bm25s and the cosine, put together by reciprocal rank fusion."""

    package = "bm25s"

    def __init__(self, documents: Rows, vectors: np.ndarray) -> None:
        self._legs: Sequence[Peer] = (BM25(documents, vectors), Cosine(documents, vectors))

    def search(self, text: str, vector: np.ndarray, k: int, region: str | None) -> list[str]:
        scores: dict[str, float] = {}
        for leg in self._legs:
            for rank, name in enumerate(leg.search(text, vector, DEEP, region), start=1):
                scores[name] = scores.get(name, 0.0) + 1 / (FUSION + rank)
        return sorted(scores, key=lambda name: -scores[name])[:k]


class Txtai:
    """txtai with `hybrid` and `content`, vectors handed in, the region as a condition of its SQL."""

    package = "txtai"

    def __init__(self, documents: Rows, vectors: np.ndarray) -> None:
        from txtai import Embeddings

        self._vectors = dict(zip((row["text"] for row in documents), vectors, strict=True))
        # A plain function: a method would be taken for a class that makes one.
        self._embeddings = Embeddings(
            method="external", transform=lambda texts: self._given(texts), hybrid=True, content=True
        )
        self._embeddings.index((row["id"], {"text": row["text"], "region": row.get("region", "")}) for row in documents)
        self._vectors = {}

    def _given(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self._vectors[text] for text in texts])

    def search(self, text: str, vector: np.ndarray, k: int, region: str | None) -> list[str]:
        self._vectors = {text: vector}
        condition = "" if region is None else " and region = :region"
        found = self._embeddings.search(
            f"select id, score from txtai where similar(:text){condition}",
            k,
            parameters={"text": text, "region": region},
        )
        return [row["id"] for row in found]


class Chroma:
    """A Chroma collection in memory, vectors handed in, the region as `where`."""

    package = "chromadb"

    def __init__(self, documents: Rows, vectors: np.ndarray) -> None:
        import chromadb

        client = chromadb.EphemeralClient(chromadb.config.Settings(anonymized_telemetry=False))
        # Ephemeral clients of one process share their collections.
        name = f"documents-{time.monotonic_ns()}"
        self._collection = client.create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        step = client.get_max_batch_size()
        for start in range(0, len(documents), step):
            some = documents[start : start + step]
            self._collection.add(
                ids=[row["id"] for row in some],
                embeddings=vectors[start : start + step],
                documents=[row["text"] for row in some],
                metadatas=[{"region": row.get("region", "none")} for row in some],
            )
        self._count = len(documents)

    def search(self, text: str, vector: np.ndarray, k: int, region: str | None) -> list[str]:
        found = self._collection.query(
            query_embeddings=vector[None],
            n_results=min(k, self._count),
            where=None if region is None else {"region": region},
            include=[],
        )
        ids: list[str] = found["ids"][0]
        return ids


PEERS: dict[str, Callable[[Rows, np.ndarray], Peer]] = {
    "cosine": Cosine,
    "bm25": BM25,
    "fusion": Fusion,
    "txtai": Txtai,
    "chroma": Chroma,
}


def run(name: str, folder: Path) -> dict[str, Any]:
    """Ranked ids for every query of every set, and how fast and how large the peer is on the large collection."""
    make = PEERS[name]
    lists = {}
    for part in sorted(path for path in folder.iterdir() if path.is_dir() and path.name != "speed"):
        documents, queries = read(part / "documents.jsonl"), read(part / "queries.jsonl")
        peer = make(documents, np.load(part / "documents.npy"))
        vectors = np.load(part / "queries.npy")
        lists[part.name] = [
            peer.search(row["text"], vector, DEEP, None) for row, vector in zip(queries, vectors, strict=True)
        ]
        del peer
    package = getattr(make, "package")  # noqa: B009 - a class attribute that the callable type does not tell
    return {"version": f"{package} {version(package)}", "lists": lists, "speed": speed(make, folder / "speed")}


def speed(make: Callable[[Rows, np.ndarray], Peer], folder: Path) -> dict[str, float]:
    """Seconds to index, milliseconds a filtered query, megabytes, and how many of ten places are filled, rightly."""
    queries, asked = read(folder / "queries.jsonl"), np.load(folder / "queries.npy")
    peer = make(read(folder / "documents.jsonl")[:64], np.load(folder / "documents.npy")[:64])
    peer.search(queries[0]["text"], asked[0], SHOWN, None)  # what is loaded at the first use is no part of the index
    del peer
    before = resident()
    documents, vectors = read(folder / "documents.jsonl"), np.load(folder / "documents.npy")
    began = time.perf_counter()
    peer = make(documents, vectors)
    seconds = time.perf_counter() - began
    names, regions = [row["id"] for row in documents], np.array([row["region"] for row in documents])
    del documents
    if not isinstance(peer, Cosine | Fusion):
        del vectors  # the others keep their own copy
    found, durations = [], []
    for row, vector in zip(queries, asked, strict=True):
        start = time.perf_counter()
        found.append(peer.search(row["text"], vector, SHOWN, row["region"]))
        durations.append(1000 * (time.perf_counter() - start))
    megabytes = (resident() - before) / 1e6
    exact = np.load(folder / "documents.npy")
    right = []
    for row, vector, ids in zip(queries, asked, found, strict=True):
        rows = np.flatnonzero(regions == row["region"])
        best = rows[np.argsort(-(exact[rows] @ vector))[:SHOWN]]
        right.append(len({names[place] for place in best} & set(ids)) / SHOWN)
    return {
        "index_s": seconds,
        "p50_ms": float(np.percentile(durations, 50)),
        "p95_ms": float(np.percentile(durations, 95)),
        "megabytes": megabytes,
        "filled": float(np.mean([len(ids) / SHOWN for ids in found])),
        "neighbours": float(np.mean(right)),
    }


def encode(folder: Path, model: str) -> dict[str, Any]:
    """Vectors of all judged texts, with the prefixes that the model's own documentation names."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(model, device="cpu", local_files_only=True)
    known: dict[str, np.ndarray] = {}  # sets share documents: each text is embedded once
    began = time.perf_counter()
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        for name, prefix in (("documents", "passage: "), ("queries", "query: ")):
            if part.name == "speed" and name == "documents":
                continue  # grown from real ones
            texts = [prefix + row["text"] for row in read(part / f"{name}.jsonl")]
            new = [text for text in dict.fromkeys(texts) if text not in known]
            if new:
                vectors = encoder.encode(new, batch_size=16, normalize_embeddings=True, show_progress_bar=False)
                known |= dict(zip(new, vectors.astype(np.float32), strict=True))
            np.save(part / f"{name}.npy", np.stack([known[text] for text in texts]))
    return {"texts": len(known), "seconds": time.perf_counter() - began}


def read(path: Path) -> Rows:
    """The rows of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def resident() -> int:
    """Bytes of memory this process holds, after giving back what it can."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


def main() -> None:
    """Run one step and print its result as JSON on the last line."""
    step, folder = sys.argv[1], Path(sys.argv[2])
    result = encode(folder, sys.argv[3]) if step == "vectors" else run(step, folder)
    print(json.dumps(result))  # noqa: T201 - the result of this script


if __name__ == "__main__":
    main()
