"""Bring a project's database to the schema of this version, with Alembic."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ..errors import LongtailError
from .schema import SCHEMA_VERSION

MIGRATIONS = Path(__file__).with_name("migrations")


def schema_version(connection: Connection) -> int:
    """Read the version that the file carries; 0 for an empty one."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def refuse_newer(version: int, path: Path) -> None:
    """Refuse a project that a later Longtail has written.

    Raises
    ------
    LongtailError
        The schema is newer than this version's.
    """
    if version > SCHEMA_VERSION:
        raise LongtailError(
            f"The project {path.name} was made by a newer version of Longtail "
            f"(schema {version}, this version knows {SCHEMA_VERSION}).",
            "Update Longtail to open it.",
        )


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction."""
    # Alembic takes a third of a second to import, and most openings need no migration.
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext, MigrationStep
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])

    def missing(heads: Any, _: MigrationContext) -> Iterator[MigrationStep]:
        found = list(script.iterate_revisions("head", heads or "base"))
        for revision in reversed(found):
            yield MigrationStep.upgrade_from_script(script.revision_map, revision)

    context = MigrationContext.configure(connection, opts={"fn": missing})
    with Operations.context(context):
        context.run_migrations()
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
