"""Tasks, participants, credits and outcomes of deals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "deal_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        _key("deal_task", "deal_id", "deal", "CASCADE"),
        _key("deal_task", "owner_id", "person", "SET NULL"),
        _key("deal_task", "made_by", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_task"),
    )
    for column in ("deal_id", "due", "owner_id"):
        op.create_index(f"ix_deal_task_{column}", "deal_task", [column])
    op.create_table(
        "deal_participant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("named_at", MOMENT, nullable=False),
        sa.Column("joined_at", MOMENT, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("(organisation_id IS NULL) OR (person_id IS NULL)", name="ck_deal_participant_one"),
        _key("deal_participant", "deal_id", "deal", "CASCADE"),
        _key("deal_participant", "organisation_id", "organisation"),
        _key("deal_participant", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_participant"),
    )
    for column in ("deal_id", "organisation_id", "person_id"):
        op.create_index(f"ix_deal_participant_{column}", "deal_participant", [column])
    op.create_table(
        "deal_credit",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("place_code", sa.String(length=8), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _key("deal_credit", "deal_id", "deal", "CASCADE"),
        sa.PrimaryKeyConstraint("deal_id", "place_code", name="pk_deal_credit"),
    )
    op.create_table(
        "deal_outcome",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("in_use", sa.String(length=16), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        _key("deal_outcome", "deal_id", "deal", "CASCADE"),
        _key("deal_outcome", "organisation_id", "organisation"),
        _key("deal_outcome", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_outcome"),
        sa.UniqueConstraint("deal_id", "months", "organisation_id", name="uq_deal_outcome_deal_id"),
    )


def _key(table: str, column: str, to: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=on_delete)


def downgrade() -> None:
    for table in ("deal_outcome", "deal_credit", "deal_participant", "deal_task"):
        op.drop_table(table)
