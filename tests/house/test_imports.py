"""The house keeps its order: imports run one way, heavy libraries have one door and wait until they are needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

from techex import paths

HEAVY = ("torch", "sentence_transformers", "transformers", "faiss", "openvino")
FACE = {"service", "tables", "rules", "errors"}
DOMAINS = {"accounts", "organisations", "listings", "regions", "interchange"}
# A domain's own name for its public face is `service`; these modules are faces too, each for the reason given.
OTHER_FACES = {
    ("listings", "validation"),  # the one validator that form, API and import share
    ("listings", "queries"),  # its conditions are what every other list starts from
    ("listings", "lifecycle"),  # verbs and states by name; what a verb asks for stands there
    ("listings", "content"),  # what a listing says, as a revision keeps it
    ("listings", "reviews"),  # the queue, which the operators' desk shows beside what else waits
    ("listings", "disclosure"),  # introductions are made by brokers
    ("listings", "deadlines"),  # what has a date, for calendars and letters
    (
        "listings",
        "drafting",
    ),  # drafts and who writes for whom: matches are found for them, imports ask for the same rights
    ("listings", "posting_tables"),  # tables of drafts and files, in a file of their own for their number
    ("listings", "steps"),  # fields in the order of the form, with what to write: a template of an import says the same
    ("listings", "attachments"),  # files go with a listing that an import takes back
    ("organisations", "queries"),  # what the directory filters by; its pages show listings, so they stand above
    ("organisations", "forms"),  # the same
    ("organisations", "members"),  # who acts for it: its listings are checked for their names
    ("accounts", "commands"),  # one group of commands about people; who serves which place joins it from above
    ("regions", "working_days"),  # every deadline is counted by it
    ("regions", "drawing"),  # arrows and labels of the map, which only pages with matches draw
    ("accounts", "demo"),  # the demo exchange brings its people along
    ("interchange", "demo"),  # the demo exchange is also the gold set of evaluation
    ("interchange", "formats"),  # commands that read and write files
    ("interchange", "texts"),  # texts in further languages as columns of these files
    ("interchange", "runs"),  # imports that `techex work` goes on with
    ("regions", "naming"),  # places in the language of the page that is drawn: the service knows no page
    ("interchange", "advancing"),  # the same, row by row
}
SKINS = {"views", "api", "commands", "app", "cli"}


def test_imports_run_one_way() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=paths.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_domain_is_reached_through_its_face() -> None:
    strangers = []
    for path in sorted(paths.PACKAGE.rglob("*.py")):
        here = path.relative_to(paths.PACKAGE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("techex."):
                continue
            parts = (node.module or "").split(".")[1:]
            if parts[0] not in DOMAINS or parts[0] == here or path.stem in ("app", "cli"):
                continue
            modules = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            strangers += [
                f"{path.relative_to(paths.CHECKOUT)}: {parts[0]}.{module}"
                for module in modules
                if module not in FACE and (parts[0], module) not in OTHER_FACES
            ]
    assert strangers == []


def _loaded_by(code: str) -> list[str]:
    report = f"import sys, json; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_help_loads_no_model_and_no_index_library() -> None:
    code = "from click.testing import CliRunner; from techex.cli import techex\n"
    code += "assert CliRunner().invoke(techex, ['--help']).exit_code == 0"
    assert _loaded_by(code) == []


def test_pages_that_need_no_vectors_load_neither(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from techex.app import create_app
from techex.core.database import Database
from techex.migrations import run
from techex.settings import Settings
folder = Path({str(tmp_path)!r})
settings = Settings(data_dir=folder, indexes_dir=folder, secret_key="x", card="multilingual-e5-small")
run.upgrade(Database(settings.database_address))
visitor = create_app(settings, testing=True).test_client()
for page in ("/", "/needs", "/results", "/organisations", "/places"):
    assert visitor.get(page).status_code == 200, page
    assert not [module for module in {HEAVY!r} if module in sys.modules], page
"""
    assert _loaded_by(code) == []
