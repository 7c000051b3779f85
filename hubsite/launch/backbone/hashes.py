"""Files are what their hashes say, wherever they came from."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from hubsite.launch.backbone.errors import BackboneUnavailable


def check_files(folder: Path, files: Mapping[str, str], *, source: str) -> None:
    """Raise BackboneUnavailable unless `folder` holds each of `files` (name → sha256)."""
    for name, wanted in files.items():
        path = folder / name
        if not path.is_file():
            raise BackboneUnavailable(f"{source} has no file {name}.")
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != wanted:
            raise BackboneUnavailable(
                f"{name} from {source} has the sha256 {found}, not {wanted}: these are other bytes."
            )
