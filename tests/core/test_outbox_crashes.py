"""The outbox survives crashes at every point of writing and of sending: no letter is lost, none is sent twice.

A simulated crash is an exception that nothing catches, raised before or after a statement, a commit, or a step on the
way out (a file opened, synced, named; a line to or from the mail server). What a process holds is thrown away then, and
a new one goes on once claims have run out. The clock is ours, so nothing waits. TECHEX_TEST_CRASHES asks for more.

SMTP has a moment that no sender can close: the server has taken the letter and its "250" did not reach a process that
could keep it. The letter is then sent again, with the same Message-ID; the test holds that a letter goes out again only
where a crash cut its sending short.
"""

from __future__ import annotations

import email
import os
import random
import signal
import smtplib
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from techex.core import mail, outbox
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from tests.conftest import NOW

CRASHES = int(os.environ.get("TECHEX_TEST_CRASHES", "1000"))
SENDER = "TechEx <techex@exchange.example>"
AFTER_A_CLAIM = outbox.CLAIM + timedelta(seconds=1)


# What a process held when it was killed is left open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def database(database: Database) -> Database:
    """Without waiting for the disk: a process that is killed leaves what it has written to the system."""
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF").close())
    return database


class Crash(Exception):  # noqa: N818 - says what happened
    """The process is gone."""


class Points:
    """Counts the points at which a process may be killed, and kills it at the one that was asked for."""

    def __init__(self) -> None:
        self.left = 0
        self.is_dead = False
        self.at: Counter[str] = Counter()

    def __call__(self, where: str) -> None:
        if self.is_dead:
            raise Crash(where)  # a process that is gone does nothing on its way out
        self.left -= 1
        if self.left == 0:
            self.at[where] += 1
            self.is_dead = True
            raise Crash(where)

    @contextmanager
    def within(self, database: Database) -> Iterator[None]:
        """A point at each statement of this database and on both sides of each commit."""

        def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self("before " + statement.split()[0])

        def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self("after " + statement.split()[0])

        dialect = database.engine.dialect
        commit = dialect.do_commit

        def do_commit(connection: Any) -> None:
            self("before COMMIT")
            commit(connection)
            self("after COMMIT")

        event.listen(database.engine, "before_cursor_execute", before)
        event.listen(database.engine, "after_cursor_execute", after)
        dialect.do_commit = do_commit  # type: ignore[method-assign]
        try:
            yield
        finally:
            dialect.do_commit = commit  # type: ignore[method-assign]
            event.remove(database.engine, "before_cursor_execute", before)
            event.remove(database.engine, "after_cursor_execute", after)
            database.close()

    def around(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        """A call with a point before and one after it."""

        def called(*given: Any, **values: Any) -> Any:
            self("before " + name)
            found = call(*given, **values)
            self("after " + name)
            return found

        return called


def _write(database: Database, key: str) -> None:
    with database.transaction() as session:
        mail.write(
            session,
            Context(COMMAND_LINE, NOW),
            key=key,
            to="lan@firm.example",
            language="vi",
            subject="About %(key)s",
            text="This is about %(key)s: nước thải dệt nhuộm, from its first word to the last.",
            values={"key": key},
        )


def _live(database: Database, points: Points, carrier: outbox.Carrier, crashes: int) -> set[str]:
    """Processes that write a letter and send what is due, one after the other, each killed one point later than the
    one before it; once a process gets to its end, the next is killed at its first point. What one of them held is gone:
    only rows and files go on to the next. Returns the keys of all letters.
    """
    kept: set[str] = set()
    now, number, at = NOW, 0, 0
    with points.within(database):
        while sum(points.at.values()) < crashes:
            at, number, now = at + 1, number + 1, now + AFTER_A_CLAIM
            points.left = at
            try:
                _write(database, f"letter-{number}")
                kept.add(f"letter-{number}")
                outbox.send_due(database, carrier, SENDER, now)
                at = 0
            except Crash:
                points.is_dead = False
        points.left = 0
    for _ in range(3):
        now += AFTER_A_CLAIM
        outbox.send_due(database, carrier, SENDER, now)
    with database.reading() as session:
        states = {letter.key: letter.state for letter in session.scalars(select(Letter))}
    assert set(states.values()) == {"sent"}
    assert kept <= set(states), "a letter was lost that its writer had been told was kept"
    return set(states)


def test_as_files_no_letter_is_lost_or_doubled_wherever_a_process_dies(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = Points()
    for owner, name in ((os, "fsync"), (os, "open"), (os, "close"), (Path, "open"), (Path, "replace"), (Path, "mkdir")):
        monkeypatch.setattr(owner, name, points.around(getattr(owner, name), name))
    sent = _live(database, points, outbox.Folder(tmp_path / "mail"), CRASHES // 2)
    files = {path.stem for path in (tmp_path / "mail").glob("*.eml")}
    assert files == sent
    for key in files:
        message = email.message_from_bytes((tmp_path / "mail" / f"{key}.eml").read_bytes(), policy=policy.default)
        assert message.get_content().split()[3] == f"{key}:"
        assert message.get_content().split()[-1] == "last."
    assert {"before fsync", "after replace", "before COMMIT", "after COMMIT", "after UPDATE"} <= set(points.at)


class MailServer(socketserver.StreamRequestHandler):
    """A mail server that keeps what it has taken."""

    taken: list[bytes]

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        with suppress(ConnectionError):
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b""
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        text += part
                    if not part:  # the sender is gone: half a letter is none
                        return
                    self.keep(text)
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    return

    def keep(self, text: bytes) -> None:
        """Take a letter."""
        type(self).taken.append(text)


@pytest.fixture
def server() -> Iterator[tuple[type[MailServer], str]]:
    kind = type("Here", (MailServer,), {"taken": []})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield kind, f"smtp://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


def _keys(letters: list[bytes]) -> Counter[str]:
    found = [email.message_from_bytes(text, policy=policy.default)["Message-ID"] for text in letters]
    return Counter(str(name).strip("<>").partition("@")[0] for name in found)


def test_by_smtp_no_letter_is_lost_and_only_one_whose_receipt_was_lost_comes_again(
    database: Database, server: tuple[type[MailServer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = Points()

    for name in ("send", "getreply"):
        monkeypatch.setattr(smtplib.SMTP, name, points.around(getattr(smtplib.SMTP, name), name))

    class Counting(outbox.Smtp):
        """Says of each crash whether the server had the letter by then."""

        def carry(self, key: str, message: Any) -> None:
            super().carry(key, message)
            points("carried")

    sent = _live(database, points, Counting(server[1]), CRASHES - CRASHES // 2)
    taken = _keys(server[0].taken)
    assert set(taken) == sent, "none is lost"
    again = sum(count - 1 for count in taken.values())
    assert again > 0, "no crash fell between the receipt and the mark, so nothing was tested"
    with database.reading() as session:
        attempts = {letter.key: letter.attempts for letter in session.scalars(select(Letter))}
    assert all(1 <= taken[key] <= attempts[key] for key in sent), "each time but the last was cut short by a crash"
    assert len(points.at) >= 10, "crashes fell everywhere"


def _serve(folder: Path) -> tuple[int, int]:
    """A mail server in a process of its own that keeps each letter as a file; returns its process and port."""

    class Keeping(MailServer):
        def keep(self, text: bytes) -> None:
            aside = folder / f".{time.monotonic_ns()}"
            aside.write_bytes(text)
            aside.replace(folder / f"{time.monotonic_ns()}.eml")

    listening = socketserver.TCPServer(("127.0.0.1", 0), Keeping)
    process = os.fork()
    if process == 0:  # pragma: no cover - another process
        listening.serve_forever(0.01)
        os._exit(0)
    port = int(listening.server_address[1])
    listening.socket.close()
    return process, port


def test_real_processes_that_write_and_send_are_killed_and_no_letter_is_lost(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL at random moments, by SMTP; `test_outbox` does the same with files."""
    monkeypatch.setattr(outbox, "CLAIM", timedelta(milliseconds=40))
    folder = tmp_path / "taken"
    folder.mkdir()
    address = database.engine.url.render_as_string(hide_password=False)
    database.close()  # no connection crosses a fork
    server, port = _serve(folder)
    told, tell = os.pipe()
    chance = random.Random(11)  # noqa: S311 - moments, no secrets
    try:
        for round_ in range(30):
            child = os.fork()
            if child == 0:  # pragma: no cover - another process
                _work(address, port, f"r{round_}", tell)
            time.sleep(chance.uniform(0.02, 0.4))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(tell)
        kept = {line for line in os.fdopen(told, encoding="ascii").read().splitlines() if line}
        own = Database(address)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            outbox.send_due(own, outbox.Smtp(f"smtp://127.0.0.1:{port}"), SENDER, datetime.now(UTC))
            with own.reading() as session:
                states = {letter.key: letter.state for letter in session.scalars(select(Letter))}
            if set(states.values()) == {"sent"}:
                break
            time.sleep(0.05)
        own.close()
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
    taken = _keys([path.read_bytes() for path in folder.glob("*.eml")])
    assert len(kept) >= 20, "the processes were killed before they did anything"
    assert kept <= set(states) == set(taken)
    assert sum(count - 1 for count in taken.values()) <= 30, "at most the one letter that was on its way at a kill"


def _work(address: str, port: int, name: str, tell: int) -> None:  # pragma: no cover - another process
    own = Database(address)
    carrier = outbox.Smtp(f"smtp://127.0.0.1:{port}")
    for number in range(10_000):
        _write(own, f"{name}-{number}")
        os.write(tell, f"{name}-{number}\n".encode())
        outbox.send_due(own, carrier, SENDER, datetime.now(UTC))
