"""Bring a database to the schema of this version, and say whether it is there."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from techex import paths
from techex.core.database import Database
from techex.errors import DatabaseNotReady


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(paths.migrations_dir()).replace("%", "%%"))
    return config


def head() -> str:
    """The revision this version of the code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database: Database) -> str:
    """The revision the database is at; empty for a database without tables.

    Raises DatabaseNotReady where it cannot be reached.
    """
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or ""
    except OperationalError as error:
        raise DatabaseNotReady(
            f"The database at {database.engine.url.render_as_string(hide_password=True)} cannot be opened "
            f"({error.orig}). Check TECHEX_DATABASE_URL and TECHEX_DATA_DIR, and that the server runs."
        ) from error


def upgrade(database: Database, revision: str = "head") -> bool:
    """Run the missing migrations; returns whether there were any."""
    if revision == "head" and current(database) == head():
        return False
    config = _config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return True


def downgrade(database: Database, revision: str) -> None:
    """Undo migrations down to `revision` ("base" for an empty database)."""
    config = _config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def require_current(database: Database) -> None:
    """Raise DatabaseNotReady, naming the command, unless the schema is the one this version needs."""
    have, need = current(database), head()
    if have != need:
        what = "is empty" if not have else f"is at revision {have}"
        raise DatabaseNotReady(f"The database {what}, this version needs {need}. Run `techex migrate`.")
