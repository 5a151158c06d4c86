"""The demo exchange with vectors and a real index, for tests of matching as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.matching.service import Matcher
from techex.search import service as search
from techex.settings import Settings


@pytest.fixture(scope="session")
def embedded_file(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo exchange with the vectors of the deterministic encoder."""
    folder = tmp_path_factory.mktemp("embedded")
    shutil.copy(demo_file, folder / "techex.db")
    settings = settings_in(folder)
    database = Database(settings.database_address)
    search.embed_pending(settings, database)
    database.close()
    return folder / "techex.db"


def settings_in(folder: Path, card: str = "hashing") -> Settings:
    """An installation in a folder, with the deterministic encoder."""
    return Settings(
        data_dir=folder, database_url="", models_dir=folder, indexes_dir=folder, card=card, engine="", secret_key="x"
    )


@pytest.fixture
def demo(embedded_file: Path, tmp_path: Path) -> Iterator[Database]:
    """The demo exchange, embedded."""
    shutil.copy(embedded_file, tmp_path / "techex.db")
    database = Database(settings_in(tmp_path).database_address)
    yield database
    database.close()


@pytest.fixture
def matcher(demo: Database, tmp_path: Path) -> Matcher:
    """The matcher that serves, over the demo exchange."""
    return Matcher(settings_in(tmp_path), demo)


@pytest.fixture
def reader(context: Context) -> Context:
    """Anybody, without an account."""
    return Context(ANONYMOUS, context.now)
