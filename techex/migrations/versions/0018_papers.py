"""Papers of deals and their versions; messages of deals get a rung and folded words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from techex.core.text import folded

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

message = sa.table("deal_message", sa.column("id"), sa.column("text"), sa.column("keywords"))


def upgrade() -> None:
    op.create_table(
        "deal_paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("rung", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        _key("deal_paper", "deal_id", "deal", "CASCADE"),
        _key("deal_paper", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_paper"),
        sa.UniqueConstraint("deal_id", "number", name="uq_deal_paper_deal_id"),
    )
    op.create_index("ix_deal_paper_person_id", "deal_paper", ["person_id"])
    op.create_table(
        "deal_paper_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        _key("deal_paper_version", "paper_id", "deal_paper", "CASCADE"),
        _key("deal_paper_version", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_deal_paper_version"),
        sa.UniqueConstraint("paper_id", "number", name="uq_deal_paper_version_paper_id"),
    )
    op.create_index("ix_deal_paper_version_person_id", "deal_paper_version", ["person_id"])
    op.create_index("ix_deal_paper_version_digest", "deal_paper_version", ["digest"])
    with op.batch_alter_table("deal_message") as batch:
        batch.add_column(sa.Column("rung", sa.String(length=16), nullable=False, server_default="non_confidential"))
        batch.add_column(sa.Column("keywords", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    for row in connection.execute(sa.select(message.c.id, message.c.text)).all():
        connection.execute(sa.update(message).where(message.c.id == row.id).values(keywords=folded(row.text)))


def _key(table: str, column: str, to: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=on_delete)


def downgrade() -> None:
    with op.batch_alter_table("deal_message") as batch:
        batch.drop_column("keywords")
        batch.drop_column("rung")
    op.drop_table("deal_paper_version")
    op.drop_table("deal_paper")
