"""The rows of an import through the browser, done and taken back in pieces that may be stopped.

What differs from the command line is what a row becomes: members of an organisation publish nothing themselves, so a
new listing is submitted for review, and a published one gets a proposal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core import audit, changes
from techex.core.context import Actor, Context, MemberRole, Role
from techex.core.database import Database
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound
from techex.interchange.formats import Row
from techex.interchange.runs import counts, differs, judged_rows, listing_of, row_of, says_else
from techex.interchange.service import Judged, LanguageOf, draft_for
from techex.interchange.tables import ImportedRow, ImportRun
from techex.listings import attachments, content, disclosure
from techex.listings import service as listings
from techex.listings.lifecycle import Verb
from techex.listings.rules import ListingDraft, State, Visibility
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.organisations.tables import Organisation

CHUNK = 50  # rows a transaction: about half a second, and what a stop waits for
# A listing that nobody but its organisation has touched yet may vanish when its import is undone.
_UNTOUCHED = (State.DRAFT, State.SUBMITTED)


@dataclass(frozen=True)
class Ahead:
    """The next rows of an import with their verdicts, and where it stood when they were judged."""

    done: int
    rows: Sequence[tuple[Row, Judged]] = ()


def judged_ahead(session: Session, data_dir: Path, run: ImportRun, language_of: LanguageOf | None = None) -> Ahead:
    """Judge the next rows of a running import.

    Reading a table, checking its rows and telling their language takes time, so callers read here and hand the verdicts
    to `advance` in a transaction. What a table says does not change while its import runs.
    """
    if run.state != "running":
        return Ahead(run.done)
    owner = session.get_one(Organisation, run.organisation_id)
    judged = judged_rows(data_dir, run, owner, language_of, skipped=run.done)
    return Ahead(run.done, list(islice(judged, CHUNK)))


def advance(session: Session, context: Context, run: ImportRun, ahead: Ahead) -> None:
    """Do the rows of a running import that were judged, or the next ones of its undoing; nothing in any other state.

    The run must be read `to_change`: two who advance it do so one after the other. Where somebody else has gone on with
    it since the rows were judged, nothing is done.
    """
    if run.state == "running":
        if run.done != ahead.done:
            return
        _do_rows(session, context, run, ahead)
    elif run.state == "undoing":
        _undo_rows(session, context, run)
    run.updated_at = context.now


def _do_rows(session: Session, context: Context, run: ImportRun, ahead: Ahead) -> None:
    owner = session.get_one(Organisation, run.organisation_id)
    for row, verdict in ahead.rows:
        session.add(_store(session, context, owner, run, row, verdict))
        session.flush()
        run.done += 1
    if run.done >= run.rows:
        run.state = "done"
        audit.record(session, context, "import done", "import_run", run.id, counts(session, run))


def _store(
    session: Session, context: Context, owner: Organisation, run: ImportRun, row: Row, judged: Judged
) -> ImportedRow:
    found = listing_of(session, owner, run, judged)
    if judged.draft is None:
        return row_of(run, row, judged, "refused", found)
    if found is None:
        made = listings.post(session, context, owner, judged.draft)
        listings.do(session, context, made, Verb.SUBMIT)
        return row_of(run, row, judged, "created", made)
    draft = draft_for(judged, found)
    if not differs(found, draft):
        return row_of(run, row, judged, "unchanged", found)
    before = {"state": found.state, "content": content.content_of(found), "visibility": found.visibility}
    try:
        _change(session, context, found, draft)
    except FieldErrors as error:
        return row_of(run, row, Judged(judged.external_id, None, error.fields), "refused", found)
    except BadInput as error:
        return row_of(run, row, Judged(judged.external_id, None, {error.about: error.sentence}), "refused", found)
    except (Conflict, NotAllowed) as error:
        return row_of(run, row, Judged(judged.external_id, None, {"": error.args[0]}), "refused", found)
    done = row_of(run, row, judged, "updated", found)
    done.before = before | {"visibility_after": found.visibility}
    return done


def _change(session: Session, context: Context, listing: Listing, draft: ListingDraft) -> None:
    """Bring a listing to what a row says, the way its owner may: published ones get a proposal."""
    if listing.state == State.PUBLISHED:
        shown = _show_to(session, context, listing, draft.visibility)
        if not shown or says_else(listing, draft):
            listings.propose(session, context, listing, draft)
        return
    if listing.state == State.SUBMITTED:
        listings.do(session, context, listing, Verb.RECALL)
    elif listing.state in (State.EXPIRED, State.ARCHIVED, State.WITHDRAWN):
        listings.do(session, context, listing, Verb.REOPEN)
    listings.edit(session, context, listing, draft)
    listings.do(session, context, listing, Verb.SUBMIT)


def _show_to(session: Session, context: Context, listing: Listing, visibility: Visibility) -> bool:
    """Let a listing be seen by these, which its owner decides without a review; False where that is so already."""
    asked = replace(disclosure.disclosure_of(session, listing), visibility=visibility)
    return listing.visibility != visibility and disclosure.disclose(session, context, listing, asked)


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
        seen_by = Visibility(listing.visibility)
        if seen_by == row.before.get("visibility_after"):  # else somebody has decided anew since
            seen_by = Visibility(row.before["visibility"])
        if listing.state == State.PUBLISHED:
            shown = _show_to(session, context, listing, seen_by)
            return listings.take_back_proposal(session, context, listing) or shown
        _change(
            session, context, listing, replace(content.draft_of(listing, row.before["content"]), visibility=seen_by)
        )
    except (Conflict, BadInput, NotAllowed, NotFound):
        return False
    return True


def go_on(database: Database, now: Callable[[], Context], data_dir: Path, language_of: LanguageOf | None = None) -> int:
    """Advance every import that runs until none does: what `techex work` does; returns how many rows were done.

    Each acts for the person who started it, with what they may do now; without it the import stops.
    """
    done = 0
    with database.reading() as session:
        waiting = session.scalars(select(ImportRun.id).where(ImportRun.state.in_(("running", "undoing")))).all()
    for run_id in waiting:
        while True:
            with database.reading() as session:
                seen = session.get(ImportRun, run_id)
                if seen is None:
                    break
                ahead = judged_ahead(session, data_dir, seen, language_of)
            with database.transaction() as session:
                run = session.get(ImportRun, run_id, with_for_update=True)
                if run is None or run.state not in ("running", "undoing"):
                    break
                context = _for_its_person(session, now(), run)
                if not context.actor.belongs_to(run.organisation_id, MemberRole.EDITOR):
                    run.state = "stopped" if run.state == "running" else "done"
                    break
                before = run.done
                advance(session, context, run, ahead)
                done += run.done - before
    return done


def _for_its_person(session: Session, context: Context, run: ImportRun) -> Context:
    memberships, _places = organisations.belonging(session, run.person_id)
    name = session.get_one(Person, run.person_id).name
    return Context(Actor(name, Role.PERSON, run.person_id, memberships), context.now)
