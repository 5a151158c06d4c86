"""Requests nobody would send on purpose, over all routes, by all of the cast.

    python -m tests.house.fuzz --requests 200000 --seed 20261122
    python -m tests.house.fuzz --seed 20261122 --only 17342

What must hold for each of them: no 5xx, no traceback, no sentence of Python or SQL, no canary that became markup, the
headers that keep a page safe, and a request that is refused, or only reads, has written nothing. A request is known
by its seed and number; every EPOCH requests the exchange is put back as it was, so one can be repeated.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from urllib.parse import quote, unquote_to_bytes, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from techex.core.database import Database
from techex.core.limits import Count
from techex.core.mail import Letter
from tests.cast import CAST, Browser, sign_in

from . import fuzz_input as given
from . import fuzz_values as vocabulary
from .fuzz_input import Form, Request

EPOCH = 1_000  # requests from one clean exchange to the next
PEOPLE = ("anonymous", *CAST)
# A draft is kept as it was typed, also where its page says what is wrong with it (422), or that somebody else wrote the
# same field at the same time (409: both texts are kept).
KEPT = {"/drafts/": {"listing_draft"}}
# Pages that the plain matcher of the tests works long on; now and then is enough.
SLOW = ("/pairs", "/pairs.<suffix>", "/regions/<code>", "/places/<code>")
# Files hold no forms.
A_FILE = re.compile(r"\.(?:<suffix>|<kind>|\w+)$")
# Tables a refused or reading request may write to: counters of limits, when a session was last used.
OWN_BOOKS = {"limit_count", "person_session"}
# Who reads in a deal is written into its ledger.
LEDGER = {"deal_step", "audit_entry", "audit_head", "change", "change_counter"}
NOTED = re.compile(r"/deals/\d+(?:/papers/\d+/\d+)?")
SAID_BY_MACHINES = re.compile(
    rb"Traceback \(most recent|sqlalchemy\.|sqlite3|psycopg|OperationalError|IntegrityError|DataError|"
    rb"(?:Type|Value|Key|Attribute|Index|Unicode\w*|Overflow|Recursion)Error|"
    rb"object has no attribute|invalid literal for|codec can't|NoneType|"
    rb"not JSON serializable|validation error for|unexpected keyword|jinja2|werkzeug|Expecting value"
)
LETTER_LINK = re.compile(r"https?://[^/\s]+/(\S+)")


class Broken(AssertionError):  # noqa: N818 - says what happened
    """An invariant does not hold; says of which request, and how to repeat it."""


class _Forms(HTMLParser):
    """The forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.found, self._form, self._select = page, [], None, ""
        self._fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: text or "" for name, text in attributes}
        if tag == "form":
            path = urlsplit(at.get("action") or self.page).path
            self._form = (path, at.get("method", "get").upper(), "multipart" in at.get("enctype", ""))
            self._fields = {}
        elif self._form and tag in ("input", "textarea", "select", "button") and at.get("name"):
            self._fields.setdefault(at["name"], []).append(at.get("value", ""))
            self._select = at["name"] if tag == "select" else ""
        elif self._form and tag == "option" and self._select:
            self._fields[self._select].append(at.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form:
            fields = tuple((name, tuple(values)) for name, values in self._fields.items() if name != "csrf_token")
            self.found.append(Form(*self._form, fields))
            self._form = None


@dataclass(frozen=True)
class Known:
    """What a generator knows of the exchange: its routes, forms of its pages, and things that are there."""

    routes: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]  # rule, methods, (argument, kind)
    forms: dict[str, tuple[Form, ...]]
    values: dict[str, tuple[str, ...]]  # by the name of an argument
    files: list[tuple[str, str, bytes]]


def request_number(known: Known, seed: str, number: int) -> Request:
    """The request of this number, the same each time."""
    r = Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
    who = r.choice(PEOPLE)
    forms = known.forms.get(who, ())
    request = _of_a_form(r, known, who, r.choice(forms)) if forms and r.random() < 0.5 else _of_a_route(r, known, who)
    if r.random() < 0.15:
        request.headers += r.sample(vocabulary.HEADERS, r.randrange(1, 4))
    if r.random() < 0.03:
        request.method = r.choice(vocabulary.METHODS)
    request.token = r.random() < 0.92
    return request


def _of_a_form(r: Random, known: Known, who: str, form: Form) -> Request:
    fields, files = [], []
    wild = r.choice((0.0, 0.1, 0.3, 0.8))
    for name, values in form.fields:
        if name == "file":
            files += [(b"file", given.upload(r, known.files)) for _ in range(r.randrange(3))]
            continue
        if r.random() < 0.1:
            continue
        text = r.choice(values).encode() if values else b""
        if r.random() < wild or (not text and r.random() < 0.5):
            text = given.value(r) if r.random() < 0.7 else given.mutated(r, text)
        fields.append((name.encode(), text))
        if r.random() < 0.06:
            fields.append((name.encode(), given.value(r)))
    fields += given.pairs(r, vocabulary.NAMES, 2) if r.random() < 0.2 else []
    if form.method == "GET":
        return Request(who, "GET", form.path, given.encoded(fields))
    return _posting(r, Request(who, "POST", form.path), fields, files, form.multipart)


def _of_a_route(r: Random, known: Known, who: str) -> Request:
    rule, methods, arguments = r.choice(known.routes)
    if rule in SLOW and r.random() < 0.9:
        rule, methods, arguments = r.choice(known.routes)
    path = quote(rule, safe="/<>:")
    for name, kind in arguments:
        path = path.replace(f"<{name}>", given.path_value(r, kind, known.values.get(name, ())), 1)
    if r.random() < 0.04:
        path += r.choice(("/", "//", "%00", ";jsessionid=1", "/..;/", "%2e%2e", ".", "%ff", "?", "%25%32%35"))
    request = Request(who, r.choice(methods), path, given.encoded(given.pairs(r, vocabulary.NAMES, 4)))
    if request.method == "GET":
        return request
    names = vocabulary.NAMES if r.random() < 0.7 else ("title", "text", "comment", "reason", "language", "role", "code")
    files = [(b"file", given.upload(r, known.files))] if r.random() < 0.3 else []
    return _posting(r, request, given.pairs(r, names, 6), files, bool(files))


def _posting(r: Random, request: Request, fields: list, files: list, multipart: bool) -> Request:  # type: ignore[type-arg]
    if r.random() < 0.05:
        request.body, request.content_type = r.randbytes(r.randrange(300)), r.choice(vocabulary.TYPES)
    elif multipart or r.random() < 0.1:
        request.body, request.content_type = given.multipart(r, fields, files), "multipart/form-data; boundary=fuzz"
    else:
        request.body, request.content_type = given.encoded(fields).encode(), vocabulary.TYPES[0]
    if r.random() < 0.02:
        request.content_type = r.choice(vocabulary.TYPES)
    if r.random() < 0.004:
        request.body += b"&text=" + b"x" * 1_000_000
    return request


class Fuzz:
    """An exchange on SQLite with things to hit, and everybody signed in."""

    looking: tuple[str, ...] = (
        "anonymous",
        "engineer",
        "officer",
        "stranger",
        "operator",
        "administrator",
    )  # for forms
    turns = 3  # things of each kind whose pages are looked through for forms

    def __init__(self, app: Flask, path: Path, fill: Callable[[Flask], dict[str, tuple[str, ...]]]) -> None:
        """`path` is the database of `app`; `fill` brings things in and says what may stand in a path."""
        self.app, self.path, self.clean = app, path, path.with_suffix(".clean")
        self.database: Database = app.extensions["techex.database"]
        event.listen(
            self.database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF")
        )
        values = fill(app)
        self.cookies = {name: self._signed_in(name) for name in CAST if not CAST[name].disabled}
        self.browsers: dict[str, Browser] = {}
        self.tokens: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()
        with self.database.reading() as session:
            letters = session.scalars(select(Letter.text)).all()
        links = [link.split("/") for text in letters for link in LETTER_LINK.findall(text)]
        values |= {"token": tuple(sorted({parts[-1] for parts in links}))}
        self._watch()
        self.database.close()
        shutil.copy(path, self.clean)
        self.watcher = sqlite3.connect(path, isolation_level=None)
        self.seen = 0
        self.known = Known(tuple(self._routes()), self._forms(values), values, given.seeds_of_files())

    def _signed_in(self, name: str) -> str:
        cookie = sign_in(self.app, name).get_cookie("techex")
        assert cookie is not None
        return cookie.value

    def _watch(self) -> None:
        """From now on every row that is written leaves a mark, in the transaction that writes it."""
        with sqlite3.connect(self.path) as connection:
            tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
            connection.execute("create table fuzz_mark (id integer primary key autoincrement, what text)")
            for table in tables:
                if not table.startswith("sqlite_"):
                    for verb in ("insert", "update", "delete"):
                        connection.execute(
                            f"create trigger fuzz_{table}_{verb} after {verb} on {table} "
                            f"begin insert into fuzz_mark (what) values ('{table} {verb}'); end"
                        )
        connection.close()

    def _routes(self) -> Iterator[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]]:
        for rule in sorted(self.app.url_map.iter_rules(), key=str):
            kinds = {"IntegerConverter": "integer", "PathConverter": "path"}
            path, arguments = "", []
            for is_dynamic, data in rule._trace:
                path += f"<{data}>" if is_dynamic else data
            for name, converter in rule._converters.items():
                arguments.append((name, kinds.get(type(converter).__name__, "text")))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield path.removeprefix("|"), (method,), tuple(arguments)

    def _forms(self, values: dict[str, tuple[str, ...]]) -> dict[str, tuple[Form, ...]]:
        """The forms that some of the cast find, each once."""
        found: dict[str, dict[tuple[object, ...], Form]] = {}
        for who in self.looking:
            kept = found.setdefault(who, {})
            for rule, (method,), arguments in self._routes():
                if method != "GET" or rule in SLOW or rule.startswith("/static") or A_FILE.search(rule):
                    continue
                if who == "stranger" and arguments:
                    continue
                most = max((len(values.get(name, "x")) for name, _ in arguments), default=1)
                for turn in range(min(self.turns, most)):
                    path = rule
                    for name, _ in arguments:
                        known = values.get(name, ("x",))
                        path = path.replace(f"<{name}>", known[turn % len(known)])
                    reply = FlaskClient.open(self.browser(who), path, buffered=True)
                    if reply.status_code == 200 and reply.mimetype == "text/html":
                        parser = _Forms(path)
                        parser.feed(reply.text)
                        for form in parser.found:
                            kept.setdefault((form.path, tuple(name for name, _ in form.fields)), form)
        return {who: tuple(kept.values()) for who, kept in found.items()}

    def browser(self, who: str) -> Browser:
        """The browser of one of the cast, or of somebody without an account."""
        if who not in self.browsers:
            browser = Browser(self.app, self.app.response_class, use_cookies=True)
            if who in self.cookies:
                browser.set_cookie("techex", self.cookies[who])
            browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
            self.browsers[who], self.tokens[who] = browser, browser.csrf_token()
        return self.browsers[who]

    def begin_anew(self) -> None:
        """Put the exchange back as it was."""
        self.database.close()
        self.watcher.close()
        for ending in ("-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        shutil.copy(self.clean, self.path)
        self.watcher = sqlite3.connect(self.path, isolation_level=None)
        self.seen = 0
        self.browsers.clear()

    def send(self, request: Request) -> None:
        """Send it; raises Broken where an invariant does not hold."""
        browser = self.browser(request.who)
        body = self._with_token(request)
        environ = {
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "QUERY_STRING": request.query,
            "REQUEST_METHOD": request.method,
            "REMOTE_ADDR": f"10.{len(body) % 250}.{len(request.query) % 250}.7",
        }
        special = {"Host": "HTTP_HOST", "Cookie": "HTTP_COOKIE", "Content-Length": "CONTENT_LENGTH"}
        headers = [(name, text) for name, text in request.headers if name not in special]
        lies = {special[name]: text for name, text in request.headers if name in special}
        client: FlaskClient = browser
        if "HTTP_COOKIE" in lies:
            client = FlaskClient(self.app, self.app.response_class, use_cookies=False)
        reply = FlaskClient.open(
            client,
            "/",
            method="POST",
            data=body,
            content_type=request.content_type or None,
            headers=headers,
            environ_overrides=environ | lies,
            buffered=True,
        )
        self.statuses[reply.status_code] += 1
        content = reply.get_data()
        kept = [tables for start, tables in KEPT.items() if request.path.startswith(start) and request.method == "POST"]
        wrote = self._written().difference(OWN_BOOKS, *kept if reply.status_code in (409, 422) else ())
        if request.method == "GET" and reply.status_code == 200 and NOTED.fullmatch(request.path):
            wrote -= LEDGER
        if reply.status_code >= 500 and request.method != "TRACE":
            raise Broken(f"{reply.status_code}: {content[:2000]!r}")
        if found := SAID_BY_MACHINES.search(content):
            around = content[max(0, found.start() - 100) : found.end() + 100]
            raise Broken(f"{reply.status_code} says {found[0]!r}: {around!r}")
        if wrote and (reply.status_code >= 400 or request.method in ("GET", "HEAD", "OPTIONS")):
            raise Broken(f"{request.method} answered {reply.status_code} and wrote to {sorted(wrote)}")
        if reply.mimetype == "text/html" and (b"<svg/onload" in content or vocabulary.WORKED_OUT in content):
            raise Broken(f"the canary came alive: {content[max(0, content.find(b'<svg/onload') - 200) :][:500]!r}")
        for name in ("X-Content-Type-Options", "Content-Security-Policy", "X-Frame-Options", "Referrer-Policy"):
            if name not in reply.headers:
                raise Broken(f"{reply.status_code} without {name}")
        # What was refused has written nothing, so it ended no session either.
        if (
            request.method == "POST"
            and reply.status_code < 400
            and re.match(r"/(account|sign|password|email)", request.path)
        ):
            self._renew(request.who)

    def _renew(self, who: str) -> None:
        """Sign in anew: that may have ended the session."""
        self.browsers.pop(who, None)
        reply = FlaskClient.open(self.browser(who), "/account", buffered=True) if who in self.cookies else None
        if reply is not None and reply.status_code != 200:
            self.browser(who).set_cookie("techex", self._signed_in(who))
            self.tokens[who] = self.browser(who).csrf_token()
            self._written()

    def _with_token(self, request: Request) -> bytes:
        if not request.token or request.method == "GET":
            return request.body
        token = self.tokens[request.who]
        if request.content_type.startswith("multipart/form-data; boundary=fuzz"):
            field = b'--fuzz\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + token.encode() + b"\r\n"
            return field + request.body
        if request.content_type == vocabulary.TYPES[0]:
            return b"csrf_token=" + token.encode() + b"&" + request.body
        return request.body

    def _written(self) -> set[str]:
        """The tables that were written to since the last look."""
        rows = self.watcher.execute("select id, what from fuzz_mark where id > ?", [self.seen]).fetchall()
        self.seen = max((number for number, _ in rows), default=self.seen)
        return {what.split()[0] for _, what in rows}

    def run(self, seed: str, numbers: range, say: Callable[[str], None] = lambda _: None) -> list[str]:
        """Send these; returns what is broken, each with the request and how to repeat it."""
        broken, began = [], time.monotonic()
        for number in numbers:
            if number % EPOCH == 0 or number == numbers.start:
                self.begin_anew()
            if number % 20 == 0:
                with self.database.transaction() as session:
                    session.query(Count).delete()
                self._written()
            request = request_number(self.known, seed, number)
            try:
                self.send(request)
            except Exception as error:
                frames = "" if isinstance(error, Broken) else "".join(traceback.format_exception(error)[-6:])
                shown = replace(request, body=request.body[:2000], query=request.query[:2000])
                broken.append(
                    f"request {number}: {type(error).__name__}: {str(error)[:1500]}\n{frames[-3000:]}\n{shown}\n"
                    f"repeat it: python -m tests.house.fuzz --seed {seed} --only {number}"
                )
                say(broken[-1])
                self._written()
            if (number + 1) % EPOCH == 0:
                pace = (number + 1 - numbers.start) / (time.monotonic() - began)
                statuses = dict(sorted(self.statuses.items()))
                say(f"{number + 1} requests, {pace:.0f} a second, {len(broken)} broken, {statuses}")
        return broken


def main() -> int:
    """Run from the command line; 1 where something is broken, 130 when stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--seed", default=time.strftime("%Y%m%d"), help="default: the date")
    parser.add_argument("--only", type=int, help="repeat this request, with those of its epoch before it")
    asked = parser.parse_args()
    numbers = range(asked.requests)
    if asked.only is not None:
        numbers = range(asked.only - asked.only % EPOCH, asked.only + 1)
    with tempfile.TemporaryDirectory() as folder:
        try:
            from .fuzz_scene import exchange  # which imports all of the exchange and this module

            fuzz = exchange(Path(folder))
            broken = fuzz.run(asked.seed, numbers, lambda line: print(line, flush=True))  # noqa: T201
        except KeyboardInterrupt:
            return 130
    print(f"{len(numbers)} requests with seed {asked.seed}: {len(broken)} broken")  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
