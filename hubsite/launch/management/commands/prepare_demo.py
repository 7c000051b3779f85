"""`manage.py prepare_demo --url URL`: what `manage.py hub` runs on its first start, once the site answers."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hubsite.core.errors import HubError
from hubsite.launch.demo import prepare


class Command(BaseCommand):
    help = "Fetch the demo's backbone, import its evaluation set, train two adapters and publish them."

    def add_arguments(self, parser: CommandParser) -> None:
        """--url and --backbone."""
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the hub runs")
        parser.add_argument("--backbone", type=Path, metavar="FOLDER", help="a local copy of the backbone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare it and say how long each part took."""
        try:
            prepare(settings.ROOT, settings.DATA_DIR, options["url"], options["backbone"], self._say)
        except HubError as error:
            raise CommandError(error.message) from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
