"""The lists of needs and of results as files: the columns that a card shows, in the language of the page."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from flask_babel import gettext

from techex.core import vocabulary
from techex.core.vocabulary import N_
from techex.listings.list_rows import Row
from techex.listings.rules import Kind
from techex.regions import service as regions
from techex.web.language import page_language
from techex.web.tables import Column

# Anybody may ask for these files: so many rows are read and packed in about a second.
MOST_ROWS = 5_000

_LANGUAGE = Column(N_("Written in"), lambda row: vocabulary.LANGUAGES.get(row.language, row.language))
_DEADLINE = Column(N_("Deadline"), lambda row: row.deadline)
_IP = Column(
    N_("Intellectual property"),
    lambda row: gettext(vocabulary.IP_STATUSES[row.ip_status]) if row.ip_status else "",
)


def columns(kind: Kind) -> Sequence[Column]:
    """The columns of a file of needs, or of results."""
    needs = kind is Kind.NEED
    language, page = page_language(), "listings.show_need" if needs else "listings.show_result"

    def owner(row: Row) -> str:
        return row.owner_in(language) or str(gettext("Anonymous organisation"))

    return (
        Column(N_("Title"), lambda row: row.title),
        _LANGUAGE,
        Column(N_("Summary"), lambda row: row.summary),
        Column(N_("Organisation"), owner),
        Column(N_("Place"), lambda row: regions.place_name(row.place, language)),
        Column(N_("Field"), lambda row: [gettext(vocabulary.FIELDS[code]) for code in row.fields]),
        Column(N_("Readiness at least") if needs else N_("Readiness"), lambda row: row.trl),
        *([] if needs else [_IP]),
        Column(
            N_("Transfer form"), lambda row: [gettext(vocabulary.TRANSFER_FORMS[code]) for code in row.transfer_forms]
        ),
        *([_DEADLINE] if needs else []),
        Column(N_("Published"), lambda row: row.published_at),
        Column(N_("Illustrative"), lambda row: gettext("yes") if row.illustrative else ""),
        Column(N_("Address"), lambda row: url_for(page, listing_id=row.id, _external=True)),
    )
