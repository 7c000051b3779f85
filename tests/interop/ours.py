"""Our side of a comparison with `adapters`: a family's base with a case's adapters, and what it computes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoConfig, AutoModel, EncoderDecoderModel

import adapter_lib
from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.document import parse
from adapter_lib.formats.adapterhub.importing.compositions import composition_of
from adapter_lib.formats.adapterhub.importing.converting import Converted, convert
from adapter_lib.formats.adapterhub.importing.fusion import attach_fusion, read_fusion
from adapter_lib.formats.conversion import parameters_of
from adapter_lib.spec.composition import Block, Fuse
from adapter_lib.spec.configs import LoRAConfig
from tests.interop.reading import Reference, Tensors

Change = Callable[[str, Converted], Converted]
_TOWERS = {"text_last_hidden_state": "text_model_output", "vision_last_hidden_state": "vision_model_output"}


@cache
def base_model(folder: Path) -> Any:
    """The base in float64 with eager attention, prepared once."""
    is_pair = AutoConfig.from_pretrained(folder).model_type == "encoder-decoder"
    auto: Any = EncoderDecoderModel if is_pair else AutoModel
    model = auto.from_pretrained(folder, attn_implementation="eager", dtype=torch.float64)
    return adapter_lib.init(model.eval())


def backbone(model: Any) -> Backbone:
    """The places of a model with the peer's names."""
    return Backbone.of(model.adapter_runtime.injection.atlas)


def ported(case: Reference, name: str, model: Any, **changes: Any) -> Converted:
    """One of a case's adapters as ours; `changes` are made to the peer's config first."""
    document = case.config(name)
    document["config"] |= changes
    tensors = load_file(str(case.adapters[name] / "adapter.safetensors"))
    tensors = {key: value.double() for key, value in tensors.items()}
    found = convert(parse(document), tensors, backbone(model))
    assert not found.unexpected
    return found


def add(model: Any, name: str, found: Converted) -> int:
    """Add an adapter and fill every one of its parameters, each from one tensor; returns how many."""
    model.add_adapter(name, found.config)
    places = parameters_of(model.adapter_runtime.injection, name)
    assert set(places) == set(found.tensors)
    with torch.no_grad():
        for key, value in found.tensors.items():
            assert places[key].shape == value.shape, key
            places[key].copy_(value)
    return len(places)


def add_fusions(model: Any, case: Reference, block: Block) -> None:
    """Add and fill the parameters of a case's fusion, if it has one; all of them, and from the whole file."""
    if case.fusion is None:
        return
    (fuse,) = (node for node in block.blocks() if isinstance(node, Fuse))
    injection = model.adapter_runtime.injection
    found = read_fusion(case.fusion, injection.atlas, injection.configs)
    report = attach_fusion(found, injection, fuse.key(), fuse.names())
    parts = injection.block_parts("fuse", fuse.key()).values()
    assert len(report.matched) == sum(1 for part in parts for _ in part.parameters())


@contextmanager
def with_adapters(case: Reference, adapters: Mapping[str, Converted], block: Block) -> Iterator[Any]:
    """The family's model with these adapters acting; bare again afterwards."""
    model = base_model(case.base)
    try:
        for name, found in adapters.items():
            add(model, name, found)
        add_fusions(model, case, block)
        if case.entry.get("shared"):
            model.share_parameters(case.entry["shared"])
        model.set_active_adapters(block)
        yield model
    finally:
        for key in [key for kind, key in model.adapter_runtime.injection.blocks if kind == "fuse"]:
            model.delete_adapter_fusion(key)
        for head in model.adapter_runtime.heads.names():
            model.delete_head(head)
        for name in list(model.adapter_runtime.injection.configs):
            model.delete_adapter(name)


def run(model: Any, case: Reference, variant: str) -> Tensors:
    """What ours computes, under the peer's names of outputs."""
    inputs = {name: _exact(value) for name, value in case.inputs(variant).items()}
    with torch.no_grad():
        output = model(**inputs)
    if hasattr(output, "text_model_output"):
        towers = {name: output[key].last_hidden_state for name, key in _TOWERS.items()}
        return {**towers, "logits_per_image": output.logits_per_image}
    name = "last_hidden_state" if "last_hidden_state" in output else "logits"
    return {name: output[name]}


def computed(case: Reference, change: Change | None = None, **settings: Any) -> dict[str, Tensors]:
    """What ours computes in every variant, with the adapters and the composition as they are ported.

    change: what to make of every ported adapter first, by its name. settings: of the peer's config that are
    to be others.
    """
    with acting(case, change, **settings) as model:
        return {variant: run(model, case, variant) for variant in case.variants}


@contextmanager
def acting(case: Reference, change: Change | None = None, **settings: Any) -> Iterator[Any]:
    """The family's model with a case's adapters as `computed` ports them, and its composition active."""
    model = base_model(case.base)
    adapters = {name: ported(case, name, model, **settings) for name in case.adapters}
    if change is not None:
        adapters = {name: change(name, found) for name, found in adapters.items()}
    # Weights cannot say that an Average divides a LoRA's update, but not the map's own output, once more.
    is_additive = any(isinstance(found.config, LoRAConfig) for found in adapters.values())
    with with_adapters(case, adapters, composition_of(case.setup, as_computed=not is_additive)) as prepared:
        yield prepared


def deviations(case: Reference, change: Change | None = None, **settings: Any) -> dict[str, float]:
    """How far ours is from the peer, by variant."""
    found = computed(case, change, **settings)
    return {variant: deviation(outputs, expected(case, variant)) for variant, outputs in found.items()}


def expected(case: Reference, variant: str = "plain") -> Tensors:
    """What the peer computes, without the tokens of a soft prompt, which ours does not hand out."""
    outputs = case.outputs(variant)
    config = case.config()["config"] if len(case.adapters) == 1 else {}
    if config.get("architecture") != "prompt_tuning":
        return outputs
    first = 1 if config["combine"] == "prefix_after_bos" else 0
    behind = first + config["prompt_length"]
    return {name: torch.cat([x[:, :first], x[:, behind:]], dim=1) for name, x in outputs.items()}


def deviation(ours: Tensors, theirs: Tensors) -> float:
    """The largest difference, relative to the scale of the outputs where that is above 1."""
    assert set(ours) == set(theirs)
    return max(_relative(ours[name], value.double()) for name, value in theirs.items())


def _relative(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max()) / max(1.0, float(theirs.abs().max()))


def _exact(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value
