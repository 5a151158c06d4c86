"""Alerts, and the address in a letter that stops them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("letter", sa.Column("unsubscribe", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("cadence", sa.String(length=8), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.CheckConstraint("cadence IN ('at_once', 'daily', 'weekly')", name="ck_alert_cadence"),
        _key("alert", "person_id", "person"),
        _key("alert", "listing_id", "listing"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    for column in ("person_id", "listing_id", "next_at"):
        op.create_index(f"ix_alert_{column}", "alert", [column])
    op.create_table(
        "alert_match",
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        _key("alert_match", "alert_id", "alert"),
        _key("alert_match", "listing_id", "listing"),
        sa.PrimaryKeyConstraint("alert_id", "listing_id", name="pk_alert_match"),
    )


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("alert_match")
    op.drop_table("alert")
    op.drop_column("letter", "unsubscribe")
