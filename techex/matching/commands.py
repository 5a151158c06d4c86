"""`techex match` and `techex evaluate`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from techex.core.context import command_line_context
from techex.core.database import Database
from techex.core.text import clean
from techex.errors import BadInput
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching.rules import Filters, Match, MatchPage
from techex.migrations import run
from techex.regions import service as regions
from techex.settings import Settings, load_settings

if TYPE_CHECKING:
    pass

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
