"""`convert --config-only`: to another library's format, of the backbone nothing but its config."""

from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file

from adapter_lib.cli.base_models import CLASSES
from adapter_lib.families import resolve
from adapter_lib.formats.archives import unpacked
from adapter_lib.formats.conversion import NATIVE, Exportable
from adapter_lib.formats.expected import check_tensors_against
from adapter_lib.formats.opening import read_foreign, write_foreign
from adapter_lib.formats.reading import read_object
from adapter_lib.formats.report import SaveReport, refuse
from adapter_lib.inject import Atlas
from adapter_lib.inspection.checkpoints import BackboneFacts, Checkpoint
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import CONFIG_FILE, HEAD_PREFIX, WEIGHTS_FILE, BackboneRef, parse_manifest
from adapter_lib.spec.safetensors_header import read_header

_NO_CONFIG = (OSError, ValueError, KeyError)
# What torch raises where somebody wants the numbers of a weight that has none.
_NO_NUMBERS = (NotImplementedError, RuntimeError)


def write_unloaded(checkpoint: Checkpoint, backbone: str, to: str, output: Path, *, use: str) -> SaveReport:
    """Write the adapter as another library's.

    Raises LoadError for our own format, which holds a digest of the backbone's weights, and for methods whose
    conversion reads these weights.
    """
    if to == NATIVE:
        raise LoadError("The native format holds a digest of the backbone's weights: drop --config-only.")
    atlas = _outline(backbone, use)
    try:
        return write_foreign(_exportable(checkpoint, atlas), output, to)
    except _NO_NUMBERS as error:
        raise LoadError(
            f"Converting {checkpoint.method} to {to} reads the backbone's weights: drop --config-only."
        ) from error


def _exportable(checkpoint: Checkpoint, atlas: Atlas) -> Exportable:
    with unpacked(checkpoint.folder) as folder:
        if checkpoint.format == NATIVE:
            return _native(folder, atlas)
        imported = read_foreign(folder, atlas)
    if imported.replaced:
        raise LoadError(
            "The file replaces parameters of the backbone itself, which another file cannot take over: "
            "drop --config-only."
        )
    return Exportable(
        name=imported.name,
        config=imported.config,
        tensors=imported.tensors,
        atlas=atlas,
        backbone=_backbone(checkpoint.backbone, atlas),
        head=imported.head,
        head_tensors=imported.head_tensors,
    )


def _native(folder: Path, atlas: Atlas) -> Exportable:
    manifest = parse_manifest(read_object(folder / CONFIG_FILE))
    problems = check_tensors_against(manifest, read_header(folder / WEIGHTS_FILE), atlas)
    if problems:
        raise refuse(folder, problems)
    tensors = load_file(folder / WEIGHTS_FILE)
    heads = {key for key in tensors if key.startswith(HEAD_PREFIX)}
    return Exportable(
        name="adapter",
        config=manifest.config,
        tensors={key: tensor for key, tensor in tensors.items() if key not in heads},
        atlas=atlas,
        backbone=manifest.backbone,
        head=manifest.head,
        head_tensors={key.removeprefix(HEAD_PREFIX): tensors[key] for key in heads},
    )


def _backbone(said: BackboneFacts, atlas: Atlas) -> BackboneRef:
    """As far as a foreign file tells; other libraries' files have no fingerprint."""
    return BackboneRef(
        id=said.id or "",
        revision=said.revision,
        fingerprint="",
        model_type=said.model_type or atlas.resolved.family.name,
        hidden_size=atlas.resolved.hidden_size,
        num_layers=atlas.num_layers,
    )


def _outline(backbone: str, use: str) -> Atlas:
    """The places of the backbone in the class for this use, its weights on the meta device."""
    auto: Any = getattr(transformers, CLASSES[use])
    try:
        config = transformers.AutoConfig.from_pretrained(backbone, trust_remote_code=False)
        with torch.device("meta"):
            model = auto.from_config(config, trust_remote_code=False)
    except _NO_CONFIG as error:
        reason = " ".join(str(error).split())[:300]
        raise LoadError(f"The config of the backbone {backbone!r} could not be loaded: {reason}") from error
    return Atlas(resolve(model), model)
