from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import rebuild


class Command(BaseCommand):
    """Write the search index anew from the database, beside the one in use, and switch to it."""

    help = __doc__ or ""

    def handle(self, **options: Any) -> None:
        written = rebuild(IndexFolder.configured(), Event())
        self.stdout.write(f"The search index holds {written} adapter{'' if written == 1 else 's'}.")
