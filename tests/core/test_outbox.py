"""Letters leave whole, once, and none is lost, whatever happens to the process that sends them."""

from __future__ import annotations

import email
import os
import random
import re
import signal
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path

import pytest
from sqlalchemy import func, select

from techex.core import mail, outbox
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from tests.conftest import NOW

SENDER = "Sàn giao dịch <techex@exchange.example>"


def write(database: Database, key: str, **values: object) -> bool:
    letter: dict[str, object] = {
        "to": "lan@firm.example",
        "language": "vi",
        "subject": "About %(what)s",
        "text": "Dear reader,\n\nthis is about %(what)s.",
        "values": {"what": "nước thải dệt nhuộm"},
    }
    with database.transaction() as session:
        return mail.write(session, Context(COMMAND_LINE, NOW), key=key, **(letter | values))  # type: ignore[arg-type]


def test_the_same_thing_is_never_written_twice(each_database: Database) -> None:
    assert write(each_database, "notice-17-2026")
    assert not write(each_database, "notice-17-2026")
    with each_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 1


def test_a_letter_becomes_a_file_that_mail_programs_read(database: Database, tmp_path: Path) -> None:
    write(database, "notice-17")
    assert outbox.send_due(database, outbox.Folder(tmp_path / "mail"), SENDER, NOW) == outbox.Sent(sent=1)
    message = email.message_from_bytes((tmp_path / "mail" / "notice-17.eml").read_bytes(), policy=policy.default)
    assert message["To"] == "lan@firm.example"
    assert message["Subject"] == "About nước thải dệt nhuộm"
    assert message["Message-ID"] == "<notice-17@exchange.example>"
    assert "nước thải dệt nhuộm" in message.get_content()
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["notice-17.eml"]


def test_a_line_break_in_a_name_does_not_become_a_header(database: Database, tmp_path: Path) -> None:
    write(database, "injected", values={"what": "x\r\nBcc: evil@example.com"})
    outbox.send_due(database, outbox.Folder(tmp_path), SENDER, NOW)
    message = email.message_from_bytes((tmp_path / "injected.eml").read_bytes(), policy=policy.default)
    assert message["Bcc"] is None
    assert message["Subject"] == "About x Bcc: evil@example.com"


@pytest.mark.parametrize("key", ["", "../escape", "a/b", "Über", "x" * 101, ".hidden"])
def test_a_key_is_a_plain_file_name(database: Database, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        write(database, key)


def test_a_text_with_a_link_that_opens_a_door_is_forgotten_once_sent(database: Database, tmp_path: Path) -> None:
    write(database, "secret", secret=True)
    write(database, "plain")
    outbox.send_due(database, outbox.Folder(tmp_path), SENDER, NOW)
    with database.reading() as session:
        texts = {row.key: row.text for row in session.scalars(select(Letter))}
    assert texts["secret"] == ""
    assert texts["plain"]


def _waiting(database: Database) -> int:
    with database.reading() as session:
        found = session.scalar(select(func.count()).select_from(Letter).where(Letter.state != "sent"))
    database.close()  # no connection crosses a fork
    return found or 0


def test_no_letter_is_lost_or_doubled_by_kills(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real processes are killed with SIGKILL at random moments while they send; the next one goes on."""
    monkeypatch.setattr(outbox, "CLAIM", timedelta(milliseconds=40))
    keys = {f"letter-{number:03}" for number in range(60)}
    for key in keys:
        write(database, key)
    database.close()  # no connection crosses a fork
    chance = random.Random(7)  # noqa: S311 - moments, no secrets
    kills, folder, waiting, patience = 0, tmp_path / "mail", len(keys), 0.1
    until = time.monotonic() + 240
    while time.monotonic() < until:
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            own = Database(database.engine.url.render_as_string(hide_password=False))
            while True:
                outbox.send_due(own, outbox.Folder(folder), SENDER, datetime.now(UTC))
        time.sleep(chance.uniform(0.01, patience))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        before, waiting = waiting, _waiting(database)
        if waiting == before:
            patience = min(patience * 1.5, 5)  # a busy machine: the next process gets more time
        if not waiting and kills >= 20:
            break
    files = sorted(path.name for path in folder.iterdir() if path.suffix == ".eml")
    assert files == sorted(f"{key}.eml" for key in keys)
    for path in folder.glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        assert " ".join(message.get_content().split()) == "Dear reader, this is about nước thải dệt nhuộm."
    with database.reading() as session:
        again = session.scalar(select(func.count()).select_from(Letter).where(Letter.attempts > 1))
    assert again, "no kill fell between claim and mark, so nothing was tested"
    assert kills >= 20


def test_two_workers_send_each_letter_once(each_database: Database, tmp_path: Path) -> None:
    carried: list[str] = []

    class Counting:
        def carry(self, key: str, message: object) -> None:
            carried.append(key)
            time.sleep(0.005)

    for number in range(40):
        write(each_database, f"letter-{number}")
    workers = [
        threading.Thread(target=outbox.send_due, args=(each_database, Counting(), SENDER, NOW)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(carried) == sorted(f"letter-{number}" for number in range(40))


class MailServer(socketserver.StreamRequestHandler):
    """A mail server that keeps what it is given; an address that begins with "no" is refused for good."""

    received: list[bytes]
    busy = 0

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                if type(self).busy:
                    type(self).busy -= 1
                    self.wfile.write(b"451 try later\r\n")
                    continue
                type(self).received.append(text)
            if verb == b"RCPT" and b"<no" in line:
                self.wfile.write(b"550 nobody of this name\r\n")
                continue
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


@pytest.fixture
def server() -> Iterator[tuple[type[MailServer], outbox.Smtp]]:
    kind = type("Here", (MailServer,), {"received": [], "busy": 0})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield kind, outbox.Smtp(f"smtp://127.0.0.1:{listening.server_address[1]}")
        listening.shutdown()
        thread.join()


def test_a_letter_goes_to_a_mail_server(database: Database, server: tuple[type[MailServer], outbox.Smtp]) -> None:
    write(database, "notice-17")
    assert outbox.send_due(database, server[1], SENDER, NOW).sent == 1
    assert re.search(rb"Message-ID: <notice-17@exchange.example>", server[0].received[0])


def test_what_a_server_cannot_take_now_is_sent_later(
    database: Database, server: tuple[type[MailServer], outbox.Smtp]
) -> None:
    server[0].busy = 1
    write(database, "notice-17")
    assert outbox.send_due(database, server[1], SENDER, NOW) == outbox.Sent(failed=1)
    assert outbox.send_due(database, server[1], SENDER, NOW + timedelta(seconds=59)) == outbox.Sent()
    assert outbox.send_due(database, server[1], SENDER, NOW + timedelta(seconds=60)) == outbox.Sent(sent=1)


def test_what_a_server_will_never_take_is_given_up_with_its_reason(
    database: Database, server: tuple[type[MailServer], outbox.Smtp]
) -> None:
    write(database, "notice-17", to="nobody@firm.example")
    outbox.send_due(database, server[1], SENDER, NOW)
    with database.reading() as session:
        letter = session.scalars(select(Letter)).one()
    assert letter.state == "failed"
    assert "nobody of this name" in letter.error


def test_without_a_server_a_letter_waits_longer_each_time_and_is_given_up_in_the_end(database: Database) -> None:
    write(database, "notice-17")
    now, nowhere = NOW, outbox.Smtp("smtp://127.0.0.1:1")
    for pause in outbox.PAUSES:
        assert outbox.send_due(database, nowhere, SENDER, now).failed == 1
        now += pause
    outbox.send_due(database, nowhere, SENDER, now)
    with database.reading() as session:
        assert session.scalars(select(Letter)).one().state == "failed"
