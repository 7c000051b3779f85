"""`manage.py hub`: everything that a hub on one machine needs, until Ctrl-C."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from hubsite.launch.errors import CannotStart
from hubsite.launch.hub import Launch, run


class Command(BaseCommand):
    help = "Start the site, its worker and its indexer; on the first start, prepare the demo."
    # Looked at by `hubsite.launch.checks`, in sentences and in a fraction of the time.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """--no-demo, --host, --port, --data-dir, --backbone."""
        parser.add_argument("--no-demo", action="store_true", help="start without preparing the demo")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument(
            "--port", type=int, default=8000, help="0 picks a free one (default: %(default)s)"
        )
        # manage.py has taken it before settings were read; it stands here for --help and for a missing value.
        parser.add_argument("--data-dir", metavar="DIR", help="where everything is kept (HUB_DATA_DIR)")
        parser.add_argument("--backbone", type=Path, metavar="FOLDER", help="the demo's backbone, if offline")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal; exit code 1 and one sentence if it cannot start."""
        launch = Launch(
            root=settings.ROOT,
            data_dir=settings.DATA_DIR,
            host=options["host"],
            port=options["port"],
            with_demo=not options["no_demo"],
            backbone=options["backbone"],
        )
        try:
            run(launch, self._say)
        except CannotStart as error:
            self.stderr.write(error.message)
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
