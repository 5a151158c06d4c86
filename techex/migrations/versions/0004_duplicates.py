"""Listings that look like one another: what finds them, and what a person says of each pair."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listing_sketch",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exact", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("whole", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_sketch_listing_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("listing_id", name="pk_listing_sketch"),
    )
    op.create_table(
        "duplicate_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("shared", sa.Float(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("first_id < second_id", name="ck_duplicate_pair_ordered"),
        sa.ForeignKeyConstraint(
            ["first_id"], ["listing.id"], name="fk_duplicate_pair_first_id_listing", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["listing.id"], name="fk_duplicate_pair_second_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_pair"),
        sa.UniqueConstraint("first_id", "second_id", name="uq_duplicate_pair_first_id"),
    )
    op.create_index("ix_duplicate_pair_second_id", "duplicate_pair", ["second_id"])


def downgrade() -> None:
    op.drop_table("duplicate_pair")
    op.drop_table("listing_sketch")
