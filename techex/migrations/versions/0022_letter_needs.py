"""Letters say what their reader must still be allowed when they leave; those that may not leave are dropped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_BEFORE = "state IN ('waiting', 'sending', 'sent', 'failed')"
_AFTER = "state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')"


def upgrade() -> None:
    with op.batch_alter_table("letter") as batch:
        batch.add_column(sa.Column("needs", sa.JSON(), nullable=False, server_default="{}"))
        batch.drop_constraint("ck_letter_state", type_="check")
        batch.create_check_constraint("ck_letter_state", _AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM letter WHERE state = 'dropped'")
    with op.batch_alter_table("letter") as batch:
        batch.drop_constraint("ck_letter_state", type_="check")
        batch.create_check_constraint("ck_letter_state", _BEFORE)
        batch.drop_column("needs")
