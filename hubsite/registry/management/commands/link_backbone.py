"""`manage.py link_backbone REPO NAME`: make a repository the hub's own copy of an upstream model."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hubsite.registry.models import Repo, RepoKind
from hubsite.registry.services.backbones import link


class Command(BaseCommand):
    help = "Make a repository of this hub its own copy of an upstream model, under that model's names."

    def add_arguments(self, parser: CommandParser) -> None:
        """REPO, NAME, --alias."""
        parser.add_argument("repo", metavar="REPO", help="namespace/name on this hub")
        parser.add_argument("name", metavar="NAME", help="the model's upstream id")
        parser.add_argument("--alias", action="append", default=[], help="another name; may be repeated")

    def handle(self, *args: Any, **options: Any) -> str:
        """What is now known under which names."""
        namespace, _, name = options["repo"].casefold().partition("/")
        repo = (
            Repo.objects.filter(namespace__key=namespace, key=name, kind=RepoKind.BACKBONE)
            .select_related("namespace")
            .first()
        )
        if repo is None:
            raise CommandError(f"There is no backbone {options['repo']} on this hub; upload the model first.")
        backbone = link(repo, name=options["name"], aliases=options["alias"])
        return f"{repo.full_name} is {backbone.name}, also called {', '.join(backbone.aliases)}."
