"""The list of modules that map classes: importing them all makes `Base.metadata` complete."""

from __future__ import annotations

from importlib import import_module

TABLES = (
    "techex.core.changes",
    "techex.core.audit",
    "techex.core.mail",
    "techex.core.limits",
    "techex.core.installation",
    "techex.accounts.tables",
    "techex.organisations.tables",
    "techex.listings.tables",
    "techex.listings.posting_tables",
    "techex.interchange.tables",
    "techex.embedding.tables",
    "techex.search.tables",
    "techex.matching.tables",
    "techex.matching.survey_tables",
    "techex.brokering.tables",
    "techex.brokering.deal_tables",
    "techex.brokering.course_tables",
    "techex.brokering.paper_tables",
    "techex.brokering.commission_tables",
    "techex.brokering.report_tables",
    "techex.brokering.batch_tables",
    "techex.alerts.tables",
    "techex.admin.tables",
)


def import_tables() -> None:
    """Import every module that maps a class."""
    for name in TABLES:
        import_module(name)
