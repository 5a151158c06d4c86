"""Who wrote a field of a draft last, and what others wrote there at the same time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("listing_draft") as batch:
        batch.add_column(sa.Column("writers", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("asides", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("listing_draft") as batch:
        batch.drop_column("asides")
        batch.drop_column("writers")
