"""The signing key: from the environment, else made once and kept in the data folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from hubsite.settings import env


def secret_key(data_dir: Path) -> str:
    """`HUB_SECRET_KEY`, or the content of `secret_key` in the data folder, made with mode 600 if missing."""
    configured = env.text("HUB_SECRET_KEY")
    if configured:
        return configured
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {data_dir} cannot be used ({error.strerror}); set HUB_DATA_DIR to one that can."
        ) from None


def _create(path: Path) -> None:
    """Several processes may start at once: each writes its own file, and the first link wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
