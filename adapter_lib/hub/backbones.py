"""Backbones: what a model in memory is called, and how an adapter's own one is brought."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapter_lib.hub.answers import BackboneChoice
from adapter_lib.hub.errors import HubUnreachableError
from adapter_lib.hub.settings import Hub
from adapter_lib.hub.transfer import BACKBONE_FILES, NoSuchRevisionError, fetch
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.ids import IdError, check_repo_name

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Where huggingface_hub keeps a snapshot: models--NAMESPACE--NAME/snapshots/SHA.
_SNAPSHOT = re.compile(r"models--((?:[^/\\]+?--)?[^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})[/\\]?$")


@dataclass(frozen=True)
class KnownBackbone:
    """A model's id, and the revision it was loaded at if that is known."""

    id: str
    revision: str | None


def known_backbone(model: "PreTrainedModel") -> KnownBackbone | None:
    """What `model` was loaded from, if that was a hub or a hub's cache."""
    source = str(model.config.name_or_path or "")
    snapshot = _SNAPSHOT.search(source)
    if snapshot:
        return KnownBackbone(snapshot[1].replace("--", "/", 1), snapshot[2])
    if not source or Path(source).exists() or not _is_model_id(source):
        return None
    return KnownBackbone(source, getattr(model.config, "_commit_hash", None))


def fetch_backbone(
    hub: Hub, backbone: BackboneChoice | None, adapter: str, *, is_offline: bool = False
) -> Path:
    """The folder of an adapter's backbone, the hub's own copy if it has one. Raises HubError, LoadError."""
    if backbone is None:
        raise LoadError(f"{adapter} does not say which backbone it is for: load that, and give it as model=.")
    if not _is_model_id(backbone.repo or backbone.id):
        raise LoadError(f"{adapter} names a backbone that is no model id: load it, and give it as model=.")
    place, repo_id = (None, backbone.id) if backbone.repo is None else (hub, backbone.repo)
    # That our hub does not answer says nothing about the upstream one.
    offline = is_offline and place is not None
    try:
        return fetch(place, repo_id, backbone.revision, BACKBONE_FILES, offline=offline)
    except (NoSuchRevisionError, HubUnreachableError):
        # A hub's copy has other revisions than the upstream model, and the adapter may name either; offline
        # there is the one under which it was kept. Attaching compares the weights' fingerprints in any case.
        return fetch(place, repo_id, None, BACKBONE_FILES, offline=offline)


def _is_model_id(text: str) -> bool:
    namespace, slash, name = text.partition("/")
    try:
        check_repo_name(namespace if slash else None, name if slash else namespace)
    except IdError:
        return False
    return True
