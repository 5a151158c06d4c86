"""An index that lists are counted from without reading their texts."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    *("state", "visibility", "kind", "country", "province"),
    *("ip_status", "language", "organisation_id", "trl"),
)


def upgrade() -> None:
    op.create_index("ix_listing_counted", "listing", list(COLUMNS))


def downgrade() -> None:
    op.drop_index("ix_listing_counted", "listing")
