"""Which tensors a native adapter must hold, from its manifest and the backbone's config.json alone.

No torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.families import family_of
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.manifest import HEAD_PREFIX, HeadSpec, Manifest
from adapter_lib.spec.safetensors_header import Header

FLOAT_DTYPES = ("F16", "BF16", "F32", "F64")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an adapter's tensors.

    kind: `backbone`, `missing`, `unexpected`, `wrong_shape` or `wrong_dtype`; key: the tensor, empty for
    `backbone`.
    """

    kind: str
    key: str
    message: str


def tensor_key(layer: int, role: str, tensor: str) -> str:
    """The key of one tensor in an adapter's file: `layers.3.attn.q.lora_a`."""
    return f"layers.{layer}.{role}.{tensor}"


def head_shapes(head: HeadSpec, hidden_size: int) -> dict[str, Shape]:
    """Keys and shapes of a head's tensors: `head.0.weight` …"""
    widths = [hidden_size] * head.layers + [len(head.labels)]
    shapes: dict[str, Shape] = {}
    for i in range(head.layers):
        shapes[f"{HEAD_PREFIX}{i}.weight"] = (widths[i + 1], widths[i])
        shapes[f"{HEAD_PREFIX}{i}.bias"] = (widths[i + 1],)
    return shapes


def expected_shapes(manifest: Manifest, backbone_config: Mapping[str, Any]) -> dict[str, Shape]:
    """Keys and shapes of every tensor the adapter must have on a backbone with this config.json.

    Raises FamilyError for a backbone whose type has no role table, whose sizes are missing or where the
    method has no place to act, ConfigError for a config that does not fit its number of layers.
    """
    family = family_of(backbone_config.get("model_type"))
    sizes = family.sizes(backbone_config)
    config = manifest.config
    family.check_roles(config)
    layers, roles = set(config.layers(sizes.layers)), set(config.roles())
    shapes: dict[str, Shape] = {}
    for place in family.places(backbone_config):
        if place.layer in layers and place.role in roles:
            for tensor, shape in config.shapes(place).items():
                shapes[tensor_key(place.layer, place.role, tensor)] = shape
    return shapes | (head_shapes(manifest.head, sizes.hidden) if manifest.head else {})


def check_tensors_against(
    manifest: Manifest, header: Header, backbone_config: Mapping[str, Any]
) -> list[Problem]:
    """What is wrong with an adapter's tensors on a backbone, told without loading either; often nothing."""
    problems = _check_backbone(manifest, backbone_config)
    if problems:
        return problems
    try:
        expected = expected_shapes(manifest, backbone_config)
    except AdapterLibError as error:
        return [Problem("backbone", "", str(error))]
    return compare(expected, header)


def compare(expected: Mapping[str, Shape], header: Header) -> list[Problem]:
    """What a weights file has too little, too much, or of another shape or type."""
    found = {tensor.name: tensor for tensor in header.tensors}
    problems = [
        Problem("missing", key, f"The tensor {key} {list(shape)} is missing.")
        for key, shape in expected.items()
        if key not in found
    ]
    for key, tensor in found.items():
        if key not in expected:
            problems.append(Problem("unexpected", key, f"The tensor {key} has no place in this adapter."))
        elif tuple(tensor.shape) != expected[key]:
            shapes = f"{list(tensor.shape)}, not {list(expected[key])}"
            problems.append(Problem("wrong_shape", key, f"The tensor {key} has the shape {shapes}."))
        elif tensor.dtype not in FLOAT_DTYPES:
            problems.append(
                Problem("wrong_dtype", key, f"The tensor {key} is {tensor.dtype}, not floating point.")
            )
    return problems


def _check_backbone(manifest: Manifest, backbone_config: Mapping[str, Any]) -> list[Problem]:
    """The manifest's word on its backbone against the backbone's own config."""
    try:
        family = family_of(backbone_config.get("model_type"))
        sizes = family.sizes(backbone_config)
    except AdapterLibError as error:
        return [Problem("backbone", "", str(error))]
    pairs = [
        ("family", manifest.family, family.name),
        ("role table", manifest.role_table, family.role_table()),
        ("model type", manifest.backbone.model_type, backbone_config.get("model_type")),
        ("hidden size", manifest.backbone.hidden_size, sizes.hidden),
        ("number of layers", manifest.backbone.num_layers, sizes.layers),
    ]
    return [
        Problem("backbone", "", f"The adapter was made for the {what} {said!r}; the backbone has {has!r}.")
        for what, said, has in pairs
        if said != has
    ]
