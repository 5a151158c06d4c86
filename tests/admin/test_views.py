from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from techex.app import create_app
from techex.errors import ModelNotPrepared
from techex.settings import Settings
from tests.matching.second_matcher import WordMatcher


class Broken(WordMatcher):
    """A matcher whose model is missing."""

    def state(self) -> dict[str, object]:
        raise ModelNotPrepared("Run `techex models prepare`.")


def test_a_healthy_exchange_says_so_to_machines(visitor: FlaskClient) -> None:
    reply = visitor.get("/healthz")
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.get_json()["database"]["ok"] is True


def test_a_missing_model_is_told_and_is_no_failure(settings: Settings) -> None:
    matcher = Broken()
    reply = create_app(settings, testing=True, matcher=lambda: matcher).test_client().get("/healthz")
    assert reply.status_code == 200
    assert reply.get_json()["model"] == {"ok": False, "reason": "Run `techex models prepare`."}


def test_a_database_without_tables_is_a_failure_that_names_the_command(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"data_dir": tmp_path / "empty"})
    matcher = WordMatcher()
    reply = create_app(empty, testing=True, matcher=lambda: matcher).test_client().get("/healthz")
    assert reply.status_code == 503
    assert "techex migrate" in reply.get_json()["database"]["reason"]
