"""Saved views and hand-overs of the operator's desk, batches of ranked offers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("place_code", sa.String(length=8), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        _key("saved_view", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("person_id", "page", "name", name="uq_saved_view_person_id"),
    )
    op.create_index("ix_saved_view_place_code", "saved_view", ["place_code"])
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        _key("hand_over", "person_id", "person"),
        _key("hand_over", "to_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_hand_over"),
    )
    op.create_index("ix_hand_over_task", "hand_over", ["task", "key"])
    op.create_index("ix_hand_over_person_id", "hand_over", ["person_id"])
    op.create_index("ix_hand_over_to_id", "hand_over", ["to_id"])
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("once", sa.String(length=64), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        _key("batch", "listing_id", "listing"),
        _key("batch", "receiver_id", "organisation"),
        _key("batch", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
        sa.UniqueConstraint("once", name="uq_batch_once"),
    )
    op.create_index("ix_batch_listing_id", "batch", ["listing_id"])
    op.create_index("ix_batch_person_id", "batch", ["person_id"])
    op.create_index("ix_batch_receiver", "batch", ["receiver_id", "sent_at"])
    op.create_table(
        "batch_line",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("strength", sa.Integer(), nullable=False),
        sa.Column("quotes", sa.JSON(), nullable=False),
        _key("batch_line", "batch_id", "batch"),
        _key("batch_line", "listing_id", "listing"),
        sa.PrimaryKeyConstraint("batch_id", "listing_id", name="pk_batch_line"),
    )
    op.create_index("ix_batch_line_listing_id", "batch_line", ["listing_id"])


def _key(table: str, column: str, to: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=ondelete)


def downgrade() -> None:
    for table in ("batch_line", "batch", "hand_over", "saved_view"):
        op.drop_table(table)
