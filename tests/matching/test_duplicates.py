"""What two texts are to each other, by their words, figures and likeness alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.matching.duplicates import Alike, Null, Verdict, compare, sharing_marks, swapped
from techex.matching.sketches import BANDS, Portrait, figures_of, marks_of, portrait, runs_of, significand, sketch

TITLE = "Solar dryer with stone heat store for fermented cocoa beans"
SUMMARY = "A greenhouse of 96 m² dries 2.5 tonnes of wet cocoa to 6.8 % moisture in 4.5 days, rain or shine."
DESCRIPTION = (
    "Two layers of polycarbonate cover 22 trays on trolleys. Nine cubic metres of stone below the floor store heat for "
    "seven hours. A furnace burns husks; its smoke stays in pipes. Three fans of 250 W follow the humidity. Mould was "
    "found on 0.9 % of the beans. A house costs 12,000 dollars and pays back in two seasons."
)


def _portrait(
    title: str = TITLE, summary: str = SUMMARY, *texts: str, language: str = "en", organisation: int = 1
) -> Portrait:
    body = dict(enumerate(texts or (DESCRIPTION,)))
    return portrait(1, organisation, language, title, summary, {str(name): text for name, text in body.items()})


ONE = _portrait()


def test_case_spaces_and_punctuation_make_no_other_listing() -> None:
    shouted = _portrait(TITLE.upper(), SUMMARY.replace(",", " ;"), DESCRIPTION.replace(". ", ".\n\n - "))
    found = compare(ONE, shouted, None)
    assert found is not None
    assert found.verdict is Verdict.EXACT


def test_sentences_in_another_order_and_left_out_make_no_other_listing() -> None:
    sentences = DESCRIPTION.split(". ")
    found = compare(ONE, _portrait(TITLE, SUMMARY, ". ".join(sentences[4:1:-1])), None)
    assert found is not None
    assert found.verdict is Verdict.NEAR


def test_another_size_is_a_variant_that_says_which_figures_differ() -> None:
    found = compare(ONE, _portrait(TITLE, SUMMARY.replace("96", "48"), DESCRIPTION), Alike(9.0, 0.99))
    assert found is not None
    assert found.verdict is Verdict.VARIANT
    assert found.figures == (("96",), ("48",))


def test_another_crop_is_a_variant_that_says_which_words_differ() -> None:
    pepper = _portrait(*(text.replace("cocoa", "pepper") for text in (TITLE, SUMMARY, DESCRIPTION)))
    found = compare(ONE, pepper, Alike(9.0, 0.8))
    assert found is not None
    assert found.verdict is Verdict.VARIANT
    assert found.words == (("cocoa",), ("pepper",))


def test_a_synonym_in_the_title_that_moves_nothing_is_no_variant() -> None:
    found = compare(ONE, _portrait(TITLE.replace("with", "including").replace("Solar", "Sun")), Alike(9.0, 0.98))
    assert found is not None
    assert found.verdict is Verdict.NEAR


def test_a_slip_of_the_pen_is_no_other_word() -> None:
    assert swapped(ONE, _portrait(TITLE.replace("cocoa", "coco").replace("Solar", "Sloar"))) == ((), ())


def test_a_translation_needs_the_same_figures() -> None:
    dutch = _portrait(
        "Zonnedroger met stenen warmtebuffer voor cacao",
        "Een kas van 96 m² droogt 2,5 ton natte cacao in 4,5 dagen tot 6,8 % vocht.",
        "Er zijn 22 bakken, ventilatoren van 250 W en 0,9 % schimmel. Prijs: 12.000 dollar.",
        language="nl",
        organisation=2,
    )
    found = compare(ONE, dutch, Alike(3.5, 0.4))
    assert found is not None
    assert (found.verdict, found.same_organisation) == (Verdict.SEMANTIC, False)
    assert compare(ONE, dutch, None) is None
    other = _portrait(dutch.title, "Een kas van 60 m² droogt 1,5 ton cacao in 3,5 dagen.", "Met 18 bakken, 180 W.")
    assert compare(ONE, other, Alike(3.5, 0.4)) is None


def test_without_figures_only_the_same_organisation_can_have_said_it_twice() -> None:
    plain = "A method to teach reading to children who hear badly, with pictures and signs in their own language."
    told = "Children with poor hearing learn to read by this approach, which uses images and the signs of their tongue."
    one = _portrait("Reading for the hard of hearing", plain, plain)
    assert compare(one, _portrait("Teaching deaf pupils to read", told, told), Alike(7.0, 0.7)) is not None
    stranger = _portrait("Teaching deaf pupils to read", told, told, organisation=2)
    assert compare(one, stranger, Alike(7.0, 0.7)) is None
    assert compare(one, _portrait("Teaching deaf pupils to read", told, told), Alike(5.0, 0.7)) is None


@pytest.mark.parametrize(
    ("text", "language", "figures"),
    [
        ("1.200 con, 0,5 kg, 2,50 %", "vi", ("1200", "0.5", "2.5")),
        ("1,200 heads, 0.5 kg, 2.50 %", "en", ("1200", "0.5", "2.5")),
        ("SO2 and CaCO3 at 3–5 °C, 12.5.2026", "en", ("3", "5", "12.5.2026")),
        ("约320万元,40英尺", "zh", ("320", "40")),
    ],
)
def test_figures_are_read_as_their_language_writes_them(text: str, language: str, figures: tuple[str, ...]) -> None:
    assert figures_of(text, language) == figures


def test_a_million_in_words_and_in_digits_have_the_same_significand() -> None:
    assert significand("1200000") == significand("1.2") == "12"


@given(st.text(max_size=300), st.text(max_size=300))
def test_comparing_is_symmetric_and_never_fails(one: str, other: str) -> None:
    first, second = _portrait(one, other), _portrait(other, one)
    there, back = compare(first, second, Alike(5.0, 0.5)), compare(second, first, Alike(5.0, 0.5))
    assert (there and there.verdict) == (back and back.verdict)


@given(st.lists(st.sampled_from("abcdefgh "), min_size=200, max_size=400).map("".join), st.floats(0.0, 1.0))
def test_marks_agree_about_as_often_as_the_sets_overlap(text: str, cut: float) -> None:
    first, second = runs_of(text), runs_of(text[int(cut * len(text)) :])
    if len(second) == 0:
        return
    jaccard = len(np.intersect1d(first, second)) / len(np.union1d(first, second))
    agreed = int((marks_of(first) == marks_of(second)).sum())
    # Binomial with jaccard^4 over 32 bands; six standard deviations and one band of slack.
    expected, spread = BANDS * jaccard**4, np.sqrt(BANDS * jaccard**4 * (1 - jaccard**4))
    assert abs(agreed - expected) <= 6 * spread + 1


def test_listings_that_share_a_mark_are_paired_once_one_of_them_is_wanted() -> None:
    made = [
        sketch(TITLE, SUMMARY, [DESCRIPTION]),
        sketch("Another title", "and another summary", ["x" * 80]),
        sketch(TITLE, SUMMARY, ["short"]),
    ]
    tables = [np.array([s.head for s in made]), np.array([s.whole for s in made])]
    ids = np.array([7, 8, 9])
    assert set(sharing_marks(ids, tables, np.array([False, False, True]))) == {(7, 9)}
    assert set(sharing_marks(ids, tables, np.array([False, True, False]))) == set()


def test_a_text_listed_five_thousand_times_is_paired_with_the_first_one_only() -> None:
    made = sketch(TITLE, SUMMARY, [DESCRIPTION])
    tables = [np.tile(made.whole, (5000, 1))]
    pairs = set(sharing_marks(np.arange(10, 5010), tables, np.ones(5000, np.bool_)))
    assert pairs == {(10, other) for other in range(11, 5010)}


def test_an_empty_exchange_has_no_pairs() -> None:
    assert not set(sharing_marks(np.empty(0, np.int64), [np.empty((0, BANDS), np.uint32)], np.empty(0, np.bool_)))


def test_random_listings_lie_at_zero_and_a_language_pair_unseen_borrows_from_all() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(300, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    null = Null.of(vectors, ["vi"] * 150 + ["en"] * 150)
    assert null is not None
    above = [null.above(float(vectors[i] @ vectors[i + 1]), "vi", "vi") for i in range(149)]
    assert abs(float(np.mean(above))) < 0.3
    assert 0.8 < float(np.std(above)) < 1.2
    assert null.above(0.5, "ko", "nl") == pytest.approx(null.above(0.5, "nl", "ko"))
    assert Null.of(vectors[:2], ["vi", "en"]) is None
