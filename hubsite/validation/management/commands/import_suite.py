from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Namespace
from hubsite.core.errors import HubError
from hubsite.validation.services.suites import import_suite


class Command(BaseCommand):
    """`manage.py import_suite FOLDER --namespace NAME`."""

    help = "Bring an evaluation set (suite.yaml, train/validation/test.jsonl) onto the hub."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder and the namespace whose repo it becomes."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--namespace", required=True, help="who owns the set's repo, e.g. demo")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import as the namespace's owner and say which suite it is."""
        namespace = Namespace.objects.filter(key=options["namespace"].casefold()).first()
        if namespace is None:
            raise CommandError(f"There is no namespace {options['namespace']!r}; create the user first.")
        try:
            suite = import_suite(Actor.of_user(namespace.owner), options["folder"], namespace=namespace.name)
        except HubError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{suite} for {suite.task} is {suite.repo}@{suite.commit.sha[:8]}.")
