"""`techex match` and `techex evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from techex.core.context import command_line_context
from techex.core.database import Database
from techex.core.terminal import bar
from techex.core.text import clean
from techex.embedding.cards import load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.embedding.encoders import Progress as Report
from techex.errors import BadInput
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching import evaluated
from techex.matching.rules import Filters, Match, MatchPage
from techex.migrations import run
from techex.regions import service as regions
from techex.settings import Settings, load_settings

if TYPE_CHECKING:
    from techex.matching.evaluation import Evaluation

PLACES = 3  # decimals of a ratio on a terminal; the JSON has them all


@click.command()
@click.argument("text")
@click.option(
    "--for", "kind", type=click.Choice([kind.value for kind in Kind]), default="offer", help="What to look for."
)
@click.option("--lang", "language", help="Language of the text (ISO 639-1) where it is detected wrongly.")
@click.option("--region", "places", multiple=True, help="Only from this region, province or country (name or code).")
@click.option("--field", "fields", multiple=True, help="Only in this field of science (code, or a group's digit).")
@click.option("--trl", "trl_min", type=click.IntRange(1, 9), help="Only from this readiness level on.")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True, help="Which ten matches.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def match(
    text: str,
    kind: str,
    language: str | None,
    places: Sequence[str],
    fields: Sequence[str],
    trl_min: int | None,
    page: int,
    as_json: bool,
) -> None:
    """Match TEXT, in any language, against the exchange; where nothing suitable is listed, the closest."""
    from techex.matching.service import Matcher

    filters = _filters(places, fields, trl_min)
    text = clean(text, "text")
    if not any(character.isalnum() for character in text):
        raise BadInput("The text holds no word to search for. Describe the problem in a sentence or two.")
    settings = load_settings()
    database = Database(settings.database_address)
    try:
        run.require_current(database)
        with database.reading() as session:
            found = Matcher(settings, database).matches_for_text(
                session, command_line_context(), text, Kind(kind), language, filters=filters, page=page
            )
            if as_json:
                click.echo(json.dumps([_as_dict(settings, one) for one in found.matches], ensure_ascii=False))
            else:
                _show_matches(settings, found)
    finally:
        database.close()


@click.command("evaluate")
@click.option("--corpus", type=click.Path(path_type=Path), help="Documents: JSONL with _id, title, text.")
@click.option("--queries", type=click.Path(path_type=Path), help="Queries: JSONL with _id, text.")
@click.option("--qrels", type=click.Path(path_type=Path), help="Judgments: TSV with query-id, corpus-id, score.")
@click.option("--demo", is_flag=True, help="Measure on the demo exchange and keep the figures for the quality page.")
@click.option("--card", "card_name", help="Model card to use instead of the one in use.")
@click.option("--ablate", is_flag=True, help="Also measure with each part of matching switched off.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate_command(
    corpus: Path | None,
    queries: Path | None,
    qrels: Path | None,
    demo: bool,
    card_name: str | None,
    ablate: bool,
    as_json: bool,
) -> None:
    """Measure match quality on judged pairs in the BEIR layout, or on the demo exchange.

    Documents are matched by the code that serves the pages; each query stands alone. No database is needed or touched.
    """
    from techex.matching.evaluation import evaluate
    from techex.matching.judged import read_set

    if demo == any((corpus, queries, qrels)) or (not demo and not all((corpus, queries, qrels))):
        raise BadInput("Give --corpus, --queries and --qrels together, or --demo alone.")
    judged = read_set(corpus, queries, qrels) if corpus and queries and qrels else None
    settings = load_settings(**({"card": card_name} if card_name else {}))
    encoder = _encoder(settings)
    with bar("Embedding texts", as_json) as progress:
        if judged is None:
            _evaluate_demo(settings, encoder, ablate, as_json, progress)
            return
        found = evaluate(judged, encoder, ablate=ablate, progress=progress)
    if as_json:
        click.echo(json.dumps(_as_row(found)))
    else:
        _show_evaluation(found)


def _encoder(settings: Settings) -> Encoder:
    card = load_card(settings.card)
    return load_encoder(card, settings.models_dir, engine=settings.engine or None, threads=settings.threads)


def _evaluate_demo(settings: Settings, encoder: Encoder, ablate: bool, as_json: bool, progress: Report) -> None:
    from techex.matching.gold_evaluation import evaluate_demo

    engine = settings.engine or encoder.card.engine.name
    measured = evaluate_demo(encoder, engine, datetime.now(UTC), ablate=ablate, progress=progress)
    if not ablate:
        measured = _with_known_ablation(settings, measured)
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
            f"Nothing suitable: said of {measured.abstention.said_so} of {measured.abstention.unmatched} needs without "
            f"a fitting result, and of {measured.abstention.wrongly} of {measured.abstention.matched} others. "
            f"Vietnamese and English versions share {measured.parallel.overlap:.0%} of their first five."
        )
    click.echo(f"Kept for the quality page in {path}.")


def _with_known_ablation(settings: Settings, measured: evaluated.Measured) -> evaluated.Measured:
    """The ablation of the last run stays, if it was of the same card."""
    before = evaluated.load(settings.data_dir)
    if before is None or before.card != measured.card:
        return measured
    return measured.model_copy(update={"ablation": before.ablation})


def _region(listing: Listing) -> str:
    """The socio-economic region of a province, or the country."""
    region = regions.region_of(listing.province)
    return regions.region_name(region, "en") if region else regions.country_name(listing.country, "en")


def _filters(places: Sequence[str], fields: Sequence[str], trl_min: int | None) -> Filters:
    """Raises BadInput for a place that nobody calls so."""
    chosen: dict[str, list[str]] = {"regions": [], "provinces": [], "countries": []}
    for name in places:
        place = regions.place_of_code(name) or regions.find_place(name)
        if region := regions.find_region(name):
            chosen["regions"].append(region)
        elif place is None:
            known = ", ".join(regions.regions())
            raise BadInput(
                f"--region: {name!r} is no place known here. Expected a province, a country, or one of {known}."
            )
        elif place.province:
            chosen["provinces"].append(place.province)
        else:
            chosen["countries"].append(place.country)
    return Filters(
        fields=tuple(fields),
        trl_min=trl_min,
        countries=tuple(chosen["countries"]),
        provinces=tuple(chosen["provinces"]),
        regions=tuple(chosen["regions"]),
    )


def _as_dict(settings: Settings, found: Match) -> dict[str, Any]:
    listing = found.listing
    return {
        "rank": found.rank,
        "kind": listing.kind,
        "title": listing.title,
        "language": listing.language,
        "organisation": listing.organisation.name,
        "region": _region(listing),
        "place": regions.place_name(listing.place, "en"),
        "country": listing.country,
        "strength": found.strength,
        "band": found.band,
        "distance_km": None if found.distance_km is None else round(found.distance_km),
        "reasons": asdict(found.reasons),
        "url": _address(settings, found),
    }


def _address(settings: Settings, found: Match) -> str:
    page = "needs" if found.listing.is_need else "results"
    return f"{settings.base_url.rstrip('/')}/{page}/{found.listing.id}"


def _show_matches(settings: Settings, found: MatchPage) -> None:
    console = Console()
    if not found.suitable:
        console.print("Nothing suitable is listed. The closest:" if found.matches else "Nothing is listed.")
    for note in found.notes:
        console.print(note, style="yellow")
    for one in found.matches:
        listing = one.listing
        console.print(f"[bold]{one.rank}. {listing.title}[/bold]", highlight=False)
        place = regions.place_name(listing.place, "en")
        console.print(f"   {one.strength} ({one.band}) · {listing.organisation.name}, {place}", highlight=False)
        for quote in one.reasons.quotes[:1]:
            console.print(f"   “{quote.theirs}”", style="dim", highlight=False)
        if one.reasons.shared_terms:
            console.print(f"   in common: {', '.join(one.reasons.shared_terms)}", style="dim", highlight=False)
        console.print(f"   {_address(settings, one)}", style="dim", highlight=False)
    if found.pages > 1:
        console.print(f"Page {found.page} of {found.pages}, {found.total} matches.")


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
