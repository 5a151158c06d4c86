"""Values that all rows of an import share, and the listings that its rows look like."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("import_columns", "import_run"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("constants", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("import_run") as batch:
        batch.add_column(sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("import_row") as batch:
        batch.add_column(sa.Column("twin_id", sa.Integer(), nullable=True))
        batch.create_foreign_key("fk_import_row_twin_id_listing", "listing", ["twin_id"], ["id"], ondelete="SET NULL")
        batch.create_index("ix_import_row_twin_id", ["twin_id"])


def downgrade() -> None:
    with op.batch_alter_table("import_row") as batch:
        batch.drop_index("ix_import_row_twin_id")
        batch.drop_constraint("fk_import_row_twin_id_listing", type_="foreignkey")
        batch.drop_column("twin_id")
    with op.batch_alter_table("import_run") as batch:
        batch.drop_column("compared_at")
    for table in ("import_columns", "import_run"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("constants")
