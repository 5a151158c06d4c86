"""The life of a listing: who may see it, its revisions, its passages through the review queue, complaints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COUNTED = (
    *("state", "visibility", "kind", "country", "province"),
    *("ip_status", "language", "organisation_id", "trl"),
)


def upgrade() -> None:
    op.add_column("listing", sa.Column("anonymous", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("listing", sa.Column("teaser", sa.String(length=8), nullable=False, server_default="none"))
    op.add_column("listing", sa.Column("teaser_text", sa.Text(), nullable=False, server_default=""))
    op.add_column("listing", sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("listing", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_listing_expires_at", "listing", ["expires_at"])
    # Counts tell anonymous listings apart, and are still made from the index alone.
    op.drop_index("ix_listing_counted", "listing")
    op.create_index("ix_listing_counted", "listing", [*COUNTED, "anonymous"])
    op.create_table(
        "listing_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("introduced", sa.Boolean(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_grant_listing_id_listing", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_listing_grant_organisation_id_organisation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing_grant"),
        sa.UniqueConstraint("listing_id", "organisation_id", name="uq_listing_grant_listing_id"),
    )
    op.create_index("ix_listing_grant_organisation_id", "listing_grant", ["organisation_id"])
    op.create_table(
        "listing_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("state IN ('past', 'proposed', 'accepted', 'refused')", name="ck_listing_revision_state"),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_revision_listing_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing_revision"),
        sa.UniqueConstraint("listing_id", "number", name="uq_listing_revision_listing_id"),
    )
    op.create_table(
        "listing_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_review_listing_id_listing", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["listing_revision.id"],
            name="fk_listing_review_revision_id_listing_revision",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["taken_by"], ["person.id"], name="fk_listing_review_taken_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_listing_review"),
    )
    op.create_index("ix_listing_review_listing_id", "listing_review", ["listing_id"])
    op.create_index("ix_listing_review_open", "listing_review", ["closed_at", "due"])
    op.create_table(
        "listing_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("reader_name", sa.String(length=200), nullable=False),
        sa.Column("benefit", sa.Integer(), nullable=False),
        sa.Column("clarity", sa.Integer(), nullable=False),
        sa.Column("cooperation", sa.Integer(), nullable=False),
        sa.Column("wording", sa.Integer(), nullable=False),
        sa.Column("comments", sa.JSON(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.CheckConstraint(f"{name} BETWEEN 0 AND 5", name=f"ck_listing_reading_{name}")
            for name in ("benefit", "clarity", "cooperation", "wording")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["listing_review.id"], name="fk_listing_reading_review_id_listing_review", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["reader_id"], ["person.id"], name="fk_listing_reading_reader_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_listing_reading"),
        sa.UniqueConstraint("review_id", "reader_id", name="uq_listing_reading_review_id"),
    )
    op.create_table(
        "listing_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_by", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_report_listing_id_listing", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["reporter_id"], ["person.id"], name="fk_listing_report_reporter_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_listing_report"),
    )
    op.create_index("ix_listing_report_listing_id", "listing_report", ["listing_id"])
    op.create_index("ix_listing_report_reporter_id", "listing_report", ["reporter_id"])


def downgrade() -> None:
    for table in ("listing_report", "listing_reading", "listing_review", "listing_revision", "listing_grant"):
        op.drop_table(table)
    op.drop_index("ix_listing_counted", "listing")
    op.create_index("ix_listing_counted", "listing", list(COUNTED))
    op.drop_index("ix_listing_expires_at", "listing")
    for column in ("asked_at", "extended_at", "teaser_text", "teaser", "anonymous"):
        op.drop_column("listing", column)
