import os
import signal
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hubsite.search.following import follow
from hubsite.search.index_folder import IndexFolder


class Command(BaseCommand):
    """Follow the outbox and keep the search index up to date, until SIGTERM or Ctrl-C or the parent's end."""

    help = __doc__ or ""
    # The index needs models and settings; whether the site's routes are sound is not its question.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--parent",
            type=int,
            default=os.getppid(),
            help="The supervisor's process id, if it may be gone before this command is up.",
        )

    def handle(self, **options: Any) -> None:
        stop = Event()

        def ask_to_stop(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        follow(IndexFolder.configured(), stop, options["parent"])
