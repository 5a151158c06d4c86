"""`techex evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from techex.core.terminal import bar
from techex.embedding.cards import load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.embedding.encoders import Progress as Report
from techex.errors import BadInput
from techex.matching import evaluated
from techex.settings import Settings, load_settings

if TYPE_CHECKING:
    from techex.matching.evaluation import Evaluation
    from techex.matching.parity import Parity

PLACES = 3  # decimals of a ratio on a terminal; the JSON has them all


@click.command("evaluate")
@click.option("--corpus", type=click.Path(path_type=Path), help="Documents: JSONL with _id, title, text.")
@click.option("--queries", type=click.Path(path_type=Path), help="Queries: JSONL with _id, text.")
@click.option("--qrels", type=click.Path(path_type=Path), help="Judgments: TSV with query-id, corpus-id, score.")
@click.option("--demo", is_flag=True, help="Measure on the demo exchange and keep the figures for the quality page.")
@click.option(
    "--parity",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Texts that say the same in two languages: a JSONL file, or a folder of them; may be given several times.",
)
@click.option("--card", "card_name", help="Model card to use instead of the one in use.")
@click.option("--ablate", is_flag=True, help="Also measure with each part of matching switched off.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate_command(
    corpus: Path | None,
    queries: Path | None,
    qrels: Path | None,
    demo: bool,
    parity: Sequence[Path],
    card_name: str | None,
    ablate: bool,
    as_json: bool,
) -> None:
    """Measure match quality on judged pairs in the BEIR layout, parity of languages on parallel texts (JSON lines with
    `_id` and a text under the name of each of two languages), or all of it on the demo exchange.

    Documents are matched by the code that serves the pages; each query stands alone. No database is needed or touched.
    """
    from techex.matching.evaluation import evaluate
    from techex.matching.judged import read_set
    from techex.matching.parity import measure, read_parallel

    if sum((demo, bool(parity), any((corpus, queries, qrels)))) != 1:
        raise BadInput("Give --corpus, --queries and --qrels together, or --parity, or --demo alone.")
    if not demo and not parity and not all((corpus, queries, qrels)):
        raise BadInput("Give --corpus, --queries and --qrels together: documents, queries, and which answers which.")
    sets = [read_parallel(path) for path in _files(parity)]
    judged = read_set(corpus, queries, qrels) if corpus and queries and qrels else None
    settings = load_settings(**({"card": card_name} if card_name else {}))
    encoder = _encoder(settings)
    with bar("Matching texts" if parity else "Embedding texts", as_json) as progress:
        if parity:
            _show_parity(measure(sets, encoder, progress), encoder.card.name, as_json)
            return
        if judged is None:
            _evaluate_demo(settings, encoder, as_json, progress)
            return
        found = evaluate(judged, encoder, ablate=ablate, progress=progress)
    if as_json:
        click.echo(json.dumps(_as_row(found)))
    else:
        _show_evaluation(found)


def _encoder(settings: Settings) -> Encoder:
    card = load_card(settings.card)
    return load_encoder(card, settings.models_dir, engine=settings.engine or None, threads=settings.threads)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files, and of folders those that end with .jsonl, by name."""
    found = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    if paths and not found:
        raise BadInput(f"No file ends with .jsonl in {', '.join(map(str, paths))}. Give files of parallel texts.")
    return found


def _show_parity(found: Parity, card: str, as_json: bool) -> None:
    from techex.matching.parity import FALSE_POSITIVES

    rows: list[dict[str, Any]] = [
        {"languages": pair, "right": ours.right, "auc": ours.auc, "found": ours.found, "auc_raw": raw.auc}
        | {"found_raw": raw.found}
        for pair, ours in found.ours.pairs.items()
        for raw in [found.raw.pairs[pair]]
    ]
    if as_json:
        ratios = {"ratio": found.ours.ratio, "ratio_raw": found.raw.ratio}
        click.echo(json.dumps({"card": card, "false_positives": FALSE_POSITIVES, "pairs": rows} | ratios))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("languages", "right pairs", "AUC", "found", "AUC raw", "found raw"):
        table.add_column(title, justify="left" if title == "languages" else "right")
    for row in rows:
        shares = (f"{row[name]:.{PLACES}f}" for name in ("auc", "found", "auc_raw", "found_raw"))
        table.add_row(" – ".join(row["languages"]), str(row["right"]), *shares)
    Console().print(table)
    said = [f"{each.ratio:.2f}" if each.ratio else "no bound" for each in (found.ours, found.raw)]
    click.echo(
        f"Found: share of right pairs above a mark that {FALSE_POSITIVES:.1%} of random pairs reach, one for all "
        f"languages. Largest over smallest: {said[0]}, by raw cosine {said[1]}. Card {card}."
    )


def _evaluate_demo(settings: Settings, encoder: Encoder, as_json: bool, progress: Report) -> None:
    from techex.matching.gold_evaluation import evaluate_demo

    engine = settings.engine or encoder.card.engine.name
    measured = evaluate_demo(encoder, engine, datetime.now(UTC), progress=progress)
    path = evaluated.save(measured, settings.data_dir)
    if as_json:
        click.echo(measured.model_dump_json(by_alias=True))
        return
    figures = measured.figures.model_dump(by_alias=True)
    click.echo(f"Demo exchange: {measured.needs} needs, {measured.results} results, card {measured.card}.")
    _show_figures(
        [
            ("all parts", figures),
            *((f"without {row.without}", row.model_dump(by_alias=True)) for row in measured.ablation),
        ]
    )
    if measured.abstention and measured.parallel:
        click.echo(
            f"Nothing suitable: said of {_abstained(measured.abstention)}. "
            f"Vietnamese and English versions share {measured.parallel.overlap:.0%} of their first five."
        )
    if measured.exposure:
        _show_exposure(measured.exposure)
    if measured.reliability:
        _show_reliability(measured.reliability)
    if measured.parity:
        _show_demo_parity(measured.parity)
    click.echo(f"Kept for the quality page in {path}.")


def _abstained(told: evaluated.Abstention) -> str:
    return (
        f"{told.said_so} of {told.unmatched} needs without a fitting result, "
        f"and of {told.wrongly} of {told.matched} others"
    )


def _show_reliability(found: evaluated.Reliability) -> None:
    """Calibration by cross-validation, and the weights it was made with beside those in use."""
    click.echo(
        f"Strength over {found.pairs} judged pairs: calibration error {found.error:.3f} by curves fitted without the "
        f"need in question, {found.as_shown:.3f} by the one in use; Brier {found.brier:.3f}."
    )
    if found.of_matches is not None:
        click.echo(f"Among pairs strong enough to be shown: {found.of_matches:.3f}.")
    if found.abstention:
        click.echo(f"By the same curves, nothing suitable is said of {_abstained(found.abstention)}.")
    for point in found.curve:
        click.echo(f"  promised {point.promised:5.1%}  found {point.found:5.1%}  of {point.pairs} pairs")
    for title, curve in (("in use", found.in_use), ("fitted today", found.fitted)):
        click.echo(f"  {title}: " + ", ".join(f"{name} {value:.2f}" for name, value in curve.items()))


def _show_demo_parity(found: evaluated.LanguageParity) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("need", "result", "fitting pairs", "AUC", "found", "AUC raw", "found raw"):
        table.add_column(title, justify="left" if title in ("need", "result") else "right")
    for row in found.pairs:
        ratios = (f"{value:.{PLACES}f}" for value in (row.auc, row.found, row.auc_raw, row.found_raw))
        table.add_row(row.need, row.result, str(row.right), *ratios)
    Console().print(table)
    said = [f"{ratio:.2f}" if ratio else "no bound" for ratio in (found.ratio, found.ratio_raw)]
    click.echo(f"Largest share found over smallest: {said[0]}, by raw cosine {said[1]}.")


def _as_row(found: Evaluation) -> dict[str, Any]:
    row: dict[str, Any] = dict(found.figures)
    row |= {"documents": found.documents, "queries": found.queries, "seconds": found.seconds, "card": found.card}
    if found.ablation:
        row["ablation"] = found.ablation
    return row


def _show_evaluation(found: Evaluation) -> None:
    click.echo(
        f"{found.documents:,} documents, {found.queries:,} queries, card {found.card}: {found.seconds:.1f} s, "
        f"{found.documents_per_second:.1f} documents per second, {found.query_milliseconds:.0f} ms a query."
    )
    without = ((f"without {name}", figures) for name, figures in found.ablation.items())
    _show_figures([("all parts", found.figures), *without])


def _show_figures(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    from techex.matching.evaluation import FIGURES

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in FIGURES:
        table.add_column(name, justify="right")
    for title, figures in rows:
        table.add_row(title, *(f"{figures[name]:.{PLACES}f}" for name in FIGURES))
    Console().print(table)


def _show_exposure(found: evaluated.Exposure) -> None:
    for name, hubs in (("Hubs", found.served), ("with CSLS", found.corrected)):
        click.echo(
            f"{name}: skewness of first tens {hubs.skewness:.2f}, the most shown result in {hubs.most}, "
            f"{hubs.never:.1%} in none; nDCG@10 {hubs.ndcg:.4f}."
        )
    spread = found.spread
    click.echo(
        f"Spread over places (nothing held back by more than {spread.bound:.1f}): nDCG@10 {spread.ndcg:.4f} → "
        f"{spread.ndcg_spread:.4f}, places in the first ten {spread.places:.1f} → {spread.places_spread:.1f}."
    )
