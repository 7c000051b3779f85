"""Whoever may upload may upload a backbone: the first load of its files happens in a child, as a trial."""

from pathlib import Path

from django.conf import settings

from workers.backbones import BackboneUnavailable
from workers.case import BackboneFiles
from workers.confinement import Limits
from workers.loaded import load
from workers.sandbox import Emit, End, Watch, supervise


def prove(files: BackboneFiles, work: Path, watch: Watch) -> bool:
    """Whether the files load within the limits; False when the worker is told to stop meanwhile.

    Raises BackboneUnavailable with the reason. What has passed once is not tried again.
    """
    mark = files.folder.with_name(f"{files.folder.name}.proven")
    if mark.exists():
        return True
    limits = Limits(settings.VALIDATION_SECONDS, settings.VALIDATION_MEMORY + 2 * _weight(files.folder))
    ending = supervise(_try, files.folder, folder=work, limits=limits, watch=watch)
    if ending.end == End.STOPPED:
        return False
    if ending.end != End.DONE:
        last = ending.output.strip().splitlines()[-1:] or [ending.reason]
        raise BackboneUnavailable(f"its files do not load ({last[0][:300]})")
    mark.touch()
    return True


def _try(folder: Path, emit: Emit, isolation: list[str]) -> None:
    load(folder, "cpu")


def _weight(folder: Path) -> int:
    """Bytes of the weights' files."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
