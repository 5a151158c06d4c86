"""Folded text beside titles and names, so that lists can be searched by words on every database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from techex.core.text import folded

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

organisation = sa.table(
    "organisation", sa.column("id"), sa.column("name"), sa.column("names", sa.JSON()), sa.column("keywords")
)
listing = sa.table("listing", sa.column("id"), sa.column("title"), sa.column("summary"), sa.column("keywords"))


def upgrade() -> None:
    for table in (organisation, listing):
        op.add_column(table.name, sa.Column("keywords", sa.Text(), nullable=False, server_default=""))
    # The column is derived, so today's folding is the right one at any time this runs.
    connection = op.get_bind()
    for row in connection.execute(sa.select(organisation.c.id, organisation.c.name, organisation.c.names)).all():
        _write(organisation, row.id, " ".join([row.name, *(row.names or {}).values()]))
    for row in connection.execute(sa.select(listing.c.id, listing.c.title, listing.c.summary)).all():
        _write(listing, row.id, f"{row.title} {row.summary}")


def _write(table: sa.TableClause, row_id: int, text: str) -> None:
    op.get_bind().execute(sa.update(table).where(table.c.id == row_id).values(keywords=folded(text)))


def downgrade() -> None:
    for name in ("listing", "organisation"):
        op.drop_column(name, "keywords")
