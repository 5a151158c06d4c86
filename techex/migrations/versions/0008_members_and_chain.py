"""Who belongs to an organisation, who verified it, who serves which place; the audit log becomes a chain of hashes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

START = "0" * 64
REFUSAL = "the audit log only grows"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _organisations()
    _chain()
    _guard()


def _organisations() -> None:
    roles = "role IN ('viewer', 'editor', 'manager')"
    op.add_column("organisation", sa.Column("listed", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "organisation_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("position", sa.String(length=120), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.CheckConstraint(roles, name="ck_organisation_member_role"),
        _belongs_to("organisation_member", "organisation"),
        _belongs_to("organisation_member", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_member"),
        sa.UniqueConstraint("organisation_id", "person_id", name="uq_organisation_member_organisation_id"),
    )
    op.create_index("ix_organisation_member_person_id", "organisation_member", ["person_id"])
    op.create_table(
        "organisation_invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(roles, name="ck_organisation_invitation_role"),
        _belongs_to("organisation_invitation", "organisation"),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_invitation"),
        sa.UniqueConstraint("token_hash", name="uq_organisation_invitation_token_hash"),
    )
    op.create_index("ix_organisation_invitation_organisation_id", "organisation_invitation", ["organisation_id"])
    op.create_index("ix_organisation_invitation_email_key", "organisation_invitation", ["email_key"])
    op.create_table(
        "operator_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("place_code", sa.String(length=8), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        _belongs_to("operator_place", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_place"),
        sa.UniqueConstraint("person_id", "place_code", name="uq_operator_place_person_id"),
    )
    op.create_index("ix_operator_place_place_code", "operator_place", ["place_code"])
    op.create_table(
        "organisation_verification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("checked", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _belongs_to("organisation_verification", "organisation"),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_verification"),
    )
    op.create_index("ix_organisation_verification_organisation_id", "organisation_verification", ["organisation_id"])


def _belongs_to(table: str, owner: str) -> sa.ForeignKeyConstraint:
    column = f"{owner}_id"
    return sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=f"fk_{table}_{column}_{owner}", ondelete="CASCADE")


def _chain() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    with op.batch_alter_table("audit_entry") as batch:
        batch.add_column(sa.Column("person_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("hash", sa.String(length=64), nullable=False, server_default=""))
    last, digest = _chain_what_is_there()
    op.execute(
        sa.text("INSERT INTO audit_head (id, last, hash) VALUES (1, :last, :hash)").bindparams(last=last, hash=digest)
    )
    with op.batch_alter_table("audit_entry") as batch:
        batch.alter_column("hash", existing_type=sa.String(length=64), nullable=False, server_default=None)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject", "subject_id"])
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_person_id", "audit_entry", ["person_id"])


def _chain_what_is_there() -> tuple[int, str]:
    """Chain the entries of before, in the order of their numbers; the canonical form is that of this revision."""
    entry = sa.table(
        "audit_entry",
        sa.column("id", sa.Integer()),
        sa.column("at", MOMENT),
        sa.column("actor", sa.String()),
        sa.column("verb", sa.String()),
        sa.column("subject", sa.String()),
        sa.column("subject_id", sa.Integer()),
        sa.column("detail", sa.JSON()),
        sa.column("hash", sa.String()),
    )
    connection = op.get_bind()
    last, digest = 0, START
    for row in connection.execute(sa.select(entry).order_by(entry.c.id)).all():
        at = row.at.replace(tzinfo=UTC) if row.at.tzinfo is None else row.at.astimezone(UTC)
        moment = at.isoformat(timespec="microseconds")
        values = [row.id, moment, row.actor, None, row.verb, row.subject, row.subject_id, row.detail]
        content = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(f"{digest}\n{content}".encode()).hexdigest()
        connection.execute(sa.update(entry).where(entry.c.id == row.id).values(hash=digest))
        last = row.id
    return last, digest


def _guard() -> None:
    """Nobody changes or removes an entry, whichever program asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_entry_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_only_grows()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER audit_entry_no_{verb}")
    else:
        op.execute("DROP TRIGGER audit_entry_only_grows ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_only_grows()")
    for name in ("person_id", "at", "subject"):
        op.drop_index(f"ix_audit_entry_{name}", "audit_entry")
    with op.batch_alter_table("audit_entry") as batch:
        batch.drop_column("hash")
        batch.drop_column("person_id")
    for table in (
        "audit_head",
        "organisation_verification",
        "operator_place",
        "organisation_invitation",
        "organisation_member",
    ):
        op.drop_table(table)
    with op.batch_alter_table("organisation") as batch:
        batch.drop_column("listed")
