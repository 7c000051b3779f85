"""A head alone: `head_config.json` and `head.safetensors`, with the keys that it has beside an adapter."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from adapter_lib.formats.atomic import files_in, write_tensors
from adapter_lib.formats.expected import head_shapes
from adapter_lib.formats.inspecting import Weights, check_weights, read_bytes
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.heads import HeadStore
from adapter_lib.inject import Atlas
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.head_manifest import HEAD_FILE, HEAD_WEIGHTS, HeadManifest, parse_head_manifest
from adapter_lib.spec.manifest import HEAD_PREFIX, HeadSpec


def save(heads: HeadStore, folder: Path, name: str, origin: Origin) -> SaveReport:
    """Write a head. Raises UnknownNameError, or LoadError if it cannot be written."""
    tensors = tensors_of(heads, name)
    manifest = HeadManifest(name, heads.get(name).spec, origin)
    with files_in(folder, (HEAD_WEIGHTS, HEAD_FILE), f"The head {name!r}") as workshop:
        size = write_tensors(tensors, workshop / HEAD_WEIGHTS)
        (workshop / HEAD_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return SaveReport(folder, name, len(tensors), size)


@dataclass(frozen=True)
class InspectedHead:
    """A head's folder, read as far as its header and found fit for a model."""

    manifest: HeadManifest
    weights: Weights


def inspect(atlas: Atlas, folder: Path, *, strict: bool) -> InspectedHead:
    """Read and check a head's folder against a model; raises as `native.inspect` does."""
    manifest = parse_head_manifest(read_bytes(folder / HEAD_FILE))
    weights = check_weights(
        folder / HEAD_WEIGHTS,
        lambda: head_shapes(manifest.head, atlas.resolved.hidden_size),
        manifest.origin,
        atlas,
        strict=strict,
    )
    return InspectedHead(manifest, weights)


def attach(found: InspectedHead, heads: HeadStore, name: str, like: Tensor) -> LoadReport:
    """Make an inspected head under a name that is free. Raises AdapterLibError, and then it is not there."""
    make(heads, name, found.manifest.head, like)
    try:
        found.weights.fill(tensors_of(heads, name))
    except AdapterLibError:
        heads.remove(name)
        raise
    return found.weights.report(name)


def make(heads: HeadStore, name: str, spec: HeadSpec, like: Tensor) -> None:
    """Make a head with its starting values."""
    heads.add(name, spec, like)


def tensors_of(heads: HeadStore, name: str) -> dict[str, Tensor]:
    """A head's parameters by their key in a file."""
    return {HEAD_PREFIX + key: value for key, value in heads.get(name).named_parameters()}
