"""The native format: `adapter_config.json` and `adapter.safetensors`, whose keys are roles.

Loading reads the manifest and the file's header first; only when both are sound and fit the model is anything
allocated. Nothing from the files is ever executed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from adapter_lib.formats.atomic import files_in, write_tensors
from adapter_lib.formats.conversion import parameters_of
from adapter_lib.formats.expected import expected_shapes
from adapter_lib.formats.fingerprint import fingerprint
from adapter_lib.formats.inspecting import Weights, check_weights, read_bytes
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.heads import Head, HeadStore
from adapter_lib.inject import Atlas, Injection
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.errors import AdapterLibError, LoadError
from adapter_lib.spec.manifest import (
    CONFIG_FILE,
    HEAD_PREFIX,
    WEIGHTS_FILE,
    BackboneRef,
    Manifest,
    parse_manifest,
)
from adapter_lib.spec.setup_manifest import SETUP_FILE
from adapter_lib.version import __version__

__all__ = [
    "Inspected",
    "attach",
    "fingerprint",
    "inspect",
    "origin_of",
    "read_manifest",
    "save",
]


def save(
    injection: Injection, head: Head[Any] | None, folder: Path, name: str, backbone: BackboneRef
) -> SaveReport:
    """Write an adapter and its head; each file appears whole or not at all.

    Raises LoadError if it cannot be.
    """
    tensors = _named_tensors(injection, head, name)
    manifest = _describe(injection, head, name, backbone)
    with files_in(folder, (WEIGHTS_FILE, CONFIG_FILE), f"The adapter {name!r}") as workshop:
        size = write_tensors(tensors, workshop / WEIGHTS_FILE)
        (workshop / CONFIG_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return SaveReport(folder, name, len(tensors), size)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises LoadError if the file is not there or too long, ManifestError if it is bad.
    """
    if (folder / SETUP_FILE).is_file() and not (folder / CONFIG_FILE).exists():
        raise LoadError(f"{folder} holds a whole set-up: load_adapter_setup() loads it.")
    return parse_manifest(read_bytes(folder / CONFIG_FILE))


@dataclass(frozen=True)
class Inspected:
    """An adapter's folder, read as far as its header and found fit for a model; nothing is allocated yet."""

    manifest: Manifest
    weights: Weights


def inspect(atlas: Atlas, folder: Path, *, strict: bool) -> Inspected:
    """Read and check an adapter's folder against a model's places.

    Raises LoadError, ManifestError or HeaderError for files that are unreadable or made for another
    architecture; with `strict` also for any tensor that is missing, unexpected or of a wrong shape, and for
    a backbone with other weights.
    """
    manifest = read_manifest(folder)
    weights = check_weights(
        folder / WEIGHTS_FILE, lambda: expected_shapes(manifest, atlas), manifest, atlas, strict=strict
    )
    return Inspected(manifest, weights)


def attach(found: Inspected, injection: Injection, heads: HeadStore, name: str, like: Tensor) -> LoadReport:
    """Attach an inspected adapter, and its head, under a name that is free.

    Raises AdapterLibError, and then neither is there.
    """
    manifest = found.manifest
    injection.attach(name, manifest.config, initialise=bool(found.weights.problems))
    try:
        head = heads.add(name, manifest.head, like) if manifest.head else None
        found.weights.fill(_named_tensors(injection, head, name))
    except AdapterLibError:
        injection.remove(name)
        if name in heads.names():
            heads.remove(name)
        raise
    return found.weights.report(name)


def origin_of(atlas: Atlas, backbone: BackboneRef) -> Origin:
    """What files that are written now say of the model that they are made for."""
    family = atlas.resolved.family
    return Origin(family.name, family.role_table(), backbone, __version__)


def _named_tensors(injection: Injection, head: Head[Any] | None, name: str) -> dict[str, Tensor]:
    """An adapter's parameters by their key in the file."""
    own = dict(head.named_parameters()) if head is not None else {}
    return parameters_of(injection, name) | {HEAD_PREFIX + key: value for key, value in own.items()}


def _describe(injection: Injection, head: Head[Any] | None, name: str, backbone: BackboneRef) -> Manifest:
    config, origin = injection.configs[name], origin_of(injection.atlas, backbone)
    return Manifest(
        method=config.method,
        config=config,
        family=origin.family,
        role_table=origin.role_table,
        backbone=origin.backbone,
        head=head.spec if head else None,
        library_version=origin.library_version,
    )
