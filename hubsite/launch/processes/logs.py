"""Where the children's output goes."""

from pathlib import Path

_LARGEST = 10 * 1024**2


def log_file(folder: Path, name: str) -> Path:
    """`folder/name.log`; one that has grown long becomes `name.log.1`, in place of the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.log"
    if path.exists() and path.stat().st_size > _LARGEST:
        path.replace(path.with_name(f"{path.name}.1"))
    return path
