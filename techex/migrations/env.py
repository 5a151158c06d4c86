"""Alembic's entry: runs on the connection that `techex.migrations.run` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from techex.core.database import Base, UTCDateTime
from techex.migrations.metadata import import_tables


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """How a column type of ours is written in a migration."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


import_tables()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
