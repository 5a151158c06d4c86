"""Proposals for commissioned tasks, and what firms were asked about them, as lists: orders, filters, columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.brokering import commissioning
from techex.brokering.commission_tables import Commission, CommissionConsent, CommissionNeed
from techex.brokering.commissioning import CONSENTS, Consent
from techex.brokering.consents import Asked
from techex.core.context import Context
from techex.core.vocabulary import FIELDS, N_
from techex.regions.naming import place_called
from techex.web.language import page_language
from techex.web.tables import BY_PLACE, BY_TITLE, NEWEST, Column, Filter, Table


@dataclass(frozen=True)
class Row:
    """A proposal, how many needs it stands on, and what each firm behind it said."""

    commission: Commission
    needs: int
    said: Sequence[str]

    @property
    def agreed(self) -> int:
        """How many firms may be named."""
        return sum(state == Consent.AGREED for state in self.said)


def rows(session: Session, context: Context) -> list[Row]:
    """The proposals that this operator keeps."""
    kept = commissioning.kept(session, context)
    numbers = [one.id for one in kept]
    # Counted for all at once: the needs themselves are long, and a list shows none of them.
    needs = select(CommissionNeed.commission_id, func.count()).where(CommissionNeed.commission_id.in_(numbers))
    count = dict(session.execute(needs.group_by(CommissionNeed.commission_id)).all())
    firms = select(CommissionConsent.commission_id, CommissionConsent.state)
    said: dict[int, list[str]] = {}
    for number, state in session.execute(firms.where(CommissionConsent.commission_id.in_(numbers))):
        said.setdefault(number, []).append(state)
    return [Row(one, count.get(one.id, 0), said.get(one.id, [])) for one in kept]


def _field(code: str) -> str:
    return str(gettext(FIELDS[code])) if code else ""


def _organisation(one: Asked) -> str:
    return one.consent.organisation.name_in(page_language())


def _said(state: str) -> str:
    return str(gettext(CONSENTS[Consent(state)]))


TABLE = Table(
    "commissions.index",
    "commissions.list_file",
    {
        "newest": (NEWEST, lambda row: -row.commission.id),
        "touched": (N_("touched last first"), lambda row: (-row.commission.updated_at.timestamp(), -row.commission.id)),
        "needs": (N_("most needs first"), lambda row: (-row.needs, -row.commission.id)),
        "place": (BY_PLACE, lambda row: (row.commission.places, -row.commission.id)),
        "title": (BY_TITLE, lambda row: (row.commission.title.casefold(), -row.commission.id)),
    },
    (
        Column(N_("Title"), lambda row: row.commission.title),
        Column(N_("Field"), lambda row: _field(row.commission.field)),
        Column(N_("Needs"), lambda row: row.needs),
        Column(N_("Firms that agreed"), lambda row: row.agreed),
        Column(N_("Firms"), lambda row: len(row.said)),
        Column(N_("Last change"), lambda row: row.commission.updated_at),
    ),
    {
        "field": Filter(N_("Field"), lambda row: [row.commission.field] if row.commission.field else [], _field),
        "place": Filter(N_("Place"), lambda row: row.commission.places, place_called),
        "said": Filter(N_("Consent"), lambda row: row.said, _said),
    },
    words=lambda row: row.commission.title,
)

# What the organisations that a person manages were asked; its rows are `consents.Asked`.
ASKED = Table(
    "consents.index",
    "consents.file",
    {
        "newest": (NEWEST, lambda one: (-one.commission.id, one.consent.organisation_id)),
        "waiting": (N_("what waits for you first"), lambda one: (one.state is not Consent.ASKED, -one.commission.id)),
        "organisation": (N_("by organisation"), lambda one: (_organisation(one).casefold(), -one.commission.id)),
    },
    (
        Column(N_("Organisation"), _organisation),
        Column(N_("Your need"), lambda one: [need.title for need in one.own]),
        Column(N_("Your answer"), lambda one: _said(one.state)),
    ),
    {
        "answer": Filter(N_("Your answer"), lambda one: [one.state.value], _said),
        "org": Filter(N_("Organisation"), lambda one: [_organisation(one)], lambda name: name),
    },
    words=lambda one: " ".join(need.title for need in one.own),
)
