"""Which tensors a native adapter must hold on a backbone, from its manifest and the backbone's places."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapter_lib.families import PLAIN, model_type_of
from adapter_lib.spec.configs import MethodConfig, members_of
from adapter_lib.spec.documents import MadeFor
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.manifest import HEAD_PREFIX, HeadSpec, Manifest
from adapter_lib.spec.safetensors_header import Header

if TYPE_CHECKING:  # the keys alone are read by programs that have no torch
    from adapter_lib.inject import Atlas, Key

FLOAT_DTYPES = ("F16", "BF16", "F32", "F64")
SHARED = "shared"

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


def tensor_key(key: "Key", tensor: str) -> str:
    """The key of one tensor in an adapter's file: `layers.3.attn.q.lora_a`, `encoder.embed.f.0.weight`."""
    layer, role = key
    return f"layers.{layer}.{role}.{tensor}" if layer >= 0 else f"{role}.{tensor}"


def shared_key(number: str, tensor: str) -> str:
    """The key of a tensor that all places share; `number` is the member's in a union, else empty."""
    return f"{SHARED}.{number}.{tensor}" if number else f"{SHARED}.{tensor}"


def head_shapes(head: HeadSpec, hidden_size: int) -> dict[str, Shape]:
    """Keys and shapes of a head's tensors: `head.0.weight` … Raises ConfigError."""
    return {HEAD_PREFIX + name: shape for name, shape in head.shapes(hidden_size).items()}


def expected_shapes(manifest: Manifest, atlas: "Atlas") -> dict[str, Shape]:
    """Keys and shapes of every tensor the adapter must have on a backbone with these places.

    Raises FamilyError where the method has no place to act, ConfigError for a config that does not fit the
    backbone.
    """
    shapes = method_shapes(manifest.config, atlas)
    return shapes | (head_shapes(manifest.head, atlas.resolved.hidden_size) if manifest.head else {})


def method_shapes(config: MethodConfig, atlas: "Atlas") -> dict[str, Shape]:
    """As `expected_shapes`, from the config alone and without a head."""
    shapes: dict[str, Shape] = {}
    members = members_of(config)
    for index, member in enumerate(members):
        number = str(index) if len(members) > 1 else ""
        spots = atlas.find(member)
        for spot in spots:
            for tensor, shape in member.all_shapes(spot.place).items():
                shapes[tensor_key(spot.key, f"{number}.{tensor}" if number else tensor)] = shape
        for tensor, shape in member.shared_shapes([spot.place for spot in spots]).items():
            shapes[shared_key(number, tensor)] = shape
    return shapes


def check_tensors_against(manifest: Manifest, header: Header, atlas: "Atlas") -> list[Problem]:
    """What is wrong with an adapter's tensors on a backbone; often nothing. No tensor is loaded."""
    problems = check_backbone(manifest, atlas)
    if problems:
        return problems
    try:
        expected = expected_shapes(manifest, atlas)
    except AdapterLibError as error:
        return [Problem("backbone", "", str(error))]
    return compare(expected, header)


def compare(expected: Mapping[str, Shape], header: Header, counted: Collection[str] = ()) -> list[Problem]:
    """What a weights file has too little, too much, or of another shape or type.

    counted: the last parts of keys of tensors of whole numbers, I64.
    """
    found = {tensor.name: tensor for tensor in header.tensors}
    problems = [
        Problem("missing", key, f"The tensor {key} {list(shape)} is missing.")
        for key, shape in expected.items()
        if key not in found
    ]
    for key, tensor in found.items():
        wanted = "I64" if key.rpartition(".")[2] in counted else None
        is_right = tensor.dtype == wanted if wanted else tensor.dtype in FLOAT_DTYPES
        what = None if is_right else f"{tensor.dtype}, not {wanted or 'floating point'}"
        problems += misfits(key, tuple(tensor.shape), expected, what)
    return problems


def misfits(key: str, shape: Shape, expected: Mapping[str, Shape], wrong_dtype: str | None) -> list[Problem]:
    """What is wrong with one tensor that there is; wrong_dtype: its type and the right one, or None."""
    if key not in expected:
        return [Problem("unexpected", key, f"The tensor {key} has no place in this adapter.")]
    if shape != expected[key]:
        shapes = f"{list(shape)}, not {list(expected[key])}"
        return [Problem("wrong_shape", key, f"The tensor {key} has the shape {shapes}.")]
    if wrong_dtype is not None:
        return [Problem("wrong_dtype", key, f"The tensor {key} is {wrong_dtype}.")]
    return []


def backbone_facts(manifest: MadeFor, atlas: "Atlas") -> list[tuple[str, str | int, str | int]]:
    """(what, what the manifest says of its backbone, what this backbone has), where the two differ."""
    family = atlas.resolved.family
    table = manifest.role_table if family.knows_table(manifest.role_table) else family.role_table()
    pairs: list[tuple[str, str | int, str | int]] = [
        ("family", manifest.family, family.name),
        ("role_table", manifest.role_table[:12], table[:12]),
        ("model_type", manifest.backbone.model_type, model_type_of(atlas.resolved.base) or PLAIN.name),
        ("hidden_size", manifest.backbone.hidden_size, atlas.resolved.hidden_size),
        ("num_layers", manifest.backbone.num_layers, atlas.num_layers),
    ]
    return [(what, said, has) for what, said, has in pairs if said != has]


def check_backbone(manifest: MadeFor, atlas: "Atlas") -> list[Problem]:
    """The manifest's word on its backbone against the backbone itself."""
    return [
        Problem(
            "backbone",
            "",
            f"The adapter was made for the {what.replace('_', ' ')} {said!r}; the backbone has {has!r}.",
        )
        for what, said, has in backbone_facts(manifest, atlas)
    ]
