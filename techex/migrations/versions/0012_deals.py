"""Deals, their ledgers and messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "deal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("interest_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("introduced_at", MOMENT, nullable=True),
        sa.Column("signed_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("contract", sa.JSON(), nullable=True),
        sa.Column("registration", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("lost_at", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _key("deal", "interest_id", "interest"),
        sa.PrimaryKeyConstraint("id", name="pk_deal"),
        sa.UniqueConstraint("interest_id", name="uq_deal_interest_id"),
    )
    op.create_index("ix_deal_stage", "deal", ["stage"])
    op.create_table(
        "deal_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        _key("deal_step", "deal_id", "deal", "CASCADE"),
        _key("deal_step", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_step"),
        sa.UniqueConstraint("deal_id", "number", name="uq_deal_step_deal_id"),
    )
    op.create_index("ix_deal_step_person_id", "deal_step", ["person_id"])
    op.create_table(
        "deal_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _key("deal_message", "deal_id", "deal", "CASCADE"),
        _key("deal_message", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_message"),
    )
    op.create_index("ix_deal_message_deal_id", "deal_message", ["deal_id"])
    op.create_index("ix_deal_message_person_id", "deal_message", ["person_id"])


def _key(table: str, column: str, to: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=on_delete)


def downgrade() -> None:
    op.drop_table("deal_message")
    op.drop_table("deal_step")
    op.drop_table("deal")
