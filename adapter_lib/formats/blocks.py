"""A fusion or a route: `block_config.json` and `block.safetensors`, whose keys are roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from adapter_lib.formats import head_files
from adapter_lib.formats.atomic import files_in, write_tensors
from adapter_lib.formats.expected import Shape, head_shapes, tensor_key
from adapter_lib.formats.inspecting import Weights, check_weights, read_bytes
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.heads import HeadStore
from adapter_lib.inject import Atlas, Injection
from adapter_lib.spec.block_manifest import BLOCK_FILE, BLOCK_WEIGHTS, BlockManifest, parse_block_manifest
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.configs.block_config import BlockConfig
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.errors import AdapterLibError, LoadError, listing

Configs = Mapping[str, MethodConfig]


def save(
    injection: Injection,
    heads: HeadStore,
    folder: Path,
    block: tuple[str, str],
    origin: Origin,
    head: str | None = None,
) -> SaveReport:
    """Write a learned block, by kind and name, and a head to go with it.

    Raises LoadError if the files cannot be written or an adapter that the block was added for is gone.
    """
    manifest = describe(injection, heads, block, origin, head)
    tensors = tensors_of(injection, block) | ({} if head is None else head_files.tensors_of(heads, head))
    with files_in(folder, (BLOCK_WEIGHTS, BLOCK_FILE), f"The {block[0]} {block[1]!r}") as workshop:
        size = write_tensors(tensors, workshop / BLOCK_WEIGHTS)
        (workshop / BLOCK_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return SaveReport(folder, block[1], len(tensors), size)


def describe(
    injection: Injection, heads: HeadStore, block: tuple[str, str], origin: Origin, head: str | None = None
) -> BlockManifest:
    """What a block's file says. Raises LoadError if an adapter that it was added for is gone."""
    config, names = injection.blocks[block]
    if not isinstance(config, BlockConfig):
        raise LoadError(f"{config.name()} describes no {block[0]}.")
    gone = [name for name in names if name not in injection.configs]
    if gone:
        raise LoadError(
            f"The {block[0]} {block[1]!r} was added for {gone[0]!r}, which is not on this model any more."
        )
    children = next(iter(injection.block_parts(*block).values())).count
    spec = None if head is None else heads.get(head).spec
    return BlockManifest(*block, config, names, children, origin, head, spec)


@dataclass(frozen=True)
class InspectedBlock:
    """A block's folder, read as far as its header and found fit for a model."""

    manifest: BlockManifest
    weights: Weights


def inspect(atlas: Atlas, folder: Path, known: Configs, kind: str, *, strict: bool) -> InspectedBlock:
    """Read and check a block's folder against a model's places.

    known: the configs of the adapters, by the names that the file has for them.
    Raises LoadError if it is of another kind or one of its adapters is not known, else as `native.inspect`.
    """
    manifest = parse_block_manifest(read_bytes(folder / BLOCK_FILE))
    if manifest.kind != kind:
        raise LoadError(f"{folder} holds the {manifest.kind} {manifest.name!r}, not a {kind}.")
    missing = [name for name in manifest.adapters if name not in known]
    if missing:
        raise LoadError(
            f"The {manifest.kind} in {folder} combines {listing(manifest.adapters)}; {listing(missing)} is "
            "not on this model: load that first, or say with rename= what it is called here."
        )
    weights = check_weights(
        folder / BLOCK_WEIGHTS,
        lambda: expected_of_block(manifest, known, atlas),
        manifest.origin,
        atlas,
        strict=strict,
        counted=manifest.config.counted,
    )
    return InspectedBlock(manifest, weights)


def expected_of_block(manifest: BlockManifest, known: Configs, atlas: Atlas) -> dict[str, Shape]:
    """Keys and shapes of every tensor of a block: it is wherever one of its adapters is.

    Raises FamilyError or ConfigError for a place that cannot have it.
    """
    found: dict[str, Shape] = {}
    for name in manifest.adapters:
        for spot in atlas.find_all(known[name]):
            shapes = manifest.config.block_shapes(spot.place, manifest.children)
            found |= {tensor_key(spot.key, tensor): shape for tensor, shape in shapes.items()}
    if manifest.head is not None:
        found |= head_shapes(manifest.head, atlas.resolved.hidden_size)
    return found


def attach(
    found: InspectedBlock,
    injection: Injection,
    heads: HeadStore,
    name: str,
    adapters: tuple[str, ...],
    like: Tensor,
) -> LoadReport:
    """Add an inspected block under a name that is free, for adapters as they are called here, and its head.

    Raises AdapterLibError, and then neither is there.
    """
    manifest, block = found.manifest, (found.manifest.kind, name)
    injection.add_block(*block, manifest.config, adapters, manifest.children)
    try:
        targets = tensors_of(injection, block)
        if manifest.head is not None and manifest.head_name is not None:
            head_files.make(heads, manifest.head_name, manifest.head, like)
            targets |= head_files.tensors_of(heads, manifest.head_name)
        found.weights.fill(targets)
    except AdapterLibError:
        injection.remove_block(*block)
        if manifest.head_name in heads.names():
            heads.remove(str(manifest.head_name))
        raise
    return found.weights.report(name)


def tensors_of(injection: Injection, block: tuple[str, str]) -> dict[str, Tensor]:
    """A block's parameters, and what it counts in training, by their key in a file."""
    return {
        tensor_key(key, name): value
        for key, part in injection.block_parts(*block).items()
        for name, value in part.state_dict(keep_vars=True).items()
    }
