"""Celery's broker that needs no server: a folder of message files.

kombu's own folder transport creates a message file first and fills it later, and takes messages by way of
the system's temporary folder. A consumer can so meet an empty message, or copy one across file systems while
another consumer does the same. Here a message appears whole and is taken by one rename.
"""

import json
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem

_PATIENCE = 0.5


class Channel(filesystem.Channel):
    """kombu's channel with messages that are written and taken in one step."""

    # kombu names this parameter differently in its two base classes.
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}"
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(json.dumps(payload))
        unfinished.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        suffix = f".{queue}.msg"
        for name in sorted(entry for entry in os.listdir(folder) if entry.endswith(suffix)):
            taken = folder / f"{name}.taken-{uuid.uuid4().hex}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another consumer was faster
            payload = json.loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty


class Transport(filesystem.Transport):
    """Registered under the `filesystem` scheme by `hubsite.core.queue`."""

    Channel = Channel
    # Seconds between two looks at the folder.
    polling_interval = 0.2

    # kombu gives this method two signatures in its two base classes.
    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]
        """Wait for a message, but not for long: a worker asks only in between whether it should stop."""
        super().drain_events(connection, min(timeout or _PATIENCE, _PATIENCE))  # type: ignore[no-untyped-call]
