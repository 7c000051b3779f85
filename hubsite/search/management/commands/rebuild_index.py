from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import rebuild


class Command(BaseCommand):
    """Write the search index anew from the database, beside the one in use, and switch to it."""

    help = __doc__ or ""
    # The index needs models and settings; whether the site's routes are sound is not its question.
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        folder = IndexFolder.configured()
        try:
            written = rebuild(folder, Event())
        except OSError as error:
            raise CommandError(
                f"The search index cannot be written to {folder.root} ({error.strerror}); "
                "set HUB_DATA_DIR to a folder that can be written."
            ) from None
        self.stdout.write(f"The search index holds {written} adapter{'' if written == 1 else 's'}.")
