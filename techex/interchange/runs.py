"""Imports through the browser: upload, columns, dry run, and where a run stands. Its rows are done in `advancing`.

The rows get the verdicts of the command line (`service.judge`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from techex.core import audit
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import LANGUAGES, N_
from techex.errors import BadInput, Conflict, NotAllowed, NotFound, Sentence, TechexError
from techex.interchange import texts
from techex.interchange.columns import EXTERNAL_ID, as_map, constants_of, guessed, targets
from techex.interchange.formats import Row, columns_in, read_rows
from techex.interchange.rules import apply_map
from techex.interchange.service import Judged, LanguageOf, draft_for, judge
from techex.interchange.tables import ColumnMemory, ImportedRow, ImportRun
from techex.listings import attachments, content
from techex.listings import service as listings
from techex.listings.rules import Kind, ListingDraft
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation

FOLDER = "imports"  # below the data folder
LARGEST_FILE = 5_000_000  # bytes
MOST_ROWS = 5_000  # of one upload; a whole institute has some hundreds
_LONGEST_NAME = 120

OPEN = ("uploaded", "checked", "running", "stopped", "undoing")


@dataclass(frozen=True)
class Upload:
    """A table that was kept: the digest it is kept under, its format, its columns, and how many rows it has."""

    digest: str
    file_format: str
    columns: Sequence[str]
    rows: int


def need_editor(context: Context, organisation: Organisation) -> None:
    """Raises NotAllowed for whoever does not write for an organisation."""
    if not context.actor.belongs_to(organisation.id, MemberRole.EDITOR):
        raise NotAllowed(Sentence(N_("Only editors and managers of an organisation write its listings.")))


def receive(data_dir: Path, file: bytes, name: str) -> Upload:
    """Keep an upload that its owner calls `name` and read its columns.

    Raises BadInput or UnreadableFile with what is wrong with the file.

    Reading a table takes time, so callers do it before they open the transaction.
    """
    if not file or len(file) > LARGEST_FILE:
        raise BadInput(
            Sentence(N_("Choose a table of at most %(most)s MB, as XLSX or CSV."), most=LARGEST_FILE // 1_000_000)
        )
    digest = hashlib.sha256(file).hexdigest()
    path = path_of(data_dir, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.part")
    aside.write_bytes(file)
    file_format = "xlsx" if file.startswith((b"PK", b"\xd0\xcf\x11\xe0")) else "csv"
    try:
        columns = [column for column in columns_in(aside, file_format, name) if column]
        rows = sum(1 for _row in islice(read_rows(aside, file_format, name), MOST_ROWS + 1))
    except TechexError:
        aside.unlink()
        raise
    if not rows or rows > MOST_ROWS:
        aside.unlink()
        raise BadInput(
            Sentence(
                N_("The table has %(rows)s rows below its headings; expected 1 to %(most)s."),
                rows=rows if rows <= MOST_ROWS else f"> {MOST_ROWS}",
                most=MOST_ROWS,
            )
        )
    aside.replace(path)
    return Upload(digest, file_format, columns, rows)


def begin(
    session: Session, context: Context, organisation: Organisation, kind: Kind, name: str, upload: Upload
) -> ImportRun:
    """An import of a table that was received, read as this organisation's last one was. Raises NotAllowed."""
    need_editor(context, organisation)
    remembered = session.scalar(
        select(ColumnMemory).where(ColumnMemory.organisation_id == organisation.id, ColumnMemory.kind == kind.value)
    )
    constants = dict(remembered.constants) if remembered else {}
    run = ImportRun(
        organisation_id=organisation.id,
        person_id=context.actor.person_id,
        kind=kind.value,
        file_name=" ".join(name.split())[-_LONGEST_NAME:] or f"table.{upload.file_format}",
        file_format=upload.file_format,
        digest=upload.digest,
        language=constants.pop("language", ""),
        columns=guessed(upload.columns, kind, remembered.columns if remembered else None),
        constants=constants,
        rows=upload.rows,
        created_at=context.now,
        updated_at=context.now,
    )
    session.add(run)
    session.flush()
    audit.record(session, context, "import begun", "import_run", run.id, {"rows": run.rows, "kind": kind.value})
    return run


def path_of(data_dir: Path, digest: str) -> Path:
    """Where an upload is kept."""
    return data_dir / FOLDER / digest


def runs_of(session: Session, context: Context) -> Sequence[ImportRun]:
    """The imports of the organisations this person writes for, the newest first."""
    ids = [m.organisation_id for m in context.actor.memberships if m.role.includes(MemberRole.EDITOR)]
    query = select(ImportRun).where(ImportRun.organisation_id.in_(ids))
    return session.scalars(query.order_by(ImportRun.id.desc())).all()


def get_run(session: Session, context: Context, run_id: int, *, to_change: bool = False) -> ImportRun:
    """An import of an organisation this person writes for; raises NotFound for any other, there or not."""
    found = session.get(ImportRun, run_id, with_for_update=to_change or None)
    if found is None or not context.actor.belongs_to(found.organisation_id, MemberRole.EDITOR):
        raise NotFound(Sentence(N_("There is no import number %(number)s here."), number=run_id))
    return found


def samples(data_dir: Path, run: ImportRun, most: int = 3) -> list[Mapping[str, Any]]:
    """The first rows, to see what a column holds."""
    return [row.values for row in islice(_rows(data_dir, run), most)]


def _rows(data_dir: Path, run: ImportRun) -> Iterator[Row]:
    return islice(read_rows(path_of(data_dir, run.digest), run.file_format, run.file_name), MOST_ROWS)


def map_columns(
    session: Session,
    context: Context,
    run: ImportRun,
    columns: Mapping[str, str],
    language: str,
    constants: Mapping[str, str] | None = None,
) -> None:
    """Say what the columns are and what rows get that do not say it, and remember it for this organisation.

    What was found in a dry run before is forgotten. Raises BadInput, Conflict.
    """
    _need(run, "uploaded", "checked")
    known = targets(Kind(run.kind))
    chosen = {column: columns.get(column, "") for column in run.columns}
    named = [target for target in chosen.values() if target]
    if any(target not in known and not texts.is_target(target, Kind(run.kind)) for target in named):
        raise BadInput(Sentence(N_("A column was given a meaning that this kind of listing does not have.")))
    if twice := next((target for target in named if named.count(target) > 1), ""):
        raise BadInput(Sentence(N_("Two columns cannot both be “%(field)s”. Choose one of them."), field=twice))
    if EXTERNAL_ID not in named or "title" not in named:
        raise BadInput(
            Sentence(N_("Say which column holds the id of a row, which never changes, and which one the title."))
        )
    same = {name: value for name, value in (constants or {}).items() if value}
    if any(value not in constants_of().get(name, ()) for name, value in same.items()):
        raise BadInput(Sentence(N_("A value for all rows is not on its list. Choose one of the list.")))
    _forget_rows(session, run)
    run.state = "uploaded"
    run.columns, run.language, run.constants = chosen, language if language in LANGUAGES else "", same
    run.updated_at = context.now
    kept = session.scalar(
        select(ColumnMemory).where(ColumnMemory.organisation_id == run.organisation_id, ColumnMemory.kind == run.kind)
    )
    if kept is None:
        kept = ColumnMemory(organisation_id=run.organisation_id, kind=run.kind)
        session.add(kept)
    kept.columns, kept.updated_at = {**(kept.columns or {}), **chosen}, context.now
    kept.constants = {**same, "language": run.language} if run.language else same


def tried(
    session: Session, data_dir: Path, run: ImportRun, language_of: LanguageOf | None = None
) -> Sequence[ImportedRow]:
    """What would become of every row; nothing is written.

    Judging thousands of rows takes time, so callers read here and hand the verdicts to `keep_tried` in a transaction.
    """
    found_rows = []
    owner = session.get_one(Organisation, run.organisation_id)
    for row, judged in judged_rows(data_dir, run, owner, language_of):
        found = listing_of(session, owner, run, judged)
        outcome = "refused"
        if judged.draft is not None:
            outcome = "created"
            if found is not None:
                outcome = "updated" if differs(found, draft_for(judged, found)) else "unchanged"
        found_rows.append(row_of(run, row, judged, outcome, None))
    return found_rows


def keep_tried(
    session: Session, context: Context, run: ImportRun, seen: ImportRun, rows: Sequence[ImportedRow]
) -> None:
    """Keep the verdicts of a dry run; raises Conflict where the table is read otherwise by now (`seen`: then)."""
    _need(run, "uploaded")
    if (run.columns, run.constants, run.language) != (seen.columns, seen.constants, seen.language):
        _need(run)
    _forget_rows(session, run)
    session.add_all(rows)
    run.state, run.updated_at = "checked", context.now


def judged_rows(
    data_dir: Path, run: ImportRun, owner: Organisation, language_of: LanguageOf | None, skipped: int = 0
) -> Iterator[tuple[Row, Judged]]:
    """The rows of the table with their verdicts, those after the first `skipped`."""
    kind, seen = Kind(run.kind), dict[str, int]()
    mapping = as_map(run.columns, kind, run.language, run.constants)
    for number, row in enumerate(_rows(data_dir, run)):
        if number < skipped:
            # Done before: of these only the ids count, which later rows may not have again.
            with suppress(BadInput):
                seen.setdefault(apply_map(row.values, kind, mapping).external_id, row.line)
            continue
        yield row, judge(row, kind, owner, mapping, language_of, seen)


def listing_of(session: Session, owner: Organisation, run: ImportRun, judged: Judged) -> Listing | None:
    """The listing that a row is about, where there is one."""
    return listings.find_external(session, owner, run.kind, judged.external_id) if judged.external_id else None


def differs(listing: Listing, draft: ListingDraft) -> bool:
    """Whether a row changes anything of its listing."""
    return says_else(listing, draft) or listing.visibility != draft.visibility


def says_else(listing: Listing, draft: ListingDraft) -> bool:
    """Whether a row has other texts or facts than its listing."""
    # A row that says nothing of further languages leaves them as they are.
    aside = {"illustrative"} | ({"translations"} if draft.translations is None else set())
    there, here = content.content_of(listing), content.content_of_draft(draft)
    return any(there.get(name) != here.get(name) for name in (there.keys() | here.keys()) - aside)


def row_of(run: ImportRun, row: Row, judged: Judged, outcome: str, listing: Listing | None) -> ImportedRow:
    """What is kept of a row."""
    headings = {target: column for column, target in run.columns.items() if target}
    cells = [
        {"field": name, "column": headings.get(_target_of(name), ""), "said": _packed(sentence)}
        for name, sentence in judged.wrong.items()
    ]
    cells += [{"note": note} for note in judged.notes]
    return ImportedRow(
        run_id=run.id,
        line=row.line,
        external_id=judged.external_id[:200],
        outcome=outcome,
        listing_id=listing.id if listing else None,
        cells=cells,
    )


def _target_of(field: str) -> str:
    """What the column of a field is called, which the validator calls "en.title" in a further language."""
    code, dot, name = field.partition(".")
    return texts.target(name, code) if dot else field


def _packed(sentence: str) -> Any:
    """A sentence as JSON that can be said in any language later."""
    if not isinstance(sentence, Sentence):
        return str(sentence)
    values = {name: _packed(value) if isinstance(value, str) else value for name, value in sentence.values.items()}
    return {"pattern": sentence.pattern, "values": values}


def unpacked(said: Any) -> str:
    """The sentence that was packed."""
    if not isinstance(said, Mapping):
        return str(said)
    return Sentence(said["pattern"], **{name: unpacked(value) for name, value in said["values"].items()})


def start(session: Session, context: Context, run: ImportRun) -> None:
    """Begin the real run, or go on with one that was stopped."""
    _need(run, "checked", "stopped")
    if run.state == "checked":
        _forget_rows(session, run)
        run.done = 0
    run.state, run.updated_at = "running", context.now
    audit.record(session, context, "import started", "import_run", run.id)


def stop(session: Session, context: Context, run: ImportRun) -> None:
    """Stop after the rows that are being done."""
    _need(run, "running")
    run.state, run.updated_at = "stopped", context.now
    audit.record(session, context, "import stopped", "import_run", run.id, {"done": run.done})


def undo(session: Session, context: Context, run: ImportRun) -> None:
    """Begin to take back all that this import did."""
    _need(run, "done", "stopped")
    run.state, run.done, run.updated_at = "undoing", 0, context.now
    audit.record(session, context, "import undone", "import_run", run.id)


def _need(run: ImportRun, *states: str) -> None:
    if run.state not in states:
        raise Conflict(Sentence(N_("The import is no longer where it was. Load its page and see how far it is.")))


def _forget_rows(session: Session, run: ImportRun) -> None:
    session.execute(delete(ImportedRow).where(ImportedRow.run_id == run.id))


def counts(session: Session, run: ImportRun) -> dict[str, int]:
    """How many rows came to which end."""
    rows = session.execute(
        select(ImportedRow.outcome, func.count()).where(ImportedRow.run_id == run.id).group_by(ImportedRow.outcome)
    )
    return dict(rows.all())


def shortened(session: Session, run: ImportRun) -> int:
    """How many rows that were taken, or would be, had texts that are too long and were shortened."""
    taken = ("created", "updated", "unchanged")
    cells = session.scalars(
        select(ImportedRow.cells).where(ImportedRow.run_id == run.id, ImportedRow.outcome.in_(taken))
    )
    return sum(1 for row in cells if row)


def refused_rows(session: Session, run: ImportRun, most: int) -> Sequence[ImportedRow]:
    """The first rows that were refused, in the order of the table."""
    query = select(ImportedRow).where(ImportedRow.run_id == run.id, ImportedRow.outcome == "refused")
    return session.scalars(query.order_by(ImportedRow.line).limit(most)).all()


def to_compare(session: Session) -> Mapping[int, Sequence[int]]:
    """Imports that are done and whose rows nobody has compared with what is listed yet: number -> listings."""
    waiting = session.scalars(select(ImportRun.id).where(ImportRun.state == "done", ImportRun.compared_at.is_(None)))
    query = select(ImportedRow.listing_id).where(
        ImportedRow.outcome.in_(("created", "updated")), ImportedRow.listing_id.is_not(None)
    )
    return {
        run_id: [one for one in session.scalars(query.where(ImportedRow.run_id == run_id)) if one]
        for run_id in waiting.all()
    }


def keep_twins(session: Session, now: datetime, run_id: int, twins: Mapping[int, int]) -> None:
    """Keep which listings the rows of an import look like, as listing -> the one that was there."""
    rows = session.scalars(select(ImportedRow).where(ImportedRow.run_id == run_id, ImportedRow.listing_id.in_(twins)))
    there = set(session.scalars(select(Listing.id).where(Listing.id.in_(set(twins.values())))))
    for row in rows:
        twin = twins[row.listing_id or 0]
        row.twin_id = twin if twin in there else None
    session.get_one(ImportRun, run_id).compared_at = now


def twins_of(session: Session, context: Context, run: ImportRun) -> Sequence[tuple[ImportedRow, Listing]]:
    """The rows that look like a listing which was there and which this person may see, with that listing."""
    query = select(ImportedRow).where(ImportedRow.run_id == run.id, ImportedRow.twin_id.is_not(None))
    rows = session.scalars(query.order_by(ImportedRow.line)).all()
    seen = listings.visible_by_id(session, context, {row.twin_id for row in rows if row.twin_id})
    return [(row, twin) for row in rows if (twin := seen.get(row.twin_id or 0))]


def sweep(session: Session, data_dir: Path, now: datetime) -> int:
    """Delete uploads that no import needs any more, a day after they were written; returns how many went."""
    needed = ("uploaded", "checked", "running", "stopped")
    kept = set(session.scalars(select(ImportRun.digest).where(ImportRun.state.in_(needed))))
    gone = 0
    for path in (data_dir / FOLDER).glob("*"):
        if path.name not in kept and path.stat().st_mtime < (now - attachments.REST).timestamp():
            path.unlink(missing_ok=True)
            gone += 1
    return gone
