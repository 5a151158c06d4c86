"""The ladder of disclosure, whose turn it is, the words of a search and the agreement's paper: pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.brokering import agreement_paper, disclosing, talk, turns
from techex.brokering.agreement_paper import Parties, checked, paper
from techex.brokering.disclosing import DONE, LADDER, Act, Rung, disclosure
from techex.brokering.pipeline import Stage, Standing
from techex.core.text import folded
from techex.errors import FieldErrors

ONE, TWO = 11, 22
SIDES = (ONE, TWO)


@dataclass(frozen=True)
class Line:
    verb: str
    organisation_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


INTRODUCED = Line("introduce")


def proposal(text: str, by: int | None = ONE, version: int = 1) -> Line:
    return Line(Act.PROPOSE, by, {"sha256": text, "version": version})


def yes(side: int, text: str) -> Line:
    return Line(Act.ACCEPT, side, {"sha256": text, "name": "Lan", "capacity": "director"})


BOTH = [INTRODUCED, proposal("a"), yes(ONE, "a"), yes(TWO, "a")]


def test_every_rung_and_every_act_has_its_words() -> None:
    assert [step.rung for step in LADDER] == list(Rung)
    assert set(DONE) == set(Act)
    assert all(len(act) <= 16 for act in Act), "the ledger's column holds so much"


@pytest.mark.parametrize(
    ("ledger", "open_to_the_other"),
    [
        ([], {Rung.TEASER}),
        ([INTRODUCED], {Rung.TEASER, Rung.NON_CONFIDENTIAL}),
        ([INTRODUCED, proposal("a"), yes(ONE, "a")], {Rung.TEASER, Rung.NON_CONFIDENTIAL}),
        (BOTH, {Rung.TEASER, Rung.NON_CONFIDENTIAL, Rung.UNDER_NDA}),
        ([*BOTH, Line(Act.OPEN, TWO)], {Rung.TEASER, Rung.NON_CONFIDENTIAL, Rung.UNDER_NDA}),
        ([*BOTH, Line(Act.OPEN, ONE)], set(Rung)),
        ([*BOTH, Line(Act.OPEN, ONE), Line("lose", TWO)], {Rung.TEASER, Rung.NON_CONFIDENTIAL}),
    ],
)
def test_a_rung_opens_when_the_ledger_says_so(ledger: list[Line], open_to_the_other: set[Rung]) -> None:
    found = disclosure(ledger, SIDES)
    assert {rung for rung in Rung if found.shows(rung, ONE, TWO)} == open_to_the_other
    assert {rung for rung in Rung if found.shows(rung, ONE, None)} == open_to_the_other, "operators see no more"
    assert all(found.shows(rung, ONE, ONE) for rung in Rung), "one's own is always shown"


def test_a_changed_text_makes_the_first_acceptance_void() -> None:
    ledger = [INTRODUCED, proposal("a"), yes(ONE, "a"), proposal("b", TWO, 2), yes(TWO, "b")]
    assert not disclosure(ledger, SIDES).in_force
    assert disclosure([*ledger, yes(ONE, "b")], SIDES).in_force


def test_an_acceptance_counts_for_the_digest_it_names() -> None:
    assert not disclosure([INTRODUCED, proposal("a"), yes(ONE, "a"), yes(TWO, "z")], SIDES).in_force


def test_a_proposal_that_was_taken_back_takes_its_acceptances_along() -> None:
    ledger = [INTRODUCED, proposal("a"), yes(ONE, "a"), Line(Act.TAKE_BACK, ONE), proposal("a"), yes(TWO, "a")]
    found = disclosure(ledger, SIDES)
    assert found.agreement is not None
    assert set(found.agreement.accepted) == {TWO}


LINES = st.one_of(
    st.just(INTRODUCED),
    st.just(Line("lose", ONE)),
    st.builds(proposal, st.sampled_from("ab"), st.sampled_from(SIDES)),
    st.builds(yes, st.sampled_from(SIDES), st.sampled_from("ab")),
    st.builds(Line, st.sampled_from([Act.OPEN, Act.TAKE_BACK]), st.sampled_from(SIDES)),
)


@given(st.lists(LINES, max_size=12))
def test_nothing_secret_is_open_unless_both_accepted_the_text_that_lies_there_last(ledger: list[Line]) -> None:
    found = disclosure(ledger, SIDES)
    if any(found.is_open(rung, side) for rung in disclosing.SECRET for side in SIDES):
        last = max(i for i, line in enumerate(ledger) if line.verb in (Act.PROPOSE, Act.TAKE_BACK))
        assert ledger[last].verb == Act.PROPOSE
        text = ledger[last].detail["sha256"]
        since = [line for line in ledger[last:] if line.verb == Act.ACCEPT and line.detail["sha256"] == text]
        agreed = {line.organisation_id for line in since}
        assert agreed == set(SIDES)
        assert not any(line.verb == "lose" for line in ledger)
    # The rungs open one after another: nothing is open above what is shut.
    for side in SIDES:
        opened = [found.is_open(rung, side) for rung in Rung]
        assert opened == sorted(opened, reverse=True) or not found.introduced


# ---- whose turn it is

STANDING = Standing(Stage.LEAD, SIDES, ())


@pytest.mark.parametrize(
    ("stage", "ledger", "side", "who"),
    [
        (Stage.LEAD, [], ONE, "exchange"),
        (Stage.LEAD, [], None, "you"),
        (Stage.INTRODUCED, [INTRODUCED], ONE, "either"),
        (Stage.INTRODUCED, [INTRODUCED, proposal("a")], ONE, "you"),
        (Stage.INTRODUCED, [INTRODUCED, proposal("a"), yes(ONE, "a")], ONE, "other"),
        (Stage.INTRODUCED, [INTRODUCED, proposal("a"), yes(ONE, "a")], TWO, "you"),
        (Stage.INTRODUCED, [INTRODUCED, proposal("a"), yes(ONE, "a")], None, "either"),
        (Stage.EVALUATION, [INTRODUCED, proposal("a"), yes(TWO, "a")], ONE, "you"),
        (Stage.UNDER_NDA, BOTH, ONE, "either"),
        (Stage.IMPLEMENTED, BOTH, ONE, "exchange"),
        (Stage.REVIEWED, BOTH, ONE, "nobody"),
        (Stage.LOST, BOTH, ONE, "nobody"),
    ],
)
def test_everybody_reads_whose_turn_it_is(stage: Stage, ledger: list[Line], side: int | None, who: str) -> None:
    found = turns.turn(replace(STANDING, stage=stage), disclosure(ledger, SIDES), side)
    assert found.who == who
    assert bool(found.what) == (who != "nobody")


def test_the_side_that_has_not_confirmed_the_contract_has_the_turn() -> None:
    written = replace(STANDING, stage=Stage.NEGOTIATION, has_contract=True, done_by=frozenset({ONE}))
    found = disclosure(BOTH, SIDES)
    assert [turns.turn(written, found, side).who for side in (ONE, TWO)] == ["other", "you"]


# ---- words

TEXT = "Bể sinh học ở Thái Bình, nhiệt độ 60 °C; Đường ống Đà Nẵng 乾燥機"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("thai binh", True),
        ("Thái Bình", True),
        ("thái bính", False),
        ("duong ong", True),
        ("đường", True),
        ("đương", False),
        ("60 °C", True),
        ("THAI", True),
        ("inh", False),
        ("乾燥", True),
        ("燥機", True),
        ("trung quoc", False),
    ],
)
def test_words_are_found_with_and_without_accents(asked: str, found: bool) -> None:
    words = talk.words_of(asked)
    assert words
    assert all(word.stands_in(TEXT, folded(TEXT)) for word in words) is found


def test_an_excerpt_shows_the_place_that_was_found() -> None:
    text = "chuyện khác " * 60 + "bể sinh học ở Thái Bình " + "chuyện khác " * 60
    part = talk.excerpt(text, talk.words_of("thai binh"))
    assert "Thái Bình" in part
    assert len(part) <= talk.EXCERPT + 4
    assert (part[0], part[-1]) == ("…", "…")


# ---- the paper

GIVEN = {
    "languages": "both", "years": "5", "law": "VN", "place": "Hưng Yên", "person_a": "Nguyễn Thị Lan",
    "capacity_a": "Giám đốc", "person_b": "Lê Minh Châu", "capacity_b": "Phó hiệu trưởng",
}  # fmt: skip
PARTIES = Parties(
    *("TechEx", 7, 12, "Dyeing at 60 °C #let $x$"),
    {"vi": "Công ty Dệt may Sông Hồng", "en": "Song Hong Textiles"},
    {"vi": "Đại học Phương Nam", "en": "Southern University"},
)


@pytest.mark.parametrize(("languages", "pages"), [("both", 2), ("vi", 1), ("en", 1)])
def test_an_agreement_names_both_sides_in_its_languages_and_is_the_same_each_time(languages: str, pages: int) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    terms = checked(GIVEN | {"languages": languages})
    made = paper(PARTIES, terms)
    assert made.digest == paper(PARTIES, terms).digest, "the same terms give the same bytes"
    assert made.digest != paper(PARTIES, replace(terms, years=6)).digest
    read = PdfReader(BytesIO(made.content))
    text = " ".join("".join(page.extract_text() for page in read.pages).split())
    assert len(read.pages) == pages
    assert "Dyeing at 60 °C #let $x$" in text, "what people typed is text and nothing else"
    assert ("Đại học Phương Nam" in text) is (languages != "en")
    assert ("Southern University" in text) is (languages != "vi")
    for word in ("Nguyễn Thị Lan", "Lê Minh Châu", "Hưng Yên"):
        assert word in text
    assert "/CreationDate" not in (read.metadata or {})
    assert "$" not in text.replace("#let $x$", "")


def test_what_is_wrong_with_the_terms_is_said_field_by_field() -> None:
    with pytest.raises(FieldErrors) as raised:
        checked({"languages": "fr", "years": "0", "law": "XX", "place": " ", "person_a": "A" * 101})
    assert set(raised.value.fields) == {"languages", "years", "law", "place", *agreement_paper.PEOPLE}


def test_both_languages_of_the_template_say_the_same_things() -> None:
    words = agreement_paper.template()
    assert len(words["vi"]["article"]) == len(words["en"]["article"])
    assert set(words["vi"]) == set(words["en"])
