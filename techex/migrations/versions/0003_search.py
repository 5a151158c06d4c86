"""What search keeps: the means of a vector space, and how far embedding has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "centring",
        sa.Column("card_key", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("card_key", name="pk_centring"),
    )
    op.create_table(
        "embedding_progress",
        sa.Column("card_key", sa.String(length=100), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("card_key", name="pk_embedding_progress"),
    )


def downgrade() -> None:
    op.drop_table("embedding_progress")
    op.drop_table("centring")
