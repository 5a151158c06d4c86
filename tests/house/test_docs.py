"""The README cannot drift: every setting, command, page and make target stands in it."""

from __future__ import annotations

import re
from importlib import import_module

import click
import pytest
from flask import Flask

from techex import paths
from techex.cli import COMMANDS
from techex.settings import Settings

README = (paths.CHECKOUT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_help(name: str) -> None:
    row = next((line for line in README.splitlines() if line.startswith(f"| `TECHEX_{name.upper()}`")), None)
    assert row is not None, f"TECHEX_{name.upper()} is not in the settings table"
    assert Settings.model_fields[name].description in row


def _commands() -> list[str]:
    found = []
    for name, (module, attribute, _) in COMMANDS.items():
        command = getattr(import_module(module), attribute)
        if isinstance(command, click.Group):
            found += [f"techex {name} {sub}" for sub in command.commands]
        else:
            found.append(f"techex {name}")
    return found


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in README


@pytest.mark.parametrize("command", list(COMMANDS))
def test_the_one_line_help_of_a_command_begins_with_the_verb_of_its_own(command: str) -> None:
    module, attribute, line = COMMANDS[command]
    assert (getattr(import_module(module), attribute).help or "").split()[0] == line.split()[0]


def test_every_page_is_documented(app: Flask) -> None:
    pages = {
        re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"<\1>", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
    }
    assert sorted(page for page in pages if f"`{page}`" not in README) == []


@pytest.mark.parametrize("target", ["demo", "setup", "test", "lint", "fuzz", "bench", "screenshots"])
def test_every_make_target_is_documented(target: str) -> None:
    assert f"make {target}" in README


def test_every_place_and_test_of_the_table_of_hardening_is_there() -> None:
    rows = [line for line in README.split("## Hardening")[1].split("\n## ")[0].splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    for row in rows[1:]:
        _, where, tests = row.strip("| ").split(" | ")
        for name in re.findall(r"`([\w/]+(?:\.py)?)`", where):
            assert (paths.CHECKOUT / "techex" / name).exists(), f"{name} in {row}"
        named = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert named, f"no test in {row}"
        assert [name for name in named if not (paths.CHECKOUT / name).is_file()] == []


def test_links_within_the_repository_lead_somewhere() -> None:
    for page in ("README.md", "CHANGELOG.md", "DECISIONS.md"):
        text = (paths.CHECKOUT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (paths.CHECKOUT / target).exists(), f"{page} links to {target}"
