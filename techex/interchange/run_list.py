"""The imports of one's organisations as a list: orders, filters, columns of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.interchange import runs
from techex.interchange.tables import ImportRun
from techex.listings import drafting
from techex.listings.rules import Kind
from techex.organisations.tables import Organisation
from techex.web.language import page_language
from techex.web.tables import NEWEST, Column, Filter, Table

# In the order in which an import goes through them.
STATES: Mapping[str, str] = {
    "uploaded": N_("uploaded"),
    "checked": N_("checked, nothing stored yet"),
    "running": N_("running"),
    "stopped": N_("stopped"),
    "done": N_("done"),
    "undoing": N_("being undone"),
    "undone": N_("undone"),
}


@dataclass(frozen=True)
class Line:
    """An import and whose it is."""

    run: ImportRun
    owner: Organisation

    @property
    def owner_name(self) -> str:
        """Whose it is, in the language of the page."""
        return self.owner.name_in(page_language())


def lines(session: Session, context: Context) -> list[Line]:
    """The imports of the organisations this person writes for, the newest first."""
    owners = {one.id: one for one in drafting.organisations_of(session, context)}
    return [Line(run, owners[run.organisation_id]) for run in runs.runs_of(session, context)]


def _kind(code: str) -> str:
    return str(gettext("Need") if code == Kind.NEED else gettext("Result"))


def state_name(code: str) -> str:
    """Where an import is, in the language of the page."""
    return str(gettext(STATES[code]))


TABLE = Table(
    "imports.begin",
    "imports.file",
    {
        "newest": (NEWEST, lambda line: -line.run.id),
        "oldest": (N_("oldest first"), lambda line: line.run.id),
        "name": (N_("by name"), lambda line: (line.run.file_name.casefold(), -line.run.id)),
        "state": (N_("by state"), lambda line: (list(STATES).index(line.run.state), -line.run.id)),
        "rows": (N_("most rows first"), lambda line: (-line.run.rows, -line.run.id)),
    },
    (
        Column(N_("Number"), lambda line: line.run.id),
        Column(N_("Table"), lambda line: line.run.file_name),
        Column(N_("Kind"), lambda line: _kind(line.run.kind)),
        Column(N_("Organisation"), lambda line: line.owner_name),
        Column(N_("State"), lambda line: state_name(line.run.state)),
        Column(N_("Rows"), lambda line: line.run.rows),
        Column(N_("Begun"), lambda line: line.run.created_at),
    ),
    {
        "what": Filter(N_("Kind"), lambda line: [line.run.kind], _kind),
        "state": Filter(N_("State"), lambda line: [line.run.state], state_name),
        "of": Filter(N_("Organisation"), lambda line: [line.owner_name], lambda name: name),
    },
    words=lambda line: line.run.file_name,
)
