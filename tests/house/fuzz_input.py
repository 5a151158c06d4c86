"""What a hostile or broken program sends: texts, numbers, paths, query strings, bodies, files and headers.

Everything comes from the one random generator that is handed in, so a request is known by its seed and number.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote_from_bytes

from .fuzz_values import CANARY, CODES, DATES, NUMBERS, TEXTS, TYPES

LONG = 100_000


@dataclass(frozen=True)
class Form:
    """A form as a page offered it: where it goes, how, and each field with the values it may have."""

    path: str
    method: str
    multipart: bool
    fields: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass
class Request:
    """One request, all of it: path and query percent-encoded, as on the wire."""

    who: str
    method: str
    path: str
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = ""
    body: bytes = b""
    token: bool = True  # the body ends with the token of the form


def text_bytes(text: str) -> bytes:
    """UTF-8; halves of characters as a careless program writes them."""
    return text.encode("utf-8", "surrogatepass")


def value(r: Random) -> bytes:
    """Something to stand in a field."""
    kind = r.random()
    if kind < 0.38:
        return text_bytes(r.choice(TEXTS))
    if kind < 0.55:
        return r.choice(NUMBERS).encode()
    if kind < 0.62:
        return r.choice(DATES).encode()
    if kind < 0.78:
        return r.choice(CODES).encode()
    if kind < 0.85:
        return r.randbytes(r.randrange(1, 40))
    if kind < 0.855:
        return (text_bytes(r.choice(TEXTS[:60])) * LONG)[:LONG] or b"x" * LONG
    if kind < 0.94:
        return str(r.randrange(0, 200)).encode()
    return text_bytes(" ".join(r.choice(TEXTS) for _ in range(r.randrange(2, 6))))


def mutated(r: Random, given: bytes) -> bytes:
    """Something like `given`: a byte turned, cut, doubled, or with a piece of something else inside."""
    if not given:
        return value(r)
    at = r.randrange(len(given))
    turn = r.randrange(5)
    if turn == 0:
        return given[:at] + bytes([given[at] ^ (1 << r.randrange(8))]) + given[at + 1 :]
    if turn == 1:
        return given[:at]
    if turn == 2:
        return given[:at] + value(r)[:500] + given[at:]
    if turn == 3:
        return given[:at] + given[at : at + 64] * 3 + given[at + 64 :]
    return given[:at] + r.randbytes(8) + given[at + 8 :]


def pairs(r: Random, names: tuple[str, ...], most: int) -> list[tuple[bytes, bytes]]:
    """Fields or parameters, some of them several times."""
    given = [(text_bytes(r.choice(names)), value(r)) for _ in range(r.randrange(most + 1))]
    while given and r.random() < 0.15:
        given.append((r.choice(given)[0], value(r)))
    return given


def encoded(given: list[tuple[bytes, bytes]]) -> str:
    """A query string or the body of a plain form."""
    return "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(text)}" for name, text in given)


def path_value(r: Random, kind: str, known: tuple[str, ...]) -> str:
    """Something to stand in a path, percent-encoded; mostly what a route takes."""
    if kind == "integer":
        if r.random() < 0.7:
            return r.choice(known) if known and r.random() < 0.8 else str(r.randrange(0, 130))
        return quote_from_bytes(r.choice(NUMBERS).encode())
    if r.random() < 0.65 and known:
        return quote_from_bytes(text_bytes(r.choice(known)))
    return quote_from_bytes(value(r)[:3000], safe="/" if kind == "path" else "")


def _pdf() -> bytes:
    import pikepdf

    file, document = io.BytesIO(), pikepdf.new()
    document.add_blank_page()
    document.save(file)
    return file.getvalue()


def _png() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def _jpeg() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (8, 8), "blue").save(file, "JPEG")
    return file.getvalue()


def _xlsx() -> bytes:
    from openpyxl import Workbook

    file, book = io.BytesIO(), Workbook()
    assert book.active is not None
    for row in (["title", "summary", "trl"], ["Drying at 80 °C", "We dry longans. " * 5, 4], ["=1+1", "@x", "#N/A"]):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../x", b"0" * 100_000)
        archive.writestr("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')
    return file.getvalue()


_CSV = (
    "title,summary,trl,province\n"
    + "Drying longans at 80 °C,"
    + "We look for a way to dry. " * 6
    + ",4,33\n=1+1,@x,99,VN\n"
)


def seeds_of_files() -> list[tuple[str, str, bytes]]:
    """Sound files to begin with: name, type, content."""
    return [
        ("a.pdf", "application/pdf", _pdf()),
        ("a.png", "image/png", _png()),
        ("a.jpg", "image/jpeg", _jpeg()),
        ("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx()),
        ("a.csv", "text/csv", _CSV.encode()),
        ("a.csv", "text/csv", _CSV.replace(",", ";").encode("utf-16")),
        ("a.zip", "application/zip", _zip()),
        ("a.svg", "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" onload="x"/>'),
        ("a.csv", "text/csv", b'title,summary\n"' + b"x" * 5000),
        ("a.html", "text/html", CANARY.encode()),
    ]


def upload(r: Random, files: list[tuple[str, str, bytes]]) -> tuple[bytes, bytes, bytes]:
    """A file: as it should be, turned, or no file at all; its name and type may lie."""
    name, kind, content = r.choice(files)
    file_name, media = text_bytes(name), kind.encode()
    if r.random() < 0.6:
        for _ in range(r.randrange(1, 4)):
            content = mutated(r, content)
    if r.random() < 0.3:
        file_name = value(r)[:300]
    if r.random() < 0.2:
        media = r.choice(TYPES).encode("latin-1")
    return file_name, media, content


def multipart(
    r: Random, fields: list[tuple[bytes, bytes]], files: list[tuple[bytes, tuple[bytes, bytes, bytes]]]
) -> bytes:
    """The body of a form with files, with the boundary `fuzz`; sometimes broken."""
    parts = []
    for name, text in fields:
        parts.append(b'--fuzz\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + text + b"\r\n")
    for name, (file_name, media, content) in files:
        head = (
            b'--fuzz\r\nContent-Disposition: form-data; name="' + name + b'"; filename="' + file_name.replace(b'"', b"")
        )
        parts.append(head + b'"\r\nContent-Type: ' + media.replace(b"\n", b"") + b"\r\n\r\n" + content + b"\r\n")
    body = b"".join(parts) + b"--fuzz--\r\n"
    return mutated(r, body) if r.random() < 0.15 else body
