"""What a hub said of the exact revisions that lie in the cache, so that they can be loaded without it."""

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from adapter_lib.hub.answers import PUBLISHED, Resolution, resolution
from adapter_lib.hub.settings import Hub
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.strict_json import StrictJsonError, loads

_MAX_ITEMS = 100_000


def remember(hub: Hub, found: Resolution) -> None:
    """Keep the answer for a published revision; without a writable cache this does nothing."""
    if found.choice.state != PUBLISHED:
        return
    answer = {
        "kind": found.kind,
        "choice": asdict(found.choice) | {"files": [asdict(file) for file in found.files]},
        "candidates": [],
        "total": 1,
    }
    path = _path(hub, found.choice.id, found.choice.revision)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as stream:
            json.dump(answer, stream)
        os.replace(stream.name, path)
    except OSError:
        return


def recall(hub: Hub, repo_id: str, revision: str) -> Resolution | None:
    """The answer that was kept for `repo_id` at a full commit sha, or None."""
    try:
        text = _path(hub, repo_id, revision).read_bytes()
        return resolution(Fields(loads(text, max_items=_MAX_ITEMS)))
    except (OSError, StrictJsonError, FieldError):
        return None


def _path(hub: Hub, repo_id: str, revision: str) -> Path:
    # Ids are unique without regard to case.
    return hub.cache / "resolved" / repo_id.lower().replace("/", "--") / f"{revision}.json"
