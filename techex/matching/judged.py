"""Judged sets in the BEIR layout: documents, queries, and how well which document answers which query.

`corpus.jsonl` has `_id`, `title` (may be missing) and `text` a line, `queries.jsonl` `_id` and `text`, `qrels.tsv` a
header and then query id, document id and a grade, separated by tabs; grades of 1 and more are good, the higher the
better.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from techex.core.text import clean
from techex.errors import BadInput, UnreadableFile

QRELS_HEADER = "query-id\tcorpus-id\tscore"
_COLUMNS = 3


@dataclass(frozen=True)
class Document:
    """A document or a query; queries have no title."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class JudgedSet:
    """Documents and queries in the order of their files; grades by query id, then document id."""

    documents: Sequence[Document]
    queries: Sequence[Document]
    grades: Mapping[str, Mapping[str, int]]

    @property
    def judged_queries(self) -> list[Document]:
        """The queries for which at least one document of the set is good; only these can be measured."""
        known = {document.id for document in self.documents}
        return [
            query
            for query in self.queries
            if any(grade > 0 and document in known for document, grade in self.grades.get(query.id, {}).items())
        ]


def read_set(corpus: Path, queries: Path, qrels: Path, versions: Sequence[Path] = ()) -> JudgedSet:
    """Read three files. Raises UnreadableFile naming file, line and what was expected.

    `versions` are further files of the same documents under the same ids, in other languages say: each version answers
    what the first does, and is listed beside it as "id (name of its file)".
    """
    documents, grades = _documents(corpus), _grades(qrels)
    for path in versions:
        further = _documents(path)
        named = {each.id: f"{each.id} ({path.name})" for each in further}
        documents += [Document(named[each.id], each.title, each.text) for each in further]
        for judged in grades.values():
            judged |= {named[key]: grade for key, grade in judged.items() if key in named}
    found = JudgedSet(documents, _documents(queries), grades)
    if not found.judged_queries:
        raise UnreadableFile(
            f"{qrels} judges none of the documents of {corpus} good for a query of {queries}. "
            "Do the three belong together?"
        )
    return found


def _documents(path: Path) -> list[Document]:
    documents: dict[str, Document] = {}
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UnreadableFile(f"{where}: not JSON ({error.msg}). Expected one object a line.") from None
        if not isinstance(row, dict) or "_id" not in row or not isinstance(row.get("text"), str):
            raise UnreadableFile(f"{where}: expected an object with `_id` and `text`.")
        key = str(row["_id"])
        if key in documents:
            raise UnreadableFile(f"{where}: the _id {key!r} was there before. Ids name one document each.")
        documents[key] = Document(key, _text(row, "title", where), _text(row, "text", where))
    if not documents:
        raise UnreadableFile(f"{path} is empty. Expected one JSON object a line.")
    return list(documents.values())


def _grades(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        cells = line.split("\t")
        if number == 1 and cells[-1].strip().lower() == "score":
            continue
        try:
            query, document, grade = cells
            value = int(grade)
        except ValueError:
            raise UnreadableFile(
                f"{path}, line {number}: expected {_COLUMNS} columns separated by tabs, the last a whole number, "
                f"under the header {QRELS_HEADER!r}."
            ) from None
        grades.setdefault(query, {})[document] = value
    return grades


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UnreadableFile(f"{path} is a folder; expected a file.") from None
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name) or ""
    if not isinstance(value, str):
        raise UnreadableFile(f"{where}: {name} is not text.")
    try:
        return clean(value, name)
    except BadInput as error:
        raise UnreadableFile(f"{where}: {error}") from None
