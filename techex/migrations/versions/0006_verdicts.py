"""Verdicts on pairs, and what is learned from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pair_verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("need_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("judgement", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("given_by", sa.String(length=200), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.CheckConstraint("judgement IN ('fit', 'partly', 'no')", name="ck_pair_verdict_judgement"),
        sa.ForeignKeyConstraint(
            ["need_id"], ["listing.id"], name="fk_pair_verdict_need_id_listing", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["listing.id"], name="fk_pair_verdict_offer_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pair_verdict"),
    )
    op.create_index("ix_pair_verdict_standing", "pair_verdict", ["need_id", "offer_id", "replaced_at"])
    op.create_index("ix_pair_verdict_offer_id", "pair_verdict", ["offer_id"])
    op.create_table(
        "learned_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_key", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learned_version"),
    )
    op.create_index("ix_learned_version_card_key", "learned_version", ["card_key"])
    op.create_table(
        "learned_activation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learned_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("reverted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reverted_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["learned_id"], ["learned_version.id"], name="fk_learned_activation_learned_id_learned_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_learned_activation"),
    )
    op.create_index("ix_learned_activation_learned_id", "learned_activation", ["learned_id"])


def downgrade() -> None:
    for table in ("learned_activation", "learned_version", "pair_verdict"):
        op.drop_table(table)
