"""Verdicts are kept with what was shown; what they teach is applied by a decision and taken back whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from techex.cli import techex
from techex.core.audit import AuditEntry
from techex.core.context import ANONYMOUS, Actor, Context, MemberRole, Membership, Role
from techex.core.database import Database
from techex.embedding.cards import load_card
from techex.embedding.centring import unit
from techex.errors import Conflict, FieldErrors, NotAllowed, NotFound
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.matching import ranking, verdicts, versions
from techex.matching.calibration import Platt
from techex.matching.candidates import Query
from techex.matching.learned import NOTHING, Learned, from_dict
from techex.matching.learning import Candidate, Step
from techex.matching.mapping import QueryMap
from techex.matching.service import Matcher
from techex.matching.tables import LearnedVersion, PairVerdict
from techex.matching.verdicts import Judgement, Refusal, Shown
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.search import service as search
from techex.search.partitions import Partition
from techex.settings import Settings
from tests.search.listings import DIMENSION, collection_of, made

SHOWN = Shown(score=6.5, parts={"whole": 4.0, "lexical": 2.5}, raw_strength=71.2, strength=71.2, rank=3)
CARD = "made"


def listed(database: Database, context: Context, kind: Kind, visibility: Visibility = Visibility.PUBLIC) -> int:
    values = {"title": f"Drying longan fruit {kind}", "summary": "Solar drying below sixty degrees for fruit. " * 2}
    if kind is Kind.OFFER:
        values |= {"description": "How it works in some detail. " * 6, "advantages": "Half the cost of the old way."}
    draft = checked_draft(kind, values, language="en", country="VN", province="01", visibility=visibility.value)
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, OrganisationDraft(name="Phố Hiến", kind="enterprise"))
        listing = listings.post(session, context, owner, draft)
        listings.publish(session, context, listing)
        return listing.id


@pytest.fixture
def database(each_database: Database) -> Database:
    return each_database


@pytest.fixture
def pair(database: Database, context: Context) -> tuple[int, int]:
    return listed(database, context, Kind.NEED), listed(database, context, Kind.OFFER)


def judge(database: Database, context: Context, pair: tuple[int, int], judgement: str, **more: str) -> None:
    reason = Refusal(more["reason"]) if "reason" in more else None
    with database.transaction() as session:
        verdicts.give(session, context, *pair, Judgement(judgement), SHOWN, reason, more.get("text", ""))


def grades(database: Database) -> dict[int, dict[int, float]]:
    with database.reading() as session:
        return verdicts.grades(session)


def test_a_verdict_is_kept_with_the_numbers_that_were_shown(
    database: Database, context: Context, pair: tuple[int, int]
) -> None:
    judge(database, context, pair, "no", reason="out_of_scope")
    with database.reading() as session:
        verdict = session.scalars(select(PairVerdict)).one()
        assert verdict.shown == SHOWN.as_dict()
        assert (verdict.judgement, verdict.reason, verdict.given_at) == ("no", "out_of_scope", context.now)
        assert session.scalars(select(AuditEntry).where(AuditEntry.verb == "judged")).one().detail["offer"] == pair[1]


@pytest.mark.parametrize(
    ("judgement", "more", "field"),
    [
        ("no", {}, "reason"),
        ("no", {"reason": "other"}, "text"),
        ("no", {"reason": "other", "text": "   "}, "text"),
        ("fit", {"reason": "ip_concern"}, "reason"),
        ("fit", {"text": "x" * 601}, "text"),
    ],
)
def test_a_verdict_that_says_too_little_or_too_much_is_refused_with_its_field(
    database: Database, context: Context, pair: tuple[int, int], judgement: str, more: dict[str, str], field: str
) -> None:
    with pytest.raises(FieldErrors) as refusal:
        judge(database, context, pair, judgement, **more)
    assert list(refusal.value.fields) == [field]


def test_there_are_eleven_reasons() -> None:
    assert len(Refusal) == 11


def test_who_may_not_judge_is_told_so(database: Database, context: Context, pair: tuple[int, int]) -> None:
    with pytest.raises(NotAllowed):
        judge(database, Context(ANONYMOUS, context.now), pair, "fit")


def test_editors_of_either_side_and_operators_of_either_place_judge_and_each_person_once(
    database: Database, context: Context, pair: tuple[int, int]
) -> None:
    with database.reading() as session:
        owner = session.get_one(Listing, pair[0]).organisation_id
    editor = Actor("Mai", Role.PERSON, 7, (Membership(owner, MemberRole.EDITOR),))
    namesake = Actor("Mai", Role.PERSON, 8, places=frozenset({"VN-01"}), second_factor=True)
    for actor in (
        replace(editor, memberships=(Membership(owner, MemberRole.VIEWER),)),
        replace(editor, memberships=(Membership(owner + 1, MemberRole.MANAGER),)),
        replace(namesake, second_factor=False),
        replace(namesake, places=frozenset({"VN-33"})),
    ):
        with pytest.raises(NotAllowed):
            judge(database, Context(actor, context.now), pair, "fit")
    judge(database, Context(editor, context.now), pair, "fit")
    judge(database, Context(namesake, context.now), pair, "no", reason="out_of_scope")
    assert grades(database) == {pair[0]: {pair[1]: 0.5}}
    judge(database, Context(editor, context.now), pair, "no", reason="other", text="Ours is for fish.")
    assert grades(database) == {pair[0]: {pair[1]: 0.0}}
    with database.transaction() as session:
        mine = verdicts.standing_of(session, Context(editor, context.now), *pair)
        assert (mine.text, mine.given_by) == ("Ours is for fish.", "person 7")
        assert [row["judgement"] for row in verdicts.data_of(session, 7)["verdicts"]] == ["fit", "no"]
        verdicts.leave(session, context, 7)
        assert {row["text"] for row in verdicts.data_of(session, 7)["verdicts"]} == {""}


def test_a_need_cannot_be_judged_as_an_offer(database: Database, context: Context, pair: tuple[int, int]) -> None:
    with pytest.raises(NotFound):
        judge(database, context, (pair[1], pair[0]), "fit")


def test_who_changes_their_mind_counts_once(database: Database, context: Context, pair: tuple[int, int]) -> None:
    judge(database, context, pair, "no", reason="too_early")
    judge(database, Context(context.actor, context.now + timedelta(days=1)), pair, "partly")
    assert grades(database) == {pair[0]: {pair[1]: 0.5}}
    with database.reading() as session:
        assert verdicts.counts(session).verdicts == 1
        assert len(session.scalars(select(PairVerdict)).all()) == 2


def test_a_no_for_the_price_teaches_nothing_about_matching(
    database: Database, context: Context, pair: tuple[int, int]
) -> None:
    judge(database, context, pair, "no", reason="terms_or_price")
    assert grades(database) == {}
    with database.reading() as session:
        counts = verdicts.counts(session)
    assert (counts.verdicts, counts.teaching, counts.by_reason) == (1, 0, {"terms_or_price": 1})


def test_nobody_can_read_hidden_listings_out_of_what_was_learned(
    database: Database, context: Context, pair: tuple[int, int]
) -> None:
    hidden = listed(database, context, Kind.OFFER, Visibility.RESTRICTED)
    judge(database, context, (pair[0], hidden), "fit")
    assert grades(database) == {}


def test_a_listing_that_goes_takes_its_verdicts_along(
    database: Database, context: Context, pair: tuple[int, int]
) -> None:
    judge(database, context, pair, "fit")
    with database.transaction() as session:
        session.execute(delete(Listing).where(Listing.id == pair[0]))
    with database.reading() as session:
        assert verdicts.counts(session).verdicts == 0


def some_map(seed: int) -> QueryMap:
    rng = np.random.default_rng(seed)
    down, up = rng.normal(size=(DIMENSION, 2)), rng.normal(size=(2, DIMENSION))
    return QueryMap(down.astype(np.float32), up.astype(np.float32))


def candidate(seed: int) -> Candidate:
    learned = Learned(some_map(seed), {"lexical": 0.5 + seed, "whole": 1.5}, Platt(0.8, -0.4))
    return Candidate(learned, (Step("map", True, "better"),))


def keep(database: Database, context: Context, seed: int) -> int:
    with database.transaction() as session:
        return versions.keep(session, context, CARD, candidate(seed), verdicts=300, pairs=290).id


def activate(database: Database, context: Context, number: int) -> None:
    with database.transaction() as session:
        versions.activate(session, context, CARD, number)


def revert(database: Database, context: Context) -> None:
    with database.transaction() as session:
        versions.revert(session, context, CARD)


def scores(database: Database, following: versions.Following, change: int) -> tuple[bytes, bytes]:
    """Every score of a made collection and its calibrated form, as bytes."""
    partition: Partition = collection_of([made(number) for number in range(1, 40)]).partitions[
        Visibility.PUBLIC, Kind.OFFER
    ]
    vectors = unit(np.random.default_rng(0).normal(size=(2, DIMENSION)).astype(np.float32))
    with database.reading() as session:
        learned = following.at(session, change)
    ranked = ranking.rank([partition], Query("water pump", "en", 2, vectors[0], vectors), learned=learned)
    return ranked.scores.tobytes() + ranked.ids.tobytes(), learned.strength(np.linspace(0, 100, 11)).tobytes()


def test_reverting_restores_exactly_the_former_scores(database: Database, context: Context) -> None:
    following = versions.Following(CARD)
    first, second = keep(database, context, 1), keep(database, context, 2)
    bare = scores(database, following, 1)
    activate(database, context, first)
    with_first = scores(database, following, 2)
    activate(database, context, second)
    assert len({bare, with_first, scores(database, following, 3)}) == 3
    revert(database, context)
    assert scores(database, following, 4) == with_first
    revert(database, context)
    assert scores(database, following, 5) == bare
    with pytest.raises(Conflict):
        revert(database, context)


def test_what_was_learned_is_not_applied_before_somebody_says_so(database: Database, context: Context) -> None:
    keep(database, context, 1)
    with database.reading() as session:
        assert versions.active(session, CARD) is None
        assert versions.Following(CARD).at(session, 1) is NOTHING


def test_what_was_learned_for_another_model_is_not_applied(database: Database, context: Context) -> None:
    number = keep(database, context, 1)
    with database.transaction() as session, pytest.raises(NotFound):
        versions.activate(session, context, "another model", number)


def test_a_version_is_stored_as_it_was_learned(database: Database, context: Context) -> None:
    keep(database, context, 3)
    with database.reading() as session:
        row = session.scalars(select(LearnedVersion)).one()
        assert from_dict(row.content).version == candidate(3).learned.version == row.version


def test_nothing_cannot_be_kept(database: Database, context: Context) -> None:
    with database.transaction() as session, pytest.raises(Conflict):
        versions.keep(session, context, CARD, Candidate(NOTHING, ()), verdicts=10, pairs=10)


def test_only_the_operator_decides_what_is_applied(database: Database, context: Context) -> None:
    number = keep(database, context, 1)
    with database.transaction() as session, pytest.raises(NotAllowed):
        versions.activate(session, Context(ANONYMOUS, context.now), CARD, number)


def test_pages_follow_what_is_active_and_come_back_when_it_is_reverted(settings: Settings, context: Context) -> None:
    database = Database(settings.database_address)
    need = listed(database, context, Kind.NEED)
    for _ in range(4):
        listed(database, context, Kind.OFFER)
    search.embed_pending(settings, database)
    matcher = Matcher(settings, database)

    def page() -> list[tuple[int, float, int]]:
        with database.reading() as session:
            found = matcher.matches_for_text(session, context, "solar drying of longan fruit", Kind.OFFER, "en")
            listing = listings.get_visible(session, context, need)
            more = matcher.matches_for(session, context, listing)
        return [(match.listing.id, match.score, match.strength) for match in (*found.matches, *more.matches)]

    bare = page()
    card = load_card(settings.card).key
    learned = Learned(None, {"lexical": 0.5}, Platt(0.5, -1.0))
    with database.transaction() as session:
        kept = versions.keep(session, context, card, Candidate(learned, ()), verdicts=300, pairs=300)
        number = kept.id
    assert page() == bare
    with database.transaction() as session:
        versions.activate(session, context, card, number)
    applied = page()
    assert [row[1] for row in applied] != [row[1] for row in bare]
    with database.transaction() as session:
        versions.revert(session, context, card)
    assert page() == bare
    database.close()


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("data_dir", "models_dir", "indexes_dir", "card", "engine", "secret_key"):
        monkeypatch.setenv(f"TECHEX_{name.upper()}", str(getattr(settings, name)))
    return CliRunner()


def test_the_command_line_judges_trains_and_says_what_is_missing(
    run: CliRunner, settings: Settings, context: Context
) -> None:
    database = Database(settings.database_address)
    need, offer = listed(database, context, Kind.NEED), listed(database, context, Kind.OFFER)
    database.close()
    said = run.invoke(techex, ["learn", "judge", str(need), str(offer), "no", "--reason", "too_early", "--json"])
    assert said.exit_code == 0, said.output
    assert set(json.loads(said.output)["shown"]["parts"]) == set(ranking.PARTS)
    status = json.loads(run.invoke(techex, ["learn", "status", "--json"]).output)
    assert (status["verdicts"], status["teaching"], status["active"]) == (1, 1, None)
    trained = json.loads(run.invoke(techex, ["learn", "train", "--json"]).output)
    assert trained["kept_as"] is None
    assert [step["accepted"] for step in trained["steps"]] == [False, False, False]
    assert json.loads(run.invoke(techex, ["learn", "list", "--json"]).output) == []
    for command in (["status"], ["list"], ["train"]):
        assert run.invoke(techex, ["learn", *command]).exit_code == 0


def test_the_command_line_simulates_on_a_judged_set(run: CliRunner, tmp_path) -> None:
    topics = ["solar dryer for fruit", "shrimp pond aeration", "rice husk brick", "water filter of clay"] * 4
    texts = [f"{topic} number {number}" for number, topic in enumerate(topics)]
    for name, prefix in (("corpus", "d"), ("queries", "q")):
        rows = [json.dumps({"_id": f"{prefix}{number}", "text": text}) for number, text in enumerate(texts)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    judged = [f"q{number}\td{number}\t1" for number in range(len(texts))]
    (tmp_path / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]), encoding="utf-8")
    files = [
        f"--{name}={tmp_path / file}"
        for name, file in (("corpus", "corpus.jsonl"), ("queries", "queries.jsonl"), ("qrels", "qrels.tsv"))
    ]
    done = run.invoke(techex, ["learn", "simulate", *files, "--rounds", "2", "--verdicts", "60", "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.output)
    assert len(figures["rounds"]) == 2
    assert 0 <= figures["before"] <= 1
    assert run.invoke(techex, ["learn", "simulate"]).exit_code == 2
    own = ["learn", "simulate", *files, "--rounds", "2", "--verdicts", "20", "--own", "2"]
    refused = run.invoke(techex, own)
    assert refused.exit_code != 0
    assert "0 of 16 needs could be measured" in str(refused.exception) + refused.output
    # All that are about a topic fit.
    judged = [f"q{one}\td{other}\t1" for one in range(16) for other in range(one % 4, 16, 4)]
    (tmp_path / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]), encoding="utf-8")
    figures = json.loads(run.invoke(techex, [*own, "--json"]).output)
    assert [each["verdicts"] for each in figures["rounds"]] == [20, 20]
    assert figures["after"] > 0.5
    assert "the rest of the lists that were judged" in run.invoke(techex, own).output
