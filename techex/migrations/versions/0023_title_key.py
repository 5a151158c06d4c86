"""Titles as lists sort them, and indexes from which lists are put in order without reading any text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from techex.core.text import folded

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

LONGEST = 80
AT_ONCE = 5_000

listing = sa.table("listing", sa.column("id"), sa.column("title"), sa.column("title_key"))


def upgrade() -> None:
    op.add_column("listing", sa.Column("title_key", sa.String(LONGEST), nullable=False, server_default=""))
    # The column is derived, so today's folding is the right one at any time this runs.
    connection = op.get_bind()
    last = 0
    while rows := connection.execute(
        sa.select(listing.c.id, listing.c.title).where(listing.c.id > last).order_by(listing.c.id).limit(AT_ONCE)
    ).all():
        connection.execute(
            sa.update(listing).where(listing.c.id == sa.bindparam("row_id")).values(title_key=sa.bindparam("key")),
            [{"row_id": row.id, "key": folded(row.title).strip()[:LONGEST]} for row in rows],
        )
        last = rows[-1].id
    op.drop_index("ix_listing_shown", table_name="listing")
    op.create_index(
        "ix_listing_shown", "listing", ["state", "visibility", "kind", "published_at", "id", "deadline", "trl"]
    )
    op.create_index("ix_listing_titled", "listing", ["state", "kind", "title_key", "id", "visibility"])


def downgrade() -> None:
    op.drop_index("ix_listing_titled", table_name="listing")
    op.drop_index("ix_listing_shown", table_name="listing")
    op.create_index("ix_listing_shown", "listing", ["state", "visibility", "kind", "published_at"])
    op.drop_column("listing", "title_key")
