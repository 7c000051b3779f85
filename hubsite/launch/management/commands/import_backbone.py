"""`manage.py import_backbone [NAME] [--from FOLDER]`: the hub's own copy of a backbone."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hubsite.core.errors import HubError
from hubsite.launch.backbone.hashes import check_files
from hubsite.launch.backbone.obtain import obtained
from hubsite.launch.backbone.recipes import MINILM, RECIPES, Recipe
from hubsite.launch.backbone.store import store, stored_revision


class Command(BaseCommand):
    help = "Fetch a backbone, check its files against their known hashes, and store it as a repository."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME and --from."""
        parser.add_argument("name", nargs="?", default=MINILM.name, choices=list(RECIPES), metavar="NAME")
        parser.add_argument("--from", dest="folder", type=Path, help="a local folder that holds its files")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import it unless the hub has it already."""
        recipe = RECIPES[options["name"]]
        revision = stored_revision(recipe.name)
        try:
            state = "is in the hub already" if revision else "is now in the hub"
            revision = revision or self._import(recipe, options["folder"])
        except HubError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{recipe.name} {state}, at revision {revision[:8]}.")

    def _import(self, recipe: Recipe, folder: Path | None) -> str:
        if folder is not None:
            check_files(folder, recipe.files, source=str(folder))
            return store(recipe, folder)
        with obtained(recipe, configured=settings.BACKBONE_DIR, say=self._say) as found:
            return store(recipe, found)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
