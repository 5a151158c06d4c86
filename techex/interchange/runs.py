"""Imports through the browser: upload, columns, dry run, the run in pieces that may be stopped, and its undoing.

The rows get the verdicts of the command line (`service.judge`). What differs is what a row becomes: members of an
organisation publish nothing themselves, so a new listing is submitted for review, and a published one gets a proposal.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core import audit, changes
from techex.core.context import Actor, Context, MemberRole, Role
from techex.core.database import Database
from techex.core.vocabulary import LANGUAGES, N_
from techex.errors import BadInput, Conflict, NotAllowed, NotFound, Sentence, TechexError
from techex.interchange.columns import EXTERNAL_ID, as_map, guessed, targets
from techex.interchange.formats import Row, columns_in, read_rows
from techex.interchange.rules import apply_map
from techex.interchange.service import Judged, LanguageOf, judge
from techex.interchange.tables import ColumnMemory, ImportedRow, ImportRun
from techex.listings import attachments, content
from techex.listings import service as listings
from techex.listings.lifecycle import Verb
from techex.listings.rules import Kind, ListingDraft, State
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.organisations.tables import Organisation

FOLDER = "imports"  # below the data folder
LARGEST_FILE = 5_000_000  # bytes
MOST_ROWS = 5_000  # of one upload; a whole institute has some hundreds
CHUNK = 50  # rows a transaction: about half a second, and what a stop waits for
_LONGEST_NAME = 120

OPEN = ("uploaded", "checked", "running", "stopped", "undoing")
# A listing that nobody but its organisation has touched yet may vanish when its import is undone.
_UNTOUCHED = (State.DRAFT, State.SUBMITTED)


def begin(
    session: Session, context: Context, data_dir: Path, organisation: Organisation, kind: Kind, language: str,
    name: str, file: bytes,
) -> ImportRun:  # fmt: skip
    """Keep an upload and read its columns; raises BadInput or UnreadableFile with what is wrong with the file."""
    if not context.actor.belongs_to(organisation.id, MemberRole.EDITOR):
        raise NotAllowed(Sentence(N_("Only editors and managers of an organisation write its listings.")))
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
        columns = [column for column in columns_in(aside, file_format) if column]
        rows = sum(1 for _row in islice(read_rows(aside, file_format), MOST_ROWS + 1))
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
    remembered = session.scalar(
        select(ColumnMemory).where(ColumnMemory.organisation_id == organisation.id, ColumnMemory.kind == kind.value)
    )
    run = ImportRun(
        organisation_id=organisation.id,
        person_id=context.actor.person_id,
        kind=kind.value,
        file_name=" ".join(name.split())[-_LONGEST_NAME:] or f"table.{file_format}",
        file_format=file_format,
        digest=digest,
        language=language if language in LANGUAGES else "",
        columns=guessed(columns, kind, remembered.columns if remembered else None),
        rows=rows,
        created_at=context.now,
        updated_at=context.now,
    )
    session.add(run)
    session.flush()
    audit.record(session, context, "import begun", "import_run", run.id, {"rows": rows, "kind": kind.value})
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
        raise NotFound(f"There is no import number {run_id} here.")
    return found


def samples(data_dir: Path, run: ImportRun, most: int = 3) -> list[Mapping[str, Any]]:
    """The first rows, to see what a column holds."""
    return [row.values for row in islice(_rows(data_dir, run), most)]


def _rows(data_dir: Path, run: ImportRun) -> Iterator[Row]:
    return islice(read_rows(path_of(data_dir, run.digest), run.file_format), MOST_ROWS)


def map_columns(session: Session, context: Context, run: ImportRun, columns: Mapping[str, str], language: str) -> None:
    """Say what the columns are, and remember it for this organisation. Raises BadInput, Conflict."""
    _need(run, "uploaded", "checked")
    known = targets(Kind(run.kind))
    chosen = {column: columns.get(column, "") for column in run.columns}
    named = [target for target in chosen.values() if target]
    if any(target not in known for target in named):
        raise BadInput(Sentence(N_("A column was given a meaning that this kind of listing does not have.")))
    if twice := next((target for target in named if named.count(target) > 1), ""):
        raise BadInput(Sentence(N_("Two columns cannot both be “%(field)s”. Choose one of them."), field=twice))
    if EXTERNAL_ID not in named or "title" not in named:
        raise BadInput(
            Sentence(N_("Say which column holds the id of a row, which never changes, and which one the title."))
        )
    run.columns, run.language = chosen, language if language in LANGUAGES else ""
    run.updated_at = context.now
    kept = session.scalar(
        select(ColumnMemory).where(ColumnMemory.organisation_id == run.organisation_id, ColumnMemory.kind == run.kind)
    )
    if kept is None:
        kept = ColumnMemory(organisation_id=run.organisation_id, kind=run.kind)
        session.add(kept)
    kept.columns, kept.updated_at = {**(kept.columns or {}), **chosen}, context.now


def dry_run(
    session: Session, context: Context, data_dir: Path, run: ImportRun, language_of: LanguageOf | None = None
) -> None:
    """Judge every row and keep the verdicts; nothing of any listing changes."""
    _need(run, "uploaded", "checked")
    _forget_rows(session, run)
    owner = session.get_one(Organisation, run.organisation_id)
    for row, judged in _judged(data_dir, run, owner, language_of):
        found = _listing_of(session, owner, run, judged)
        outcome = "refused"
        if judged.draft is not None:
            outcome = "created" if found is None else "updated" if _differs(found, judged.draft) else "unchanged"
        session.add(_row_of(run, row, judged, outcome, found))
    run.state, run.updated_at = "checked", context.now


def _judged(
    data_dir: Path, run: ImportRun, owner: Organisation, language_of: LanguageOf | None, skipped: int = 0
) -> Iterator[tuple[Row, Judged]]:
    mapping, kind, seen = as_map(run.columns, Kind(run.kind), run.language), Kind(run.kind), dict[str, int]()
    for number, row in enumerate(_rows(data_dir, run)):
        if number < skipped:
            # Done before: of these only the ids count, which later rows may not have again.
            with suppress(BadInput):
                seen.setdefault(apply_map(row.values, kind, mapping).external_id, row.line)
            continue
        yield row, judge(row, kind, owner, mapping, language_of, seen)


def _listing_of(session: Session, owner: Organisation, run: ImportRun, judged: Judged) -> Listing | None:
    return listings.find_external(session, owner, run.kind, judged.external_id) if judged.external_id else None


def _differs(listing: Listing, draft: ListingDraft) -> bool:
    return _said(content.content_of(listing)) != _said(content.content_of_draft(draft))


def _said(of: Mapping[str, Any]) -> dict[str, Any]:
    # A table says nothing of further languages, and leaves them as they are.
    return {name: value for name, value in of.items() if name not in ("translations", "illustrative")}


def _row_of(run: ImportRun, row: Row, judged: Judged, outcome: str, listing: Listing | None) -> ImportedRow:
    headings = {target: column for column, target in run.columns.items() if target}
    cells = [
        {"field": name, "column": headings.get(name, ""), "said": _packed(sentence)}
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


def advance(
    session: Session, context: Context, data_dir: Path, run: ImportRun, language_of: LanguageOf | None = None
) -> None:
    """Do the next rows of a running import, or of its undoing; nothing to do in any other state.

    The run must be read `to_change`: two who advance it do so one after the other.
    """
    if run.state == "running":
        _do_rows(session, context, data_dir, run, language_of)
    elif run.state == "undoing":
        _undo_rows(session, context, run)
    run.updated_at = context.now


def _do_rows(
    session: Session, context: Context, data_dir: Path, run: ImportRun, language_of: LanguageOf | None
) -> None:
    owner = session.get_one(Organisation, run.organisation_id)
    judged = _judged(data_dir, run, owner, language_of, skipped=run.done)
    for row, verdict in islice(judged, CHUNK):
        session.add(_store(session, context, owner, run, row, verdict))
        session.flush()
        run.done += 1
    if run.done >= run.rows:
        run.state = "done"
        audit.record(session, context, "import done", "import_run", run.id, counts(session, run))


def _store(
    session: Session, context: Context, owner: Organisation, run: ImportRun, row: Row, judged: Judged
) -> ImportedRow:
    found = _listing_of(session, owner, run, judged)
    if judged.draft is None:
        return _row_of(run, row, judged, "refused", found)
    if found is None:
        made = listings.post(session, context, owner, judged.draft)
        listings.do(session, context, made, Verb.SUBMIT)
        return _row_of(run, row, judged, "created", made)
    if not _differs(found, judged.draft):
        return _row_of(run, row, judged, "unchanged", found)
    before = {"state": found.state, "content": content.content_of(found), "visibility": found.visibility}
    try:
        _change(session, context, found, judged.draft)
    except (Conflict, BadInput, NotAllowed) as error:
        said = error.args[0] if isinstance(error.args[0], Sentence) else str(error)
        return _row_of(run, row, Judged(judged.external_id, None, {"": said}), "refused", found)
    done = _row_of(run, row, judged, "updated", found)
    done.before = before
    return done


def _change(session: Session, context: Context, listing: Listing, draft: ListingDraft) -> None:
    """Bring a listing to what a row says, the way its owner may: published ones get a proposal."""
    if listing.state == State.PUBLISHED:
        listings.propose(session, context, listing, draft)
        return
    if listing.state == State.SUBMITTED:
        listings.do(session, context, listing, Verb.RECALL)
    elif listing.state in (State.EXPIRED, State.ARCHIVED, State.WITHDRAWN):
        listings.do(session, context, listing, Verb.REOPEN)
    listings.edit(session, context, listing, draft)
    listings.do(session, context, listing, Verb.SUBMIT)


def _undo_rows(session: Session, context: Context, run: ImportRun) -> None:
    query = select(ImportedRow).where(
        ImportedRow.run_id == run.id,
        ImportedRow.outcome.in_(("created", "updated")),
        ImportedRow.listing_id.is_not(None),
    )
    rows = session.scalars(query.order_by(ImportedRow.line.desc()).limit(CHUNK)).all()
    for row in rows:
        listing = session.get(Listing, row.listing_id)
        kept = listing is None or not _take_back(session, context, listing, row)
        row.outcome = "kept" if kept else "undone"
        run.done += 1
    if len(rows) < CHUNK:
        run.state = "undone"
        audit.record(session, context, "import taken back", "import_run", run.id, counts(session, run))


def _take_back(session: Session, context: Context, listing: Listing, row: ImportedRow) -> bool:
    """Undo one row; False where others have gone on with the listing since, which is theirs to decide now."""
    try:
        if row.outcome == "created":
            if listing.state in _UNTOUCHED:
                row.listing_id = None
                session.flush()
                attachments.forget(session, listing.id)
                changes.record(session, context, "listing", listing.id, "deleted")
                audit.record(session, context, "deleted", "listing", listing.id, {"import": row.run_id})
                session.delete(listing)
            else:
                listings.do(session, context, listing, Verb.WITHDRAW)
            session.flush()
            return True
        assert row.before is not None  # noqa: S101 - written with every update
        if listing.state == State.PUBLISHED:
            return listings.take_back_proposal(session, context, listing)
        _change(session, context, listing, content.draft_of(listing, row.before["content"]))
    except (Conflict, BadInput, NotAllowed, NotFound):
        return False
    return True


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


def go_on(database: Database, now: Callable[[], Context], data_dir: Path, language_of: LanguageOf | None = None) -> int:
    """Advance every import that runs until none does: what `techex work` does; returns how many rows were done.

    Each acts for the person who started it, with what they may do now; without it the import stops.
    """
    done = 0
    with database.reading() as session:
        waiting = session.scalars(select(ImportRun.id).where(ImportRun.state.in_(("running", "undoing")))).all()
    for run_id in waiting:
        while True:
            with database.transaction() as session:
                run = session.get(ImportRun, run_id, with_for_update=True)
                if run is None or run.state not in ("running", "undoing"):
                    break
                context = _for_its_person(session, now(), run)
                if not context.actor.belongs_to(run.organisation_id, MemberRole.EDITOR):
                    run.state = "stopped" if run.state == "running" else "done"
                    break
                before = run.done
                advance(session, context, data_dir, run, language_of)
                done += run.done - before
    return done


def _for_its_person(session: Session, context: Context, run: ImportRun) -> Context:
    memberships, _places = organisations.belonging(session, run.person_id)
    name = session.get_one(Person, run.person_id).name
    return Context(Actor(name, Role.PERSON, run.person_id, memberships), context.now)
