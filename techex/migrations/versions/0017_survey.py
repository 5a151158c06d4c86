"""What the last look over the exchange found, proposals for commissioned tasks, plan documents, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "surveyed_pair",
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("need_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("strength", sa.Integer(), nullable=False),
        _key("surveyed_pair", "need_id"),
        _key("surveyed_pair", "offer_id"),
        sa.PrimaryKeyConstraint("scope", "need_id", "offer_id", name="pk_surveyed_pair"),
    )
    op.create_index("ix_surveyed_pair_offer_id", "surveyed_pair", ["offer_id"])
    op.create_table(
        "surveyed_listing",
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("best", sa.Integer(), nullable=False),
        sa.Column("suitable", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        _key("surveyed_listing", "listing_id"),
        sa.PrimaryKeyConstraint("scope", "listing_id", name="pk_surveyed_listing"),
    )
    op.create_index("ix_surveyed_listing_listing_id", "surveyed_listing", ["listing_id"])
    op.create_table(
        "surveyed_alike",
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("need_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        _key("surveyed_alike", "need_id"),
        _key("surveyed_alike", "other_id"),
        sa.PrimaryKeyConstraint("scope", "need_id", "other_id", name="pk_surveyed_alike"),
    )
    op.create_index("ix_surveyed_alike_other_id", "surveyed_alike", ["other_id"])
    op.create_table(
        "survey",
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("without_vectors", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_survey"),
    )
    _commissions()
    _reports()


def _commissions() -> None:
    op.create_table(
        "commission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("field", sa.String(length=3), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("title", "problem", "result")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("offers", "institutes")),
        sa.Column("person_id", sa.Integer(), nullable=True),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("revision", sa.Integer(), nullable=False),
        _key("commission", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_commission"),
    )
    op.create_index("ix_commission_person_id", "commission", ["person_id"])
    op.create_table(
        "commission_need",
        sa.Column("commission_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        _key("commission_need", "commission_id", "commission"),
        _key("commission_need", "listing_id"),
        sa.PrimaryKeyConstraint("commission_id", "listing_id", name="pk_commission_need"),
    )
    op.create_index("ix_commission_need_listing_id", "commission_need", ["listing_id"])
    op.create_table(
        "commission_consent",
        sa.Column("commission_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        *(sa.Column(name, MOMENT, nullable=True) for name in ("asked_at", "answered_at")),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('counted', 'asked', 'agreed', 'declined')", name="ck_commission_consent_state"),
        _key("commission_consent", "commission_id", "commission"),
        _key("commission_consent", "organisation_id", "organisation"),
        _key("commission_consent", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("commission_id", "organisation_id", name="pk_commission_consent"),
    )
    for column in ("organisation_id", "person_id"):
        op.create_index(f"ix_commission_consent_{column}", "commission_consent", [column])


def _reports() -> None:
    op.create_table(
        "plan_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        _key("plan_document", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_document"),
        sa.UniqueConstraint("number", "date", name="uq_plan_document_number"),
    )
    op.create_index("ix_plan_document_person_id", "plan_document", ["person_id"])
    op.create_table(
        "plan_tag",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("tagged_at", MOMENT, nullable=False),
        sa.CheckConstraint("subject IN ('listing', 'deal', 'commission', 'report')", name="ck_plan_tag_subject"),
        _key("plan_tag", "plan_id", "plan_document"),
        sa.PrimaryKeyConstraint("plan_id", "subject", "subject_id", name="pk_plan_tag"),
    )
    op.create_index("ix_plan_tag_subject", "plan_tag", ["subject", "subject_id"])
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("since", "until")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("places", "facts")),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        _key("report", "person_id", "person", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
    )
    op.create_index("ix_report_person_id", "report", ["person_id"])


def _key(table: str, column: str, to: str = "listing", gone: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=gone)


def downgrade() -> None:
    for table in ("report", "plan_tag", "plan_document", "commission_consent", "commission_need", "commission"):
        op.drop_table(table)
    for table in ("survey", "surveyed_alike", "surveyed_listing", "surveyed_pair"):
        op.drop_table(table)
