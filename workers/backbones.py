"""Where a backbone comes from: a repo on this hub, a folder named in the settings, the upstream hub."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from hubsite.core.errors import RevisionNotFound
from hubsite.registry.models import Backbone, Commit
from hubsite.registry.selectors.published import latest
from hubsite.registry.selectors.revisions import find_commit
from workers.case import BackboneFiles
from workers.confinement import Limits
from workers.materialise import kept_folder
from workers.sandbox import Emit, End, Watch, supervise

# What a model and its tokenizer are read from; everything else in a repo stays where it is.
WANTED = re.compile(
    r"(config|generation_config|special_tokens_map|added_tokens|vocab|tokenizer|tokenizer_config)\.json"
    r"|model.*\.safetensors|model\.safetensors\.index\.json|merges\.txt|vocab\.txt|[a-z_.]+\.model"
)
_PATTERNS = [
    "config.json", "generation_config.json", "model*.safetensors", "model.safetensors.index.json",
    "tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model",
]  # fmt: skip
_HANDSHAKE_SECONDS = 5


class BackboneMissing(Exception):  # noqa: N818 - an absence, not an error
    """No source knows the backbone."""


class BackboneUnavailable(Exception):  # noqa: N818 - a state of the hub, not an error of anyone's
    """A source should have the backbone and did not give it; the message says why."""


def at_hand(backbone: Backbone, revision: str) -> BackboneFiles | None:
    """The backbone from this hub or this machine, without any transfer; None if neither has it.

    Raises StorageError.
    """
    if backbone.repo is not None:
        commit = _commit(backbone, revision)
        if commit is not None:
            folder = kept_folder(commit, Path(settings.DATA_DIR, "backbones"), _is_wanted)
            return BackboneFiles(backbone.name, commit.sha, folder, f"{backbone.repo.full_name} on this hub")
    return _in_folder(backbone)


def from_upstream(backbone: Backbone, revision: str, work: Path, watch: Watch) -> BackboneFiles:
    """Download from the upstream hub, in a child that may use the network and nothing else of ours.

    Raises BackboneMissing where upstream has no such model or HF_HUB_OFFLINE says that there is no upstream,
    BackboneUnavailable where it cannot be reached.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        raise BackboneMissing(backbone.name)
    answers: list[bytes] = []
    limits = Limits(settings.VALIDATION_SECONDS, settings.VALIDATION_MEMORY, 64 * 1024**3, network=True)
    order = _Order(
        backbone.name, revision, Path(settings.DATA_DIR, "upstream"), os.environ.get("HF_ENDPOINT")
    )
    listening = Watch(answers.append, watch.on_pulse, watch.stopping)
    ending = supervise(_download, order, folder=work, limits=limits, watch=listening)
    answer = answers[-1].decode("utf-8", "replace") if answers else ending.reason
    kind, _, rest = answer.partition(" ")
    if ending.end == End.DONE and kind == "folder":
        return BackboneFiles(backbone.name, Path(rest).name, Path(rest), "the upstream hub")
    if kind == "missing":
        raise BackboneMissing(backbone.name)
    raise BackboneUnavailable(rest or answer)


def _commit(backbone: Backbone, revision: str) -> Commit | None:
    """The revision an adapter names if it is one of this hub's repo, else the newest."""
    if backbone.repo is None:
        return None
    if revision:
        try:
            return find_commit(backbone.repo, revision)
        except RevisionNotFound:  # an upstream revision: the hub's copy has its own
            pass
    return latest(backbone.repo)


def _is_wanted(path: str) -> bool:
    return WANTED.fullmatch(path) is not None


def _in_folder(backbone: Backbone) -> BackboneFiles | None:
    if not settings.BACKBONE_DIR:
        return None
    root = Path(settings.BACKBONE_DIR).resolve()
    for name in (backbone.name, *backbone.aliases):
        folder = (root / name).resolve()
        if folder.is_relative_to(root) and (folder / "config.json").is_file():
            return BackboneFiles(backbone.name, _state_of(folder), folder, f"the folder {name}")
    return None


def _state_of(folder: Path) -> str:
    """A word that changes with the folder's files: their names, sizes and times."""
    facts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.iterdir())]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


@dataclass(frozen=True)
class _Order:
    """What to download, where to, and from which endpoint if not the usual one."""

    name: str
    revision: str
    cache: Path
    endpoint: str | None


def _download(order: _Order, emit: Emit, isolation: list[str]) -> None:
    """In the child: say `folder PATH`, `missing NAME` or `unreachable REASON`."""
    os.environ.pop("HF_HUB_OFFLINE", None)
    # Read from the environment when it is imported, so not before the line above.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        folder = snapshot_download(
            order.name,
            revision=order.revision or None,
            cache_dir=order.cache,
            endpoint=order.endpoint,
            allow_patterns=_PATTERNS,
            etag_timeout=_HANDSHAKE_SECONDS,
            token=False,
        )
    except (RepositoryNotFoundError, RevisionNotFoundError):
        emit(f"missing {order.name}".encode())
    except OSError as error:  # all else that huggingface_hub raises, and all of the network
        emit(f"unreachable {type(error).__name__}: the upstream hub did not answer".encode())
    else:
        emit(f"folder {folder}".encode())
