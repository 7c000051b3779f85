"""The database's tables, made or brought up to date when a hub starts."""

from collections.abc import Callable

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from hubsite.launch.errors import CannotStart


def bring_up_to_date(say: Callable[[str], object]) -> None:
    """Migrate if anything is pending; looking takes a fraction of a second. Raises CannotStart."""
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            say("Preparing the database …")
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotStart(
            f"The database cannot be used ({reason}); check DATABASE_URL and the disk, then start again."
        ) from None
    finally:
        connection.close()
