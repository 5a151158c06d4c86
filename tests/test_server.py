"""`techex serve` as a person meets it: a process, its words, its exit codes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from techex.settings import Settings

PATIENCE = 60  # seconds; a start takes two on a quiet machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(settings: Settings, *arguments: str) -> tuple[list[str], dict[str, str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TECHEX_")}
    environment |= {
        "TECHEX_DATA_DIR": str(settings.data_dir),
        "TECHEX_INDEXES_DIR": str(settings.indexes_dir),
        "TECHEX_CARD": settings.card,
        "TECHEX_ENGINE": settings.engine,
        "HOME": str(settings.data_dir),
    }
    return [sys.executable, "-m", "techex.cli", "serve", *arguments], environment


@contextmanager
def served(settings: Settings, port: int) -> Iterator[str]:
    """The words of a server that answers; it is stopped at the end and must stop by itself."""
    line, environment = command(settings, "--port", str(port))
    with subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def refused(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    line, environment = command(settings, *arguments)
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_the_address_is_printed_when_pages_can_be_asked_for(settings: Settings) -> None:
    port = free_port()
    started = time.monotonic()
    with served(settings, port) as words:
        taken = time.monotonic() - started
        assert re.search(rf"http://127\.0\.0\.1:{port}/", words), words
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for path, words_there in (("/", b"TechEx"), ("/matches?text=water", b"found-title"), ("/healthz", b"hashing")):
            connection.request("GET", path)
            reply = connection.getresponse()
            assert reply.status == 200, path
            assert words_there in reply.read(), path
        connection.close()
    assert taken < PATIENCE
    assert not (settings.data_dir / ".gunicorn").exists(), "no control socket is opened in anybody's home"


def test_a_taken_port_gets_a_sentence(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = refused(settings, "--port", str(port))
    assert done.returncode == 3
    assert f"techex serve --port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_migrated_names_the_command(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"data_dir": tmp_path / "empty"})
    done = refused(empty, "--port", str(free_port()))
    assert done.returncode == 3
    assert "techex migrate" in done.stderr


def test_a_port_that_is_none_is_refused(settings: Settings) -> None:
    assert refused(settings, "--port", "70000").returncode == 2
