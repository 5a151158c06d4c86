"""Alembic's entry: runs on the connection that `techex.migrations.run` hands over."""

from alembic import context

from techex.core.database import Base
from techex.migrations.metadata import import_tables

import_tables()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
