"""Folders that commands write to."""

from pathlib import Path

from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import CONFIG_FILE

_TAKEN = {CONFIG_FILE: "an adapter", "config.json": "a model"}


def check_free(output: Path, *, overwrite: bool) -> Path:
    """The folder, its `~` resolved. Raises LoadError for a file, and for a folder that holds something."""
    folder = output.expanduser()
    if folder.exists() and not folder.is_dir():
        raise LoadError(f"{folder} is a file: name a folder.")
    held = next((what for name, what in _TAKEN.items() if (folder / name).exists()), None)
    if held is not None and not overwrite:
        raise LoadError(f"{folder} holds {held} already: name another folder, or add --overwrite.")
    return folder
