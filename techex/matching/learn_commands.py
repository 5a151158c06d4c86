"""`techex learn`: verdicts on matches, and what is learned from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from techex.core.context import command_line_context
from techex.core.database import Database
from techex.core.terminal import bar
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.interchange.demo import demo_exchange
from techex.matching import learning, simulation, training, verdicts, versions
from techex.matching.gold import gold_set
from techex.matching.judged import read_set
from techex.matching.simulation import Simulation
from techex.matching.tables import LearnedVersion
from techex.matching.verdicts import Judgement, Refusal
from techex.migrations import run
from techex.settings import Settings, load_settings

_PATH = click.Path(path_type=Path, dir_okay=False)
# Verdicts that are simulated: as many as the last of the three lessons needs.
SIMULATED = learning.MAP_FROM_PAIRS
ROUNDS = 5


@click.group()
def learn() -> None:
    """Learn from verdicts on matches; nothing is applied until you activate it, and one command takes it back."""


@learn.command("judge")
@click.argument("need", type=int)
@click.argument("offer", type=int)
@click.argument("judgement", type=click.Choice([each.value for each in Judgement]))
@click.option("--reason", type=click.Choice([each.value for each in Refusal]), help="Why not; needed for no.")
@click.option("--text", default="", help="In words; needed for the reason other.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def judge(need: int, offer: int, judgement: str, reason: str | None, text: str, as_json: bool) -> None:
    """Say whether the offer numbered OFFER answers the need numbered NEED: fit, partly or no.

    Kept with the numbers the pair is shown with now. A second verdict on a pair takes the place of the first.
    """
    settings, context = load_settings(), command_line_context()
    with _database(settings) as database:
        shown = training.shown(settings, database, context, need, offer)
        with database.transaction() as session:
            why = Refusal(reason) if reason else None
            verdict = verdicts.give(session, context, need, offer, Judgement(judgement), shown, why, text)
            kept = verdict.id
    if as_json:
        click.echo(json.dumps({"verdict": kept, "shown": shown.as_dict()}))
    else:
        click.echo(
            f"Verdict {kept} kept: {judgement}. The pair stands at place {shown.rank}, strength {shown.strength:.0f}."
        )


@learn.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:
    """Show how many verdicts there are, what can be learned from so many, and what is active."""
    settings = load_settings()
    with _database(settings) as database, database.reading() as session:
        counts = verdicts.counts(session)
        active = versions.active(session, load_card(settings.card).key)
    lessons = {
        "strength": (counts.teaching, learning.CALIBRATE_FROM),
        "factors": (counts.teaching, learning.WEIGH_FROM),
        "map": (counts.teaching, learning.MAP_FROM_PAIRS),
    }
    if as_json:
        progress = {name: {"have": have, "from": least} for name, (have, least) in lessons.items()}
        click.echo(json.dumps(asdict(counts) | {"lessons": progress, "active": _row(active) if active else None}))
        return
    click.echo(
        f"{counts.verdicts} verdicts on {counts.pairs} pairs of {counts.needs} needs; {counts.teaching} of them teach "
        "(both listings public, and the reason is about the pair)."
    )
    for kind, numbers in (("Judgements", counts.by_judgement), ("Reasons", counts.by_reason)):
        if numbers:
            click.echo(f"{kind}: {', '.join(f'{name} {number}' for name, number in sorted(numbers.items()))}.")
    for name, (have, needed) in lessons.items():
        click.echo(f"  {name}: " + ("enough verdicts" if have >= needed else f"{have} of {needed} verdicts"))
    click.echo(
        f"Active: version {active.id} ({active.version})." if active else "Active: nothing; the ranking is bare."
    )


@learn.command("train")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def train(as_json: bool) -> None:
    """Learn from all verdicts and keep the result as a candidate; nothing changes until it is activated."""
    settings = load_settings()
    with _database(settings) as database, bar("Ranking needs", as_json) as update:
        done = training.train(settings, database, command_line_context(), update)
    steps = [asdict(step) for step in done.candidate.steps]
    if as_json:
        counts = {"verdicts": done.verdicts, "pairs": done.pairs, "needs": done.needs}
        click.echo(json.dumps(counts | {"kept_as": done.kept_as, "steps": steps}))
        return
    click.echo(f"{done.verdicts} verdicts on {done.pairs} pairs of {done.needs} needs.")
    _show_steps(steps)
    if done.kept_as is None:
        click.echo("Nothing to keep.")
    else:
        click.echo(f"Kept as version {done.kept_as}, not applied. `techex learn activate {done.kept_as}` applies it.")


@learn.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_versions(as_json: bool) -> None:
    """List what was learned, newest first, with what each part was worth."""
    settings = load_settings()
    key = load_card(settings.card).key
    with _database(settings) as database, database.reading() as session:
        rows = versions.versions(session, key)
        active = versions.active(session, key)
    if as_json:
        click.echo(json.dumps([_row(row) | {"active": active is not None and row.id == active.id} for row in rows]))
        return
    for row in rows:
        mark = ", active" if active is not None and row.id == active.id else ""
        click.echo(f"Version {row.id} ({row.version}{mark}), {row.made_at:%Y-%m-%d %H:%M} UTC, {row.verdicts} verdicts")
        _show_steps(row.report)
    if not rows:
        click.echo("Nothing was learned yet. `techex learn train` learns from the verdicts there are.")


@learn.command("activate")
@click.argument("version", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def activate(version: int, as_json: bool) -> None:
    """Apply the learned version numbered VERSION from the next search on."""
    settings = load_settings()
    with _database(settings) as database, database.transaction() as session:
        row = versions.activate(session, command_line_context(), load_card(settings.card).key, version)
        shown = _row(row)
    click.echo(json.dumps(shown) if as_json else f"Version {version} is active. `techex learn revert` takes it back.")


@learn.command("revert")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def revert(as_json: bool) -> None:
    """Take back the last activation; what was active before it is active again."""
    settings = load_settings()
    with _database(settings) as database, database.transaction() as session:
        row = versions.revert(session, command_line_context(), load_card(settings.card).key)
        shown = _row(row) if row else None
    if as_json:
        click.echo(json.dumps({"active": shown}))
    else:
        click.echo(f"Reverted. Active: version {row.id}." if row else "Reverted. Active: nothing; the ranking is bare.")


@learn.command("simulate")
@click.option("--corpus", type=_PATH, help="corpus.jsonl of a judged set (BEIR layout).")
@click.option("--versions", type=_PATH, multiple=True, help="The same documents in another language, under their ids.")
@click.option("--queries", type=_PATH, help="queries.jsonl of the set.")
@click.option("--qrels", type=_PATH, help="qrels.tsv of the set.")
@click.option("--demo", is_flag=True, help="The judged pairs of the demo exchange instead of files.")
@click.option("--verdicts", "count", type=click.IntRange(1), default=SIMULATED, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True, help="Ways to divide the needs.")
@click.option(
    "--noise", type=click.FloatRange(0, 1), default=simulation.NOISE, show_default=True, help="Wrong verdicts."
)
@click.option("--screening", is_flag=True, help="Readers judge the first five of a list; else they stop at a fit.")
@click.option("--raw", is_flag=True, help="Leave vectors as the model gives them: a ranking with room above it.")
@click.option("--own", type=click.IntRange(1), help="Judge so many of a need's list; measure the rest of that list.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def simulate(
    corpus: Path | None,
    versions: tuple[Path, ...],
    queries: Path | None,
    qrels: Path | None,
    demo: bool,
    count: int,
    rounds: int,
    noise: float,
    screening: bool,
    raw: bool,
    own: int | None,
    as_json: bool,
) -> None:
    """Try on judged pairs what verdicts would teach: half of the needs are judged, the other half is measured.

    With --own, verdicts on the first of a need's list are heeded by the order of the rest of it, which is measured.
    """
    files = corpus, queries, qrels
    if demo == any(files) or (not demo and not all(files)) or (demo and (raw or versions)):
        raise click.UsageError("Name --corpus, --queries and --qrels (with --versions, --raw), or --demo.")
    settings = load_settings()
    encoder = load_encoder(
        load_card(settings.card), settings.models_dir, engine=settings.engine or None, threads=settings.threads
    )
    with bar("Embedding texts", as_json) as update:
        if corpus and queries and qrels:
            judged = read_set(corpus, queries, qrels, versions)
            cases, texts = simulation.cases_of(judged, encoder, update, raw=raw), simulation.texts_of(judged)
        else:
            cases = simulation.cases_of_demo(gold_set(demo_exchange(), encoder, progress=update))
            texts = simulation.texts_of_demo(demo_exchange())
    with bar("Learning", as_json) as update:
        if own:
            done = simulation.simulate_own(
                cases, texts, verdicts=count, each=own, rounds=rounds, noise=noise, progress=update
            )
        else:
            done = simulation.simulate(
                cases, verdicts=count, rounds=rounds, noise=noise, screening=screening, progress=update
            )
    if as_json:
        click.echo(json.dumps(asdict(done) | {"before": done.before, "after": done.after}))
    else:
        _show_simulation(done, own is not None)


def _show_simulation(done: Simulation, own: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("round", "verdicts", "fits", "learned", "nDCG@10 before", "after", "gain"):
        table.add_column(heading, justify="left" if heading == "learned" else "right")
    for number, each in enumerate(done.rounds, 1):
        taken = ", ".join(step.name for step in each.steps if step.accepted) or "nothing"
        before, after = each.unseen.before, each.unseen.after
        figures = (f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}")
        table.add_row(str(number), str(each.verdicts), str(each.fits), taken, *figures)
    table.add_row("mean", "", "", "", f"{done.before:.3f}", f"{done.after:.3f}", f"{done.after - done.before:+.3f}")
    Console().print(table)
    measured = "the rest of the lists that were judged" if own else "the half of the needs without verdicts"
    click.echo(f"{done.needs} needs, {done.documents} documents; measured on {measured}.")


def _show_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    for step in steps:
        measured = step["measured"]
        figures = f" ({measured['before']:.3f} -> {measured['after']:.3f})" if measured else ""
        click.echo(f"  {step['name']}: {'in' if step['accepted'] else 'left out'}, {step['reason']}{figures}")


def _row(row: LearnedVersion) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "made_at": row.made_at.isoformat(),
        "made_by": row.made_by,
        "verdicts": row.verdicts,
        "pairs": row.pairs,
        "factors": row.content["factors"],
        "calibration": row.content["calibration"],
        "map": row.content["query_map"] is not None,
        "steps": row.report,
    }


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_address)
    try:
        run.require_current(database)
        yield database
    finally:
        database.close()
