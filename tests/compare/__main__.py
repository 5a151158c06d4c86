"""`make compare`: the same texts through TechEx and through what people would use instead, as one Markdown table.

    python -m tests.compare [--data FOLDER]

Builds an environment of its own beside the checkout for the others (.venv-compare; the versions of torch and its
kin are those of this environment, so that a vector is the same vector), writes all texts to a temporary folder and
runs one system after the other on them, each in a process of its own, without network, on one thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np

from techex import paths
from techex.matching import metrics
from techex.matching.judged import JudgedSet
from techex.settings import load_settings
from tests.compare import sets

HERE = Path(__file__).parent
VENV = paths.CHECKOUT / ".venv-compare"
MODEL = "multilingual-e5-small"
PACKAGES = {
    "sentence-transformers": "sentence-transformers>=6,<7",
    "bm25s": "bm25s>=0.3,<0.4",
    "txtai": "txtai>=9.14,<10",
    "chromadb": "chromadb>=1.5,<2",
}
SHARED = ("torch", "numpy", "sentence-transformers", "transformers", "tokenizers", "faiss-cpu")
# Column -> (step of peers.py, the packages it needs)
SYSTEMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "cosine (sentence-transformers)": ("cosine", ("sentence-transformers",)),
    "BM25 (bm25s)": ("bm25", ("bm25s",)),
    "BM25 + cosine, RRF 60": ("fusion", ("bm25s", "sentence-transformers")),
    "txtai hybrid": ("txtai", ("txtai",)),
    "Chroma": ("chroma", ("chromadb",)),
}
OURS = "TechEx"
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
SPEED_ROWS = (
    ("index, s", "index_s", "{:.1f}"),
    ("filtered query p50, ms", "p50_ms", "{:.1f}"),
    ("filtered query p95, ms", "p95_ms", "{:.1f}"),
    ("memory, MB", "megabytes", "{:.0f}"),
    ("places filled of ten", "filled", "{:.0%}"),
    ("nearest neighbours kept under the filter", "neighbours", "{:.0%}"),
)


def install() -> dict[str, str]:
    """Make the environment; returns for each package that cannot be installed what the installer said last."""
    if not (VENV / "bin" / "python").exists():
        venv.create(VENV, with_pip=True)
    constraints = VENV / "constraints.txt"
    # Without the part after "+": a build for the CPU and one for a GPU are the same version.
    pins = "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in SHARED)
    constraints.write_text(pins, encoding="utf-8")
    refused = {}
    for name, wanted in PACKAGES.items():
        command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--constraint", str(constraints)]
        done = subprocess.run([*command, wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            refused[name] = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return refused


def step(python: Path, *arguments: str, threads: int = 1) -> dict[str, Any]:
    """Run one step in its own process; returns what it printed last. A failure comes back as {"failed": reason}."""
    # Embedding may use all cores; what is timed runs on the one thread of OFFLINE.
    environment = os.environ | OFFLINE | {"OMP_NUM_THREADS": str(threads), "TECHEX_THREADS": str(os.cpu_count() or 1)}
    done = subprocess.run(
        [str(python), *arguments], capture_output=True, text=True, check=False, env=environment, cwd=paths.CHECKOUT
    )
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def quality(judged: Mapping[str, JudgedSet], names: Mapping[str, str], lists: Mapping[str, Any]) -> dict[str, float]:
    """nDCG@10 of ranked ids, by label of the set."""
    return {
        label: float(
            np.mean(
                [
                    metrics.ndcg(ranked, of_set.grades[query.id])
                    for query, ranked in zip(of_set.judged_queries, lists[names[label]], strict=True)
                ]
            )
        )
        for label, of_set in judged.items()
    }


def table(judged: Mapping[str, JudgedSet], results: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole comparison as a Markdown table; the best of each row is bold."""
    columns = list(results)
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for label, of_set in judged.items():
        size = f"{len(of_set.documents):,} × {len(of_set.judged_queries):,}"
        values = [results[name].get("quality", {}).get(label) for name in columns]
        lines.append(_row(f"nDCG@10: {label} ({size})", values, "{:.3f}", max))
    for label, key, form in SPEED_ROWS:
        values = [results[name].get("speed", {}).get(key) for name in columns]
        best = max if key in ("filled", "neighbours") else min
        lines.append(_row(label, values, form, best))
    return "\n".join(lines)


def _row(label: str, values: Sequence[float | None], form: str, best: Any) -> str:
    known = [form.format(value) for value in values if value is not None]
    leader = form.format(best(value for value in values if value is not None)) if known else ""
    cells = ["–" if value is None else form.format(value) for value in values]
    return f"| {label} | " + " | ".join(f"**{cell}**" if cell == leader else cell for cell in cells) + " |"


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of judged sets in the BEIR layout, one folder each; without it the demo exchange alone is measured.",
)
def compare(data: Path | None) -> None:
    """Print the table."""
    click.echo("Installing what TechEx is compared with …", err=True)
    refused = install()
    judged = sets.judged_sets(data)
    with tempfile.TemporaryDirectory(prefix="techex-compare-") as name:
        folder = Path(name)
        names = {label: f"set{number:02}" for number, label in enumerate(judged)}
        for label, of_set in judged.items():
            sets.write_judged(folder / names[label], of_set)
        sets.write_speed(folder / "speed")
        grades = {names[label]: of_set.grades for label, of_set in judged.items()}
        (folder / "grades.json").write_text(json.dumps(grades), encoding="utf-8")
        results, notes = _run(folder, judged, names, refused)
    click.echo(table(judged, results))
    versions = dict.fromkeys(result["version"] for result in results.values() if "version" in result)
    click.echo(f"\n{', '.join(versions)}, torch {version('torch')}.")
    click.echo(
        f"All with the weights of {MODEL}; the others get one vector a text from sentence-transformers with the "
        f"prefixes of the model's card, cut at 512 tokens; bm25s has its own tokenizer, no stop words and no stemmer, "
        f"as texts are in many languages. Speed: {sets.LISTINGS:,} listings, vectors handed in, one thread, a filter "
        f"for one region of {sets.REGIONS}, ten results, embedding the query left out. TechEx keeps several vectors a "
        "listing and ranks by all of its parts; its neighbours are not those of one cosine, so that row is empty."
    )
    for note in notes:
        click.echo(note)
    click.echo(f"`make compare{f' DATA={data}' if data else ''}`")


def _run(
    folder: Path, judged: Mapping[str, JudgedSet], names: Mapping[str, str], refused: Mapping[str, str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    python, notes = VENV / "bin" / "python", []
    results: dict[str, dict[str, Any]] = {}
    click.echo("Embedding the texts for the others …", err=True)
    model = str(load_settings().models_dir / MODEL)
    made = step(python, str(HERE / "peers.py"), "vectors", str(folder), model, threads=os.cpu_count() or 1)
    if "failed" in made:
        raise click.ClickException(f"sentence-transformers made no vectors: {made['failed']}")
    real = np.concatenate([np.load(folder / names[label] / "documents.npy") for label in list(judged)[:1]])
    np.save(folder / "speed" / "documents.npy", sets.grow(real, sets.LISTINGS, seed=1))
    for label, (name, needs) in SYSTEMS.items():
        if missing := [package for package in needs if package in refused]:
            results[label] = {}
            notes.append(f"{label}: {missing[0]} could not be installed here ({refused[missing[0]]}).")
            continue
        click.echo(f"{label} …", err=True)
        result = step(python, str(HERE / "peers.py"), name, str(folder))
        if "failed" in result:
            notes.append(f"{label}: failed ({result['failed']}).")
        else:
            result["quality"] = quality(judged, names, result["lists"])
        results[label] = result
    click.echo(f"{OURS} …", err=True)
    ours = step(Path(sys.executable), "-m", "tests.compare.ours", str(folder))
    if "failed" in ours:
        raise click.ClickException(f"TechEx itself failed: {ours['failed']}")
    ours["quality"] = {label: ours["quality"][names[label]] for label in judged}
    results[OURS] = ours
    return results, notes


if __name__ == "__main__":
    compare()
