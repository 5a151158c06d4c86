"""Drafts, attachments, texts in further languages, imports through the browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("listing", sa.Column("translations", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "listing_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('need', 'offer')", name="ck_listing_draft_kind"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_listing_draft_person_id_person", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_listing_draft_organisation_id_organisation"
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_draft_listing_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing_draft"),
    )
    for column in ("person_id", "organisation_id", "listing_id"):
        op.create_index(f"ix_listing_draft_{column}", "listing_draft", [column])
    op.create_table(
        "listing_attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_attachment_listing_id_listing", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["listing_draft.id"],
            name="fk_listing_attachment_draft_id_listing_draft",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing_attachment"),
    )
    for column in ("listing_id", "draft_id"):
        op.create_index(f"ix_listing_attachment_{column}", "listing_attachment", [column])
    op.create_table(
        "import_columns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_import_columns_organisation_id_organisation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_columns"),
        sa.UniqueConstraint("organisation_id", "kind", name="uq_import_columns_organisation_id"),
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_format", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('need', 'offer')", name="ck_import_run_kind"),
        sa.CheckConstraint(
            "state IN ('uploaded', 'checked', 'running', 'stopped', 'done', 'undoing', 'undone')",
            name="ck_import_run_state",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_import_run_organisation_id_organisation",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_import_run_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
    )
    op.create_index("ix_import_run_organisation_id", "import_run", ["organisation_id"])
    op.create_index("ix_import_run_state", "import_run", ["state"])
    op.create_table(
        "import_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name="fk_import_row_run_id_import_run", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_import_row_listing_id_listing", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_row"),
        sa.UniqueConstraint("run_id", "line", name="uq_import_row_run_id"),
    )
    op.create_index("ix_import_row_listing_id", "import_row", ["listing_id"])
    op.create_index("ix_import_row_outcome", "import_row", ["run_id", "outcome"])


def downgrade() -> None:
    for table in ("import_row", "import_run", "import_columns", "listing_attachment", "listing_draft"):
        op.drop_table(table)
    op.drop_column("listing", "translations")
