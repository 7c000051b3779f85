"""Tokens kept on this machine, one per hub, in a file that only its owner can read."""

import os
from pathlib import Path

from adapter_lib.spec.errors import LoadError

_FILE = "token"
_OWNER_ONLY = 0o600
_MOST_BYTES = 10_000


def keep_token(folder: Path, token: str) -> Path:
    """Write a hub's token below its folder; nobody else can read it at any moment. Raises LoadError."""
    path = folder / _FILE
    new = folder / f".{_FILE}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w") as stream:
            stream.write(token)
        new.replace(path)
    except OSError as error:
        raise LoadError(f"The token could not be written to {path}: {error.strerror}.") from error
    return path


def kept_token(folder: Path) -> str | None:
    """The token that was kept, if there is one."""
    try:
        with (folder / _FILE).open() as stream:
            return stream.read(_MOST_BYTES).strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def forget_token(folder: Path) -> bool:
    """Remove the token; False if there was none. Raises LoadError."""
    path = folder / _FILE
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LoadError(f"{path} could not be removed: {error.strerror}.") from error
    return True
