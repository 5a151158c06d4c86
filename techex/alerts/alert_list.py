"""One's own alerts as a list: orders, filters, columns of its file."""

from __future__ import annotations

from flask_babel import gettext

from techex.alerts.finding import search_of
from techex.alerts.rules import CADENCES, Cadence
from techex.alerts.service import about
from techex.alerts.tables import Alert
from techex.core.vocabulary import N_
from techex.listings.rules import Kind
from techex.web.language import here
from techex.web.tables import BY_TITLE, NEWEST, Column, Filter, Table


def sought(alert: Alert) -> str:
    """The kind of what an alert looks for."""
    return Kind(alert.listing.kind).other.value if alert.listing else search_of(alert).kind.value


def _kind(code: str) -> str:
    return str(gettext("Need") if code == Kind.NEED else gettext("Result"))


def _cadence(code: str) -> str:
    return str(gettext(CADENCES[Cadence(code)]))


TABLE = Table(
    "alerts.index",
    "alerts.file",
    {
        "newest": (NEWEST, lambda alert: -alert.id),
        "oldest": (N_("oldest first"), lambda alert: alert.id),
        "next": (N_("next look soonest first"), lambda alert: (alert.next_at, -alert.id)),
        "title": (BY_TITLE, lambda alert: (about(alert).casefold(), -alert.id)),
    },
    (
        Column(N_("About"), about),
        Column(N_("Kind"), lambda alert: _kind(sought(alert))),
        Column(N_("Filters"), lambda alert: len(search_of(alert).applied())),
        Column(N_("How often"), lambda alert: _cadence(alert.cadence)),
        # Days where the reader is, as on the page: an alert looks at seven in their morning.
        Column(N_("Last looked"), lambda alert: here(alert.looked_at)),
        Column(N_("Next look"), lambda alert: here(alert.next_at)),
    ),
    {
        "what": Filter(N_("Kind"), lambda alert: [sought(alert)], _kind),
        "often": Filter(N_("How often"), lambda alert: [alert.cadence], _cadence),
    },
    words=about,
)
