"""Duplicates on real texts: the demo exchange, copies of it made by edits, and twins written by hand.

Every copy is compared with every listing of the demo. Constants were set on the twins without `unseen`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from techex import paths
from techex.embedding import centring
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.embedding.passages import passages_of
from techex.interchange.demo import demo_exchange
from techex.listings.rules import BODY_FIELDS, Kind
from techex.matching.duplicates import Alike, Finding, Null, Verdict, compare
from techex.matching.sketches import Portrait, portrait, sketch
from tests.quality import edits

pytestmark = [pytest.mark.model, pytest.mark.slow]

# Every edit is tried on every so-maniest demo listing; encoding is what takes time.
EVERY = 13
TWINS = Path(__file__).with_name("near_twins.toml")


@dataclass(frozen=True)
class Copy:
    """A text to be compared with the demo: `of` is the key of the listing it was made from, `made_by` says how."""

    of: str
    made_by: str
    kind: str
    language: str
    organisation: str
    text: edits.Text


@dataclass
class Tally:
    """What came out for the copies of one kind: verdicts against the original, and pairs with anything else."""

    copies: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    strangers: int = 0

    @property
    def found(self) -> int:
        """Copies reported as duplicates of their original."""
        return sum(count for verdict, count in self.verdicts.items() if verdict and Verdict(verdict).is_duplicate)


def _demo() -> list[Copy]:
    rows = demo_exchange().listings
    return [
        Copy(
            row.key,
            "demo",
            row.draft.kind.value,
            row.draft.language,
            row.organisation,
            {name: row.draft.values[name] for name in ("title", "summary", *BODY_FIELDS) if row.draft.values.get(name)},
        )
        for row in rows
    ]


def _copies(demo: Sequence[Copy]) -> list[Copy]:
    found = []
    by_key = {row.of: row for row in demo}

    def add(row: Copy, made_by: str, text: edits.Text, language: str | None = None) -> None:
        # Every second copy is posted by somebody else: an exchange takes over what another one has.
        other = f"another one ({row.of})" if len(found) % 2 else row.organisation
        found.append(Copy(row.of, made_by, row.kind, language or row.language, other, text))

    for row in demo[::EVERY]:
        for name, edit in {**edits.SAME, **edits.OTHER}.items():
            if (text := edit(row.text, row.language)) is not None:
                add(row, name, text)
    twins = tomllib.loads(TWINS.read_text(encoding="utf-8"))
    for twin in twins["reworded"]:
        text = {name: value for name, value in twin.items() if name not in ("of", "unseen")}
        add(by_key[twin["of"]], "retold, unseen" if "unseen" in twin else "retold", text)
    for twin in twins["other_subject"]:
        row = by_key[twin["of"]]
        text = edits.replaced(row.text, twin["words"])
        add(row, "other subject, unseen" if "unseen" in twin else "other subject", text)
    for judgement in demo_exchange().judgements:
        if judgement.parallel:
            text = {name: value for name, value in judgement.parallel.items() if name != "language"}
            add(by_key[judgement.need], "translated", text, judgement.parallel["language"])
    return found


def _portraits(rows: Iterable[Copy], owners: dict[str, int]) -> list[Portrait]:
    made = []
    for number, row in enumerate(rows):
        texts = {name: text for name, text in row.text.items() if name not in ("title", "summary")}
        owner = owners.setdefault(row.organisation, len(owners))
        made.append(portrait(number, owner, row.language, row.text["title"], row.text["summary"], texts))
    return made


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    """Every copy compared with every demo listing of its kind, by the way it was made; "demo" holds the demo itself."""
    demo = _demo()
    copies = _copies(demo)
    rows = [*demo, *copies]
    vectors = {field: _centred(rows, demo, field) for field in ("whole", "long")}
    owners: dict[str, int] = {}
    portraits = _portraits(rows, owners)
    nulls = {}
    for kind in Kind:
        places = [place for place, row in enumerate(demo) if row.kind == kind.value]
        nulls[kind.value] = Null.of(vectors["whole"][places], [demo[place].language for place in places])

    def finding(one: int, other: int) -> Finding | None:
        null = nulls[rows[one].kind]
        assert null is not None
        above = null.above(
            float(vectors["whole"][one] @ vectors["whole"][other]), rows[one].language, rows[other].language
        )
        alike = Alike(above, float(vectors["long"][one] @ vectors["long"][other]))
        return compare(portraits[one], portraits[other], alike)

    found: dict[str, Tally] = {}
    for number, row in enumerate(rows):
        tally = found.setdefault(row.made_by, Tally())
        tally.copies += 1
        for place in range(min(number, len(demo))):
            if demo[place].kind != row.kind:
                continue
            result = finding(place, number)
            if row.made_by != "demo" and demo[place].of == row.of:
                tally.verdicts[result.verdict.value if result else ""] += 1
            elif result and result.verdict.is_duplicate:
                tally.strangers += 1
    for name, tally in found.items():
        print(f"{name:24} {tally.copies:4} {dict(tally.verdicts)} strangers {tally.strangers}")  # noqa: T201
    return found


def _centred(rows: Sequence[Copy], demo: Sequence[Copy], length_class: str) -> np.ndarray:
    card = load_card("multilingual-e5-small")
    encoder = load_encoder(card, paths.CHECKOUT / "models", threads=2)
    texts = []
    for row in rows:
        body = {name: text for name, text in row.text.items() if name not in ("title", "summary")}
        passages = passages_of(row.text["title"], row.text["summary"], body, row.language)
        texts.append(passages[-1 if length_class == "whole" else 0].text)
    raw = encoder.encode(texts, "listing")
    groups: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row.language, row.kind), []).append(number)
    means = centring.learn(
        card,
        [(*group, length_class, raw[[n for n in numbers if n < len(demo)]]) for group, numbers in groups.items()],
    )
    centred = np.zeros_like(raw)
    for group, numbers in groups.items():
        centred[numbers] = means.apply(raw[numbers], *group, length_class)
    return centred


SAME = (*edits.SAME, "retold", "retold, unseen")
OTHER = (*edits.OTHER, "other subject", "other subject, unseen")


def test_nine_of_ten_twins_in_one_language_are_found(tallies: dict[str, Tally]) -> None:
    for names in (*((name,) for name in edits.SAME), ("retold", "retold, unseen")):
        found, copies = (sum(getattr(tallies[name], what) for name in names) for what in ("found", "copies"))
        assert found >= 0.90 * copies, (names, found, copies)


def test_what_is_reported_as_a_duplicate_is_one(tallies: dict[str, Tally]) -> None:
    right = sum(tallies[name].found for name in (*SAME, "translated"))
    wrong = sum(tally.strangers for tally in tallies.values()) + sum(tallies[name].found for name in OTHER)
    assert right / (right + wrong) >= 0.98, (right, wrong)


def test_no_two_listings_of_the_demo_are_taken_for_one(tallies: dict[str, Tally]) -> None:
    assert tallies["demo"].strangers == 0


@pytest.mark.parametrize("name", OTHER)
def test_a_sister_product_is_told_apart_as_a_variant(tallies: dict[str, Tally], name: str) -> None:
    assert tallies[name].verdicts[Verdict.VARIANT.value] >= 0.85 * tallies[name].copies, tallies[name]


def test_translations_are_found(tallies: dict[str, Tally]) -> None:
    found, strangers = tallies["translated"].found, tallies["translated"].strangers
    assert 2 * found / (found + strangers + tallies["translated"].copies) >= 0.82


def test_copies_share_a_mark_with_their_original_and_strangers_hardly_ever() -> None:
    demo = _demo()
    sketches = {row.of: _sketched(row) for row in demo}
    for copy in _copies(demo):
        if copy.made_by in (*edits.SAME, *edits.OTHER):
            made, original = _sketched(copy), sketches[copy.of]
            assert (made.head == original.head).any() or (made.whole == original.whole).any(), (copy.of, copy.made_by)
    together = [
        (one.of, other.of)
        for place, one in enumerate(demo)
        for other in demo[:place]
        if (sketches[one.of].whole == sketches[other.of].whole).any()
        or (sketches[one.of].head == sketches[other.of].head).any()
    ]
    assert len(together) < 0.002 * len(demo) ** 2 / 2


def _sketched(row: Copy):  # type: ignore[no-untyped-def]
    rest = [text for name, text in row.text.items() if name not in ("title", "summary")]
    return sketch(row.text["title"], row.text["summary"], rest)


def test_the_twins_written_by_hand_name_listings_that_exist() -> None:
    keys = {row.of for row in _demo()}
    twins = tomllib.loads(TWINS.read_text(encoding="utf-8"))
    for twin in (*twins["reworded"], *twins["other_subject"]):
        assert twin["of"] in keys
        assert not re.search(r"\s{2,}", json.dumps(twin, ensure_ascii=False))
