"""The first schema: change log, audit trail, organisations, listings, passages and vectors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("verb", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_table(
        "change",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_change"),
    )
    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_counter"),
    )
    op.create_table(
        "embedding_vector",
        sa.Column("card_key", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("card_key", "role", "digest", name="pk_embedding_vector"),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("province", sa.String(length=2), nullable=True),
        sa.Column("website", sa.String(length=300), nullable=False),
        sa.Column("identifiers", sa.JSON(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_by", sa.String(length=200), nullable=False),
        sa.Column("illustrative", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) > 0", name="ck_organisation_named"),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("slug", name="uq_organisation_slug"),
    )
    op.create_index("ix_organisation_country", "organisation", ["country"])
    op.create_index("ix_organisation_name", "organisation", ["name"])
    op.create_index("ix_organisation_province", "organisation", ["province"])

    op.create_table(
        "listing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("open_for_interest", sa.Boolean(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("trl", sa.Integer(), nullable=True),
        sa.Column("ip_status", sa.String(length=16), nullable=True),
        sa.Column("ownership", sa.String(length=16), nullable=True),
        sa.Column("reach", sa.String(length=16), nullable=True),
        sa.Column("industry", sa.String(length=1), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("province", sa.String(length=2), nullable=True),
        sa.Column("budget_min", sa.Float(), nullable=True),
        sa.Column("budget_max", sa.Float(), nullable=True),
        sa.Column("price", sa.Float(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("validity", sa.Date(), nullable=True),
        sa.Column("illustrative", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('need', 'offer')", name="ck_listing_kind"),
        sa.CheckConstraint("trl IS NULL OR (trl BETWEEN 1 AND 9)", name="ck_listing_trl"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_listing_organisation_id_organisation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing"),
        sa.UniqueConstraint("organisation_id", "kind", "external_id", name="uq_listing_organisation_id"),
    )
    op.create_index("ix_listing_country", "listing", ["country"])
    op.create_index("ix_listing_organisation_id", "listing", ["organisation_id"])
    op.create_index("ix_listing_province", "listing", ["province"])
    op.create_index("ix_listing_shown", "listing", ["state", "visibility", "kind", "published_at"])

    op.create_table(
        "organisation_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_organisation_field_organisation_id_organisation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_field"),
        sa.UniqueConstraint("organisation_id", "code", name="uq_organisation_field_organisation_id"),
    )
    op.create_table(
        "listing_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_field_listing_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing_field"),
        sa.UniqueConstraint("listing_id", "code", name="uq_listing_field_listing_id"),
    )
    op.create_index("ix_listing_field_code", "listing_field", ["code"])

    op.create_table(
        "listing_transfer_form",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_listing_transfer_form_listing_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_listing_transfer_form"),
        sa.UniqueConstraint("listing_id", "code", name="uq_listing_transfer_form_listing_id"),
    )
    op.create_index("ix_listing_transfer_form_code", "listing_transfer_form", ["code"])

    op.create_table(
        "passage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("length_class", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name="fk_passage_listing_id_listing", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_passage"),
        sa.UniqueConstraint("listing_id", "position", name="uq_passage_listing_id"),
    )
    op.create_index("ix_passage_digest", "passage", ["digest"])

    # The change log counts from here; a writer locks this row until it commits.
    op.bulk_insert(sa.table("change_counter", sa.column("id"), sa.column("last")), [{"id": 1, "last": 0}])


def downgrade() -> None:
    op.drop_index("ix_passage_digest", table_name="passage")

    op.drop_table("passage")
    op.drop_index("ix_listing_transfer_form_code", table_name="listing_transfer_form")

    op.drop_table("listing_transfer_form")
    op.drop_index("ix_listing_field_code", table_name="listing_field")

    op.drop_table("listing_field")
    op.drop_table("organisation_field")
    op.drop_index("ix_listing_shown", table_name="listing")
    op.drop_index("ix_listing_province", table_name="listing")
    op.drop_index("ix_listing_organisation_id", table_name="listing")
    op.drop_index("ix_listing_country", table_name="listing")

    op.drop_table("listing")
    op.drop_index("ix_organisation_province", table_name="organisation")
    op.drop_index("ix_organisation_name", table_name="organisation")
    op.drop_index("ix_organisation_country", table_name="organisation")

    op.drop_table("organisation")
    op.drop_table("embedding_vector")
    op.drop_table("change_counter")
    op.drop_table("change")
    op.drop_table("audit_entry")
