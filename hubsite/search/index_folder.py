"""Where the index lives: generations side by side, and one small file that names the one in use."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from django.conf import settings

from hubsite.search.schema import VERSION

_POINTER = "current"
_LOCK = "lock"
_LOCK_POLL_SECONDS = 0.1


class IndexFolder:
    """A folder with index generations `v<schema version>-<word>`; readers follow the pointer file.

    Only a holder of `writing()` may change a generation or the pointer. The lock is the kernel's, so a killed
    process leaves none behind.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def configured(cls) -> "IndexFolder":
        """The folder that settings.SEARCH_INDEX_DIR names; it need not exist."""
        return cls(Path(settings.SEARCH_INDEX_DIR))

    @property
    def pointer(self) -> Path:
        return self.root / _POINTER

    def current(self) -> Path | None:
        """The generation in use, or None while there is none of this schema version."""
        try:
            name = self.pointer.read_text().strip()
        except FileNotFoundError:
            return None
        path = self.root / name
        return path if name.startswith(f"v{VERSION}-") and (path / "meta.json").exists() else None

    @contextmanager
    def writing(self, stop: Event | None = None) -> Iterator[bool]:
        """Hold the folder's lock; yields False when `stop` was set before it could be had."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / _LOCK).open("w") as handle:
            yield _acquire(handle.fileno(), stop or Event())

    def new_generation(self) -> Path:
        """An empty folder beside the one in use; what an interrupted rebuild left is removed first."""
        self._remove_all_but(self.current())
        path = self.root / f"v{VERSION}-{uuid.uuid4().hex[:12]}"
        path.mkdir()
        return path

    def switch_to(self, generation: Path) -> None:
        """Make `generation` the one in use, in one step, and remove the others.

        Readers that still have an older one open keep its mapped files until they reload.
        """
        fresh = self.root / f"{_POINTER}.new"
        with fresh.open("w") as file:
            file.write(generation.name + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.pointer)
        self._remove_all_but(generation)

    def _remove_all_but(self, keep: Path | None) -> None:
        for path in self.root.glob("v*-*"):
            if path != keep:
                shutil.rmtree(path, ignore_errors=True)


def _acquire(descriptor: int, stop: Event) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if stop.wait(_LOCK_POLL_SECONDS):
                return False
        else:
            return True
