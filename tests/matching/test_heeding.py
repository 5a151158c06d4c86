"""A list heeds what its reader said of some of it: for that reader alone, in the open, and without moving strengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.app import create_app
from techex.core.context import Actor, Context, MemberRole, Membership, Role
from techex.core.database import Database
from techex.embedding.centring import unit
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.matching import candidates, heeding, ranking, scoring, simulation, verdicts
from techex.matching.candidates import Query
from techex.matching.heeding import Said
from techex.matching.learning import Case
from techex.matching.reference import languages_of
from techex.matching.rules import MatchPage
from techex.matching.service import Matcher
from techex.matching.verdicts import Judgement, Refusal, Shown
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.search import service as search
from techex.search.collection import Collection, Item
from techex.search.facts import Facts
from techex.search.segments import Entry, Passage
from techex.settings import Settings
from techex.web import identity
from tests.cast import CAST, Browser, person_of, sign_in
from tests.matching.test_learning import DIMENSION

SHOWN = Shown(score=1.0, parts={}, raw_strength=50.0, strength=50.0)
DRYING = "Solar drying of longan fruit below sixty degrees keeps colour and sugar for export. "
SMOKE = "The smoke chamber burns rice husk under a brick vault with a chimney. "
PUMP = "The heat pump cabinet circulates refrigerant through an aluminium evaporator. "
OTHERS = [
    f"{what} of {whom} by {how}: a result that has nothing to do with any fruit. "
    for what in ("Detection", "Recycling", "Forecasting")
    for whom in ("wind turbines", "textile dust", "shrimp ponds", "cracked bridges")
    for how in ("radar echoes", "enzyme baths")
]


def post(session: Session, context: Context, owner: str, kind: Kind, title: str, text: str) -> Listing:
    values: dict[str, Any] = {"title": title, "summary": text}
    values |= {"fields": ["211"], "sdg": [12]} if DRYING in text else {"fields": ["102"], "sdg": [9]}
    if kind is Kind.OFFER:
        values |= {"description": text * 2, "advantages": "Half the cost of the old way."}
    by, _ = organisations.upsert(session, context, OrganisationDraft(name=owner, kind="enterprise"))
    listing = listings.post(
        session, context, by, checked_draft(kind, values, language="en", country="VN", province="01")
    )
    listings.publish(session, context, listing)
    return listing


@pytest.fixture
def exchange(settings: Settings, database: Database, context: Context) -> list[Listing]:
    """A need for drying fruit, and results that dry it in one of two ways, in turn."""
    with database.transaction() as session:
        found = [post(session, context, "Phố Hiến", Kind.NEED, "Solar drying of longan fruit", DRYING * 2)]
        for number, way in enumerate((SMOKE, PUMP) * 3):
            found.append(
                post(session, context, "Institute", Kind.OFFER, f"Solar drying of longan {number}", DRYING * 2 + way)
            )
        for number, text in enumerate(OTHERS):
            post(session, context, "University", Kind.OFFER, f"{text[:30]} {number}", text * 2)
    search.embed_pending(settings, database)
    return found


@pytest.fixture
def matcher(settings: Settings, database: Database, exchange: list[Listing]) -> Matcher:
    return Matcher(settings, database)


@pytest.fixture
def need(exchange: list[Listing]) -> int:
    return exchange[0].id


def editor_of(database: Database, need: int, number: int, context: Context) -> Context:
    with database.reading() as session:
        owner = session.get_one(Listing, need).organisation_id
    return Context(Actor("Mai", Role.PERSON, number, (Membership(owner, MemberRole.EDITOR),)), context.now)


@pytest.fixture
def editor(database: Database, need: int, context: Context) -> Context:
    return editor_of(database, need, 901, context)


def listed(matcher: Matcher, database: Database, who: Context, need: int, heed: bool = True) -> MatchPage:
    with database.reading() as session:
        return matcher.matches_for(session, who, session.get_one(Listing, need), heed=heed)


def ids(page: MatchPage) -> list[int]:
    return [match.listing.id for match in page.matches]


def say(database: Database, who: Context, need: int, offer: int, judgement: str, reason: str = "") -> None:
    with database.transaction() as session:
        verdicts.give(session, who, need, offer, Judgement(judgement), SHOWN, Refusal(reason) if reason else None)


def test_what_is_like_a_fit_stands_further_up_and_no_strength_moves(
    matcher: Matcher, database: Database, need: int, editor: Context
) -> None:
    bare = listed(matcher, database, editor, need)
    last = bare.matches[-1].listing
    say(database, editor, need, last.id, "fit")
    heeded = listed(matcher, database, editor, need)
    assert (bare.said, heeded.said) == (0, 1)
    way = SMOKE.strip() if SMOKE.strip() in last.summary else PUMP.strip()
    others = [match.listing for match in heeded.matches if match.listing.id != last.id]
    assert [way in listing.summary for listing in others] == [True] * 2 + [False] * 3
    strengths = {match.listing.id: match.strength for match in bare.matches}
    assert {one.listing.id: one.strength for one in heeded.matches if one.listing.id in strengths} == strengths
    assert set(ids(bare)) <= set(ids(heeded)), "what fits is never put out of the list"
    assert heeded.total == bare.total, "what is only like a fit is not counted as one"
    assert [match.rank for match in heeded.matches] == list(range(1, len(heeded.matches) + 1))


def test_what_is_like_a_fit_is_found_even_where_the_need_itself_does_not_lead_there(
    matcher: Matcher, database: Database, need: int, editor: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "SCORED_WHOLE", 0)
    monkeypatch.setattr(candidates, "CANDIDATES", 2)
    bare = listed(matcher, database, editor, need)
    way = PUMP.strip() if SMOKE.strip() in bare.matches[0].listing.summary else SMOKE.strip()
    with database.reading() as session:
        missed = session.scalars(select(Listing.id).where(Listing.summary.contains(way)).order_by(Listing.id)).all()
    assert not set(missed) & set(ids(bare)), "the need leads to the other way only"
    say(database, editor, need, missed[0], "fit")
    heeded = listed(matcher, database, editor, need)
    assert len(set(missed) & set(ids(heeded))) > 1
    before = {match.listing.id: match.strength for match in bare.matches}
    assert {one.listing.id: one.strength for one in heeded.matches if one.listing.id in before} == before


def test_the_usual_order_is_there_for_the_asking(
    matcher: Matcher, database: Database, need: int, editor: Context
) -> None:
    bare = listed(matcher, database, editor, need)
    say(database, editor, need, ids(bare)[-1], "fit")
    assert ids(listed(matcher, database, editor, need)) != ids(bare)
    usual = listed(matcher, database, editor, need, heed=False)
    assert (ids(usual), usual.said) == (ids(bare), 0)


def test_nobody_elses_list_moves(
    matcher: Matcher, database: Database, need: int, editor: Context, reader: Context, context: Context
) -> None:
    colleague = editor_of(database, need, 902, context)
    before = [ids(listed(matcher, database, who, need)) for who in (reader, colleague, context)]
    say(database, editor, need, before[0][-1], "fit")
    assert [ids(listed(matcher, database, who, need)) for who in (reader, colleague, context)] == before


def test_a_refusal_for_the_price_says_nothing_about_what_is_looked_for(
    matcher: Matcher, database: Database, need: int, editor: Context
) -> None:
    bare = ids(listed(matcher, database, editor, need))
    say(database, editor, need, bare[0], "no", "terms_or_price")
    found = listed(matcher, database, editor, need)
    assert (ids(found), found.said) == (bare, 0)
    say(database, editor, need, bare[0], "no", "out_of_scope")
    assert listed(matcher, database, editor, need).said == 1


def test_of_very_many_verdicts_the_newest_are_heeded(
    matcher: Matcher, database: Database, need: int, editor: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "MOST_HEEDED", 2)
    bare = ids(listed(matcher, database, editor, need))
    for offer in bare[:3]:
        say(database, editor, need, offer, "fit")
    with database.reading() as session:
        said = verdicts.said_of(session, editor, session.get_one(Listing, need))
    assert list(said) == [bare[2], bare[1]]


def test_alerts_and_batches_do_not_follow_what_one_person_said(
    matcher: Matcher, database: Database, need: int, editor: Context
) -> None:
    bare = listed(matcher, database, editor, need)
    say(database, editor, need, ids(bare)[-1], "fit")
    with database.reading() as session:
        assert ids(matcher.matches_for(session, editor, session.get_one(Listing, need))) == ids(bare)


def test_the_other_side_is_heeded_in_its_own_list(
    matcher: Matcher, database: Database, need: int, editor: Context
) -> None:
    offer = ids(listed(matcher, database, editor, need))[0]
    say(database, editor, need, offer, "fit")
    with database.reading() as session:
        found = matcher.matches_for(session, editor, session.get_one(Listing, offer), heed=True)
    assert found.said == 1


def test_a_listing_that_was_withdrawn_since_is_not_heeded(
    matcher: Matcher, database: Database, need: int, editor: Context, context: Context
) -> None:
    offer = ids(listed(matcher, database, editor, need))[-1]
    say(database, editor, need, offer, "fit")
    with database.transaction() as session:
        listings.withdraw(session, context, listings.get_visible(session, context, offer))
    found = listed(matcher, database, editor, need)
    assert (found.said, offer in ids(found)) == (0, False)


@pytest.fixture
def served(settings: Settings, matcher: Matcher) -> Iterator[Flask]:
    """The application with the matcher that serves."""
    app = create_app(settings, testing=True, matcher=lambda: matcher)
    app.test_client_class = Browser
    yield app
    app.extensions["techex.database"].close()


def test_the_page_says_so_and_leads_to_the_usual_order_and_back(served: Flask, need: int) -> None:
    with served.app_context(), identity.database().transaction() as session:
        person_of(session, "engineer")
        owner = organisations.get_organisation(session, CAST["engineer"].organisation)
        session.get_one(Listing, need).organisation_id = owner.id
    browser = sign_in(served, "editor")
    page = browser.get(f"/matches/{need}").text
    assert "The order follows what you said" not in page
    offer = page.split('href="/results/')[-1].split('"')[0]
    assert browser.post(f"/pairs/{need}/{offer}/verdict", data={"judgement": "fit"}).status_code == 303
    heeded = browser.get(f"/matches/{need}").text
    assert "The order follows what you said of 1 of them" in heeded
    assert f'href="/matches/{need}?order=plain"' in heeded
    usual = browser.get(f"/matches/{need}?order=plain").text
    assert "The order follows what you said" not in usual
    assert f'href="/matches/{need}"' in usual
    filters, alert = (
        usual.split('id="filters"')[1].split("</form>")[0],
        usual.split("alert-form")[1].split("</form>")[0],
    )
    assert 'name="order" value="plain"' in filters, "filters keep the order"
    assert 'name="order"' not in alert, "an alert is the same in either order"
    assert "The order follows what you said" in browser.get(f"/needs/{need}").text
    assert "The order follows what you said" not in served.test_client().get(f"/matches/{need}").text


def kinds(groups: int, each: int) -> list[Case]:
    """Needs that lie aside of the offers they want: those of one kind, which share a direction and a word."""
    rng = np.random.default_rng(3)
    middles = unit(rng.normal(size=(groups, DIMENSION)).astype(np.float32))
    items = []
    for number in range(groups * each):
        vector = unit(middles[[number // each]] + 0.2 * rng.normal(size=(1, DIMENSION)).astype(np.float32))
        passage = [Passage(0, "title_summary", "en", "long", f"{number:064x}")]
        entry = Entry(number + 1, Facts(language="en"), {f"kind{number // each}": 1}, passage, vector)
        items.append(Item((Visibility.PUBLIC, Kind.OFFER), entry))
    collection = Collection.build(items, card_key="made", dimension=DIMENSION)
    partitions = collection.view({Visibility.PUBLIC}, Kind.OFFER)
    aside = unit(middles + 0.6 * rng.normal(size=middles.shape).astype(np.float32))
    return [
        Case(
            Query("a need", "en", 2, aside[group], aside[[group]]),
            partitions,
            {number + 1: 1.0 for number in range(group * each, (group + 1) * each)},
        )
        for group in range(groups)
    ]


def test_who_judges_the_head_of_a_list_finds_what_is_of_the_same_kind_behind_it() -> None:
    cases = kinds(groups=20, each=8)
    texts = {number + 1: (f"kind{number // 8}", "en") for number in range(160)}
    done = simulation.simulate_own(cases, texts, verdicts=60, each=6, rounds=2, noise=0.0)
    assert [(each.verdicts, each.unseen.needs) for each in done.rounds] == [(60, 10)] * 2
    assert done.before < done.after - 0.1


def bilingual() -> tuple[list[Case], dict[int, tuple[str, str]]]:
    """Things told in two languages: what is of one subject is more alike in one language than one thing is in both."""
    size = 192
    directions = iter(np.linalg.qr(np.random.default_rng(5).normal(size=(size, size)))[0].astype(np.float32))
    asked, items, texts = [], [], {}
    for _subject in range(12):
        wording = {"en": next(directions), "vi": next(directions)}
        for thing in range(6):
            itself, numbers = next(directions), []
            for language, words in wording.items():
                numbers.append(len(items) + 1)
                vector = unit((1.1 * words + itself)[None])
                texts[numbers[-1]] = (f"word{numbers[-1]}", language)
                passage = [Passage(0, "title_summary", language, "long", f"{numbers[-1]:064x}")]
                entry = Entry(numbers[-1], Facts(language=language), {texts[numbers[-1]][0]: 1}, passage, vector)
                items.append(Item((Visibility.PUBLIC, Kind.OFFER), entry))
            if thing == 0:
                need = unit((wording["en"] + 0.5 * itself)[None])
                asked.append((Query("a need", "en", 2, need[0], need), dict.fromkeys(numbers, 1.0)))
    partitions = Collection.build(items, card_key="made", dimension=size).view({Visibility.PUBLIC}, Kind.OFFER)
    return [Case(query, partitions, grades) for query, grades in asked], texts


def test_a_fit_in_one_language_leads_to_the_same_thing_in_another_before_its_neighbours() -> None:
    cases, texts = bilingual()
    firsts = 0
    for case in cases:
        english, vietnamese = sorted(case.grades)
        said = Said({english: 1.0}, {english: texts[english]})
        heeded = ranking.both(case.partitions, case.query, None, said)[1].ids.tolist()
        firsts += next(one for one in heeded if one != english) == vietnamese
    assert firsts == len(cases)


@pytest.mark.parametrize(("grade", "sign"), [(1.0, 1), (0.5, 0), (0.0, -1)])
def test_a_copy_of_what_was_judged_goes_up_or_down_with_it(grade: float, sign: int) -> None:
    ids, scores = np.array([7, 8, 9]), np.array([4.0, 4.0, 4.0])
    vectors = unit(np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1]], np.float32))
    felt = heeding.passed_on(ids, scores, Said({7: grade}, {}))
    _judged, copy, stranger = scoring.neighbours(felt, vectors, np.array([1, 2, 2], np.int32))
    assert np.sign(round(copy, 6)) == sign
    assert abs(stranger) <= abs(copy)


def test_words_speak_for_listings_of_their_language_and_not_for_the_language() -> None:
    cases, _texts = bilingual()
    partitions = cases[0].partitions
    ids = [partition.ids() for partition in partitions]
    languages = np.concatenate([languages_of(partition, own) for partition, own in zip(partitions, ids, strict=True)])
    english = min(cases[0].grades)
    added = heeding.words(partitions, ids, languages, Said({english: 1.0}, {english: ("word3 word4 word9", "en")}))
    assert added.std() > 0.1
    for number in set(languages.tolist()):
        assert added[languages == number].sum() == pytest.approx(0, abs=1e-4)
