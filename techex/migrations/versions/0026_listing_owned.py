"""The anonymous listings of an owner are found without reading all of that owner's."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_listing_owned", "listing", ["organisation_id", "kind", "anonymous", "state", "visibility"])
    op.drop_index("ix_listing_organisation_id", table_name="listing")


def downgrade() -> None:
    op.create_index("ix_listing_organisation_id", "listing", ["organisation_id"])
    op.drop_index("ix_listing_owned", table_name="listing")
