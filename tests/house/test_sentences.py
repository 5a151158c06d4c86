"""What a page may say of an error is said in its reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import techex
from techex import errors

ROOT = Path(techex.__file__).parent

# Only the command line, whose words are English, and those who run an installation read what these say.
UNSEEN = {
    "interchange/rules.py": "a map is a file of the command line",
    "matching/evaluated.py": "the page says it in its own words, the log in these",
    "matching/judged.py": "judged sets are read by commands",
    "matching/parity.py": "parallel texts are read by commands",
    "matching/simulation.py": "simulations are a command",
    "matching/versions.py": "lessons are kept and applied by commands",
}


def refusals(kind: type[errors.TechexError]) -> set[str]:
    """The names of the errors that a person causes; those of an installation are for whoever runs it."""
    if kind is errors.Environment:
        return set()
    return {kind.__name__}.union(*(refusals(sub) for sub in kind.__subclasses__()))


def english_only(source: str) -> Iterator[int]:
    """Lines that make a refusal of bare text, which no page can put into another language."""
    names = refusals(errors.TechexError)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            said = [*node.args, *(each.value for each in node.keywords if each.arg == "sentence")]
            if any(isinstance(one, ast.JoinedStr) or _is_text(one) for one in said[:1]):
                yield node.lineno


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_refusal_that_a_page_may_show_can_be_said_in_its_readers_language() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in UNSEEN and not name.endswith("commands.py"):
            found += [f"{name}:{line}" for line in english_only(path.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize("name", sorted(UNSEEN))
def test_whoever_is_excused_has_something_to_be_excused_for(name: str) -> None:
    assert list(english_only((ROOT / name).read_text("utf-8")))


def test_bare_text_is_noticed_and_a_sentence_is_not() -> None:
    assert list(english_only('raise NotFound("gone")\nraise BadInput(f"{n} is odd")')) == [1, 2]
    assert not list(english_only('raise NotFound(Sentence(N_("gone")))\nraise ModelDamaged("in English")'))
