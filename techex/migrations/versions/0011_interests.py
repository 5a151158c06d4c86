"""Expressions of interest and their steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("own_listing_id", sa.Integer(), nullable=True),
        sa.Column("sender_id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("questions", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("forwarded_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("sender_id <> receiver_id", name="ck_interest_two_sides"),
        _key("interest", "listing_id", "listing"),
        _key("interest", "own_listing_id", "listing"),
        _key("interest", "sender_id", "organisation"),
        _key("interest", "receiver_id", "organisation"),
        _key("interest", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_interest"),
    )
    op.create_index("ix_interest_listing_id", "interest", ["listing_id"])
    op.create_index("ix_interest_person_id", "interest", ["person_id"])
    op.create_index("ix_interest_receiver", "interest", ["receiver_id", "state"])
    op.create_index("ix_interest_sender", "interest", ["sender_id", "sent_at"])
    op.create_table(
        "interest_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("interest_id", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        _key("interest_step", "interest_id", "interest", "CASCADE"),
        _key("interest_step", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_interest_step"),
    )
    op.create_index("ix_interest_step_interest_id", "interest_step", ["interest_id"])
    op.create_index("ix_interest_step_person_id", "interest_step", ["person_id"])


def _key(table: str, column: str, to: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=on_delete)


def downgrade() -> None:
    op.drop_table("interest_step")
    op.drop_table("interest")
