"""The native format: `adapter_config.json` and `adapter.safetensors`, whose keys are roles.

Loading reads the manifest and the file's header first; only when both are sound and fit the model is anything
allocated. Nothing from the files is ever executed.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from adapter_lib.formats.expected import (
    Problem,
    check_tensors_against,
    shared_key,
    tensor_key,
)
from adapter_lib.formats.fingerprint import fingerprint
from adapter_lib.formats.report import LoadReport, SaveReport, refuse
from adapter_lib.heads import ClassificationHead, HeadStore
from adapter_lib.inject import Atlas, Injection
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import (
    CONFIG_FILE,
    HEAD_PREFIX,
    MAX_BYTES,
    WEIGHTS_FILE,
    BackboneRef,
    Manifest,
    parse_manifest,
)
from adapter_lib.spec.safetensors_header import Header, read_header
from adapter_lib.version import __version__

__all__ = [
    "Inspected",
    "attach",
    "fingerprint",
    "inspect",
    "read_manifest",
    "save",
]


def save(
    injection: Injection, head: ClassificationHead | None, folder: Path, name: str, backbone: BackboneRef
) -> SaveReport:
    """Write an adapter and its head; each file appears whole or not at all.

    Raises LoadError if it cannot be.
    """
    named = _named_tensors(injection, head, name)
    tensors = {key: value.detach().contiguous() for key, value in named.items()}
    manifest = _describe(injection, head, name, backbone)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as workshop:
            weights, config = Path(workshop) / WEIGHTS_FILE, Path(workshop) / CONFIG_FILE
            save_file(tensors, weights, metadata={"format": "pt"})
            config.write_text(manifest.to_json(), encoding="utf-8")
            weights.replace(folder / WEIGHTS_FILE)
            config.replace(folder / CONFIG_FILE)
    except (OSError, SafetensorError) as error:
        raise LoadError(f"The adapter {name!r} could not be written to {folder}: {error}.") from error
    return SaveReport(folder, name, len(tensors), (folder / WEIGHTS_FILE).stat().st_size)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises LoadError if the file is not there or too long, ManifestError if it is bad.
    """
    path = folder / CONFIG_FILE
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise LoadError(
            f"{path} cannot be read: {error.strerror}. Is this the folder of an adapter?"
        ) from error
    return parse_manifest(data)


@dataclass(frozen=True)
class Inspected:
    """An adapter's folder, read as far as its header and found fit for a model; nothing is allocated yet."""

    folder: Path
    manifest: Manifest
    header: Header
    problems: tuple[Problem, ...]
    other_backbone: str | None


def inspect(atlas: Atlas, folder: Path, *, strict: bool) -> Inspected:
    """Read and check an adapter's folder against a model's places.

    Raises LoadError, ManifestError or HeaderError for files that are unreadable or made for another
    architecture; with `strict` also for any tensor that is missing, unexpected or of a wrong shape, and for
    a backbone with other weights.
    """
    manifest, header = read_manifest(folder), _read_header(folder)
    problems = check_tensors_against(manifest, header, atlas)
    if problems and (strict or problems[0].kind == "backbone"):
        raise refuse(folder, problems)
    other = _other_backbone(manifest, atlas)
    if other and strict:
        raise LoadError(f"{other} strict=False loads it all the same.")
    return Inspected(folder, manifest, header, tuple(problems), other)


def attach(found: Inspected, injection: Injection, heads: HeadStore, name: str, like: Tensor) -> LoadReport:
    """Attach an inspected adapter, and its head, under a name."""
    manifest = found.manifest
    report = _report(name, found)
    injection.attach(name, manifest.config, initialise=bool(found.problems))
    head = heads.add(name, manifest.head, like) if manifest.head else None
    _fill(_named_tensors(injection, head, name), found.folder / WEIGHTS_FILE, report.matched)
    return report


def _read_header(folder: Path) -> Header:
    path = folder / WEIGHTS_FILE
    try:
        return read_header(path)
    except OSError as error:
        raise LoadError(
            f"{path} cannot be read: {error.strerror}. Is this the folder of an adapter?"
        ) from error


def _named_tensors(injection: Injection, head: ClassificationHead | None, name: str) -> dict[str, Tensor]:
    """An adapter's parameters by their key in the file."""
    found: dict[str, Tensor] = {}
    for key, part in injection.parts(name).items():
        for tensor, value in part.named_parameters():
            found[tensor_key(key, tensor)] = value
    for number, shared in injection.shared_parts(name).items():
        for tensor, value in shared.named_parameters():
            found[shared_key(number, tensor)] = value
    for tensor, value in head.named_parameters() if head else ():
        found[HEAD_PREFIX + tensor] = value
    return found


def _describe(
    injection: Injection, head: ClassificationHead | None, name: str, backbone: BackboneRef
) -> Manifest:
    config, family = injection.configs[name], injection.atlas.resolved.family
    return Manifest(
        method=config.method,
        config=config,
        family=family.name,
        role_table=family.role_table(),
        backbone=backbone,
        head=head.spec if head else None,
        library_version=__version__,
    )


def _other_backbone(manifest: Manifest, atlas: Atlas) -> str | None:
    """One sentence if the weights are not those the adapter was made for."""
    here = fingerprint(atlas)
    if here == manifest.backbone.fingerprint:
        return None
    made_for = manifest.backbone.id or "a backbone without a name"
    return (
        f"The adapter was made for {made_for} (fingerprint {manifest.backbone.fingerprint[:12]}), "
        f"but this model's weights have the fingerprint {here[:12]}."
    )


def _report(name: str, found: Inspected) -> LoadReport:
    def keys(*kinds: str) -> tuple[str, ...]:
        return tuple(problem.key for problem in found.problems if problem.kind in kinds)

    bad = keys("unexpected", "wrong_shape", "wrong_dtype")
    return LoadReport(
        name=name,
        matched=tuple(tensor.name for tensor in found.header.tensors if tensor.name not in bad),
        missing=keys("missing"),
        unexpected=keys("unexpected"),
        wrong_shape=keys("wrong_shape", "wrong_dtype"),
        other_backbone=found.other_backbone,
    )


def _fill(targets: Mapping[str, Tensor], path: Path, keys: Sequence[str]) -> None:
    with safe_open(path, framework="pt") as file, torch.no_grad():
        for key in keys:
            targets[key].copy_(file.get_tensor(key))
