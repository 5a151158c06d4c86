"""`techex models` for a person and for a script."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from techex.cli import techex
from techex.embedding import commands
from techex.embedding.cards import ModelCard


@pytest.fixture
def installation(tiny_card: ModelCard, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with the tiny model prepared and in use; returns its models folder."""
    shutil.copytree(tiny_models, tmp_path / "models")
    monkeypatch.setenv("TECHEX_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("TECHEX_CARD", "tiny")
    honest = commands.load_card
    monkeypatch.setattr(commands, "load_card", lambda name: tiny_card if name == "tiny" else honest(name))
    return tmp_path / "models"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(techex, ["models", *arguments])


def test_a_ready_model_is_left_as_it_is(installation: Path) -> None:
    result = run("prepare")
    assert result.exit_code == 0
    assert "tiny: ready; nothing to do." in result.output
    (answer,) = json.loads(run("prepare", "--json").stdout)
    assert (answer["card"], answer["changed"]) == ("tiny", False)


def test_damage_is_named_and_the_exit_code_says_so(installation: Path) -> None:
    assert run("verify").exit_code == 0
    (installation / "tiny" / "tokenizer.json").write_text("{}")
    result = run("verify")
    assert result.exit_code == 3
    assert "tokenizer.json has 2 bytes" in result.output
    assert "techex models prepare tiny" in result.output
    (answer,) = json.loads(run("verify", "--json").stdout)
    assert (answer["ok"], len(answer["problems"])) == (False, 1)


def test_what_is_not_prepared_is_not_called_whole(installation: Path) -> None:
    result = run("verify", "bge-m3")
    assert result.exit_code == 3
    assert "not prepared" in result.output


def test_the_list_shows_which_cards_are_ready(installation: Path) -> None:
    rows = {row["card"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows["hashing"]["ready"]
    assert not rows["bge-m3"]["ready"]
    assert rows["multilingual-e5-small"]["dimension"] == 384
    result = run("list")
    assert result.exit_code == 0
    assert "multilingual-e5-small" in result.output


def test_an_unknown_card_is_an_error_of_the_exchange(installation: Path) -> None:
    result = run("prepare", "no-such-card")
    assert result.exit_code != 0
    assert "There is no model card 'no-such-card'" in str(result.exception)
