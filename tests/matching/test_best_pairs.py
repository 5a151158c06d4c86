"""The best pairs of two territories: who is compared with whom, what is written, who may look."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.errors import BadInput
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching import batch
from techex.matching.best_pairs import COLUMNS, EVERYWHERE, Asked, Count, Pair, territory
from techex.matching.best_pairs_commands import pairs as command
from techex.matching.service import Matcher
from techex.regions.rules import Place
from techex.regions.service import region_of
from techex.search.service import embed_pending
from techex.settings import Settings
from tests.cast import sign_in


@pytest.fixture(scope="module")
def embedded(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo exchange with vectors of the deterministic encoder, as a file."""
    folder = tmp_path_factory.mktemp("embedded")
    shutil.copy(demo_file, folder / "techex.db")
    settings = Settings(data_dir=folder, database_url="", card="hashing", engine="hashing", secret_key="only for tests")
    database = Database(settings.database_address)
    embed_pending(settings, database)
    database.close()
    return folder / "techex.db"


@pytest.fixture
def exchange(settings: Settings, embedded: Path) -> Iterator[Database]:
    """The demo exchange with vectors."""
    shutil.copy(embedded, settings.data_dir / "techex.db")
    database = Database(settings.database_address)
    yield database
    database.close()


def found(
    settings: Settings, exchange: Database, context: Context, asked: Asked, count: Count | None = None
) -> list[Pair]:
    with exchange.reading() as session:
        return list(Matcher(settings, exchange).best_pairs(session, context, asked, count))


def test_pairs_are_those_of_the_pages(
    settings: Settings, exchange: Database, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FEW", 200)  # all results: a page lets its best two hundred speak for their neighbours
    asked = Asked(top=3, least=0)
    pairs = found(settings, exchange, context, asked)
    matcher = Matcher(settings, exchange)
    with exchange.reading() as session:
        for need in session.query(Listing).filter_by(kind=Kind.NEED.value).limit(8):
            page = matcher.matches_for(session, context, need)
            best = [one.listing.id for one in page.matches[:3]]
            own = [pair.offer.id for pair in pairs if pair.need.id == need.id]
            assert own[: len(best)] == best[: len(own)]


def test_only_the_territories_asked_for_are_compared(settings: Settings, exchange: Database, context: Context) -> None:
    origin, application = territory("Hà Nội"), territory("VN")
    one = found(settings, exchange, context, Asked(origin, application, least=0))
    assert one
    assert {pair.offer.place for pair in one} == {Place("VN", "01")}
    assert {pair.need.place.country for pair in one} == {"VN"}
    both = found(settings, exchange, context, Asked(origin, application, both=True, least=0))
    assert len(both) == len({(pair.need.id, pair.offer.id) for pair in both}) > len(one)
    assert all(Place("VN", "01") in (pair.offer.place, pair.need.place) for pair in both)


def test_across_leaves_out_pairs_within_a_region(settings: Settings, exchange: Database, context: Context) -> None:
    for pair in found(settings, exchange, context, Asked(across=True, least=0)):
        ends = [region_of(place.province) or place.country for place in (pair.need.place, pair.offer.place)]
        assert ends[0] != ends[1]


def test_strength_and_number_are_limited(settings: Settings, exchange: Database, context: Context) -> None:
    count = Count()
    pairs = found(settings, exchange, context, Asked(top=1, least=60, most_needs=10), count)
    assert all(pair.strength >= 60 for pair in pairs)
    assert len(pairs) == len({pair.need.id for pair in pairs}) == count.pairs
    assert (count.needs, count.more_needs, count.without_vectors) == (10, True, 0)


def test_no_organisation_is_matched_with_itself(settings: Settings, exchange: Database, context: Context) -> None:
    pairs = found(settings, exchange, context, Asked(top=50, least=0))
    assert all(pair.need.organisation_id != pair.offer.organisation_id for pair in pairs)


def test_what_a_reader_may_not_see_is_in_no_pair(settings: Settings, exchange: Database, context: Context) -> None:
    reader = Context(ANONYMOUS, context.now)
    seen = found(settings, exchange, reader, Asked(least=0))
    with exchange.transaction() as session:
        hidden = session.get(Listing, seen[0].offer.id)
        assert hidden is not None
        hidden.visibility = "members"
    assert seen[0].offer.id not in {pair.offer.id for pair in found(settings, exchange, reader, Asked(least=0))}


@pytest.mark.parametrize(
    ("name", "code"), [("", ""), ("VN-33", "33"), ("bình dương", "79"), ("NL", ""), ("SOUTHEAST", "")]
)
def test_a_territory_goes_by_name_or_code(name: str, code: str) -> None:
    here = territory(name)
    assert (here == EVERYWHERE) == (name == "")
    assert here.filters.provinces == ((code,) if code else ())


def test_a_place_that_nobody_knows_is_refused_with_what_is_expected() -> None:
    with pytest.raises(BadInput, match="Expected a province"):
        territory("Atlantis")


@pytest.fixture
def run(settings: Settings, exchange: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("techex.matching.best_pairs_commands.load_settings", lambda: settings)
    return CliRunner()


def test_a_file_is_written_safe_against_formulas(
    run: CliRunner, exchange: Database, settings: Settings, context: Context, tmp_path: Path
) -> None:
    some = found(settings, exchange, context, Asked(top=1, least=0))[0].need.id
    with exchange.transaction() as session:
        need = session.get(Listing, some)
        assert need is not None
        need.title = "=HYPERLINK(1)"
    path = tmp_path / "pairs.csv"
    done = run.invoke(command, ["--csv", str(path), "--min-strength", "0", "--top", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert tuple(rows[0]) == COLUMNS
    assert [row["need_title"] for row in rows if row["need_id"] == str(some)] == ["'=HYPERLINK(1)"]


def test_json_is_sorted_and_a_terminal_gets_lines(run: CliRunner) -> None:
    told = json.loads(run.invoke(command, ["--json", "--min-strength", "0"], catch_exceptions=False).stdout)
    assert [row["strength"] for row in told] == sorted((row["strength"] for row in told), reverse=True)
    assert told[0]["url"].endswith(f"/pairs/{told[0]['need_id']}/{told[0]['result_id']}")
    shown = run.invoke(command, ["--from", "NL", "--min-strength", "0"], catch_exceptions=False).stdout
    assert "Netherlands" in shown
    assert "pairs of" in shown


def test_an_operator_reads_the_page_and_takes_the_file(demo_app: Flask) -> None:
    client = sign_in(demo_app, "operator")
    page = client.get("/pairs?from=&to=VN-33&least=40", headers={"Accept-Language": "en"}).text
    assert "Best pairs" in page
    rows = list(csv.DictReader(io.StringIO(client.get("/pairs.csv?to=VN-33").text.removeprefix("\ufeff"))))
    assert rows
    assert {row["need_place"] for row in rows} == {"VN-33"}
    assert f"/pairs/{rows[0]['need_id']}/{rows[0]['result_id']}" in page


def test_pairs_are_listed_in_the_order_asked_for_on_the_page_and_in_the_file(demo_app: Flask) -> None:
    client = sign_in(demo_app, "operator")

    def rows(sort: str) -> list[dict[str, str]]:
        text = client.get(f"/pairs.csv?across=1&sort={sort}").text.removeprefix("\ufeff")
        return list(csv.DictReader(io.StringIO(text)))

    usual = rows("best")
    assert {row["url"] for row in usual} == {row["url"] for row in rows("newest")}
    for sort, key in (("newest", lambda row: row["since"]), ("strength", lambda row: int(row["strength"]))):
        assert [key(row) for row in rows(sort)] == sorted(map(key, usual), reverse=True)
    for sort, column in (("need", "need_place"), ("result", "result_place"), ("oldest", "since")):
        assert [row[column] for row in rows(sort)] == sorted(row[column] for row in usual)
    page = client.get("/pairs?across=1&sort=oldest", headers={"Accept-Language": "en"}).text
    assert '<option value="oldest" selected>' in page
    assert re.search(r"/pairs\.xlsx\?across=1[^\"]*sort=oldest", page)
    assert re.search(r"/pairs\?[^\"]*sort=oldest[^\"]*page=2", page)


def test_a_mistyped_place_is_said_and_everything_shown(demo_app: Flask) -> None:
    page = sign_in(demo_app, "operator").get("/pairs?from=Atlantis", headers={"Accept-Language": "en"}).text
    assert "Atlantis" in page
    assert "Side by side" in page
