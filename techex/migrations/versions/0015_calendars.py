"""The secret address of a person's calendar, and the letters about deadlines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT, nullable=True),
        _of_person("calendar_feed"),
        sa.PrimaryKeyConstraint("person_id", name="pk_calendar_feed"),
        sa.UniqueConstraint("token_hash", name="uq_calendar_feed_token_hash"),
    )
    op.create_table(
        "deadline_letters",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("stopped_at", MOMENT, nullable=True),
        _of_person("deadline_letters"),
        sa.PrimaryKeyConstraint("person_id", name="pk_deadline_letters"),
    )
    op.create_index("ix_deadline_letters_next_at", "deadline_letters", ["next_at"])
    op.create_table(
        "deadline_told",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        _of_person("deadline_told"),
        sa.PrimaryKeyConstraint("person_id", "key", "due", name="pk_deadline_told"),
    )


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["person.id"], name=f"fk_{table}_person_id_person", ondelete="CASCADE"
    )


def downgrade() -> None:
    op.drop_table("deadline_told")
    op.drop_table("deadline_letters")
    op.drop_table("calendar_feed")
