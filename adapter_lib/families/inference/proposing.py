"""Putting a proposal together: the lists of layers, a layer's parts and sites, and each tower as a whole."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from adapter_lib.families.inference.attention import Attention, attentions, layout_of
from adapter_lib.families.inference.feed_forward import feed_forward
from adapter_lib.families.inference.interface import calls_interface
from adapter_lib.families.inference.linears import Effects, widths
from adapter_lib.families.inference.sites import Stage, find_sites, holds
from adapter_lib.families.inference.towers import outside
from adapter_lib.families.inference.trace import Call, Trace, record
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower
from adapter_lib.spec.errors import FamilyError, listing

_ADVICE = "Give a table of your own (docs/how-to-add-a-family.md)."


@dataclass(frozen=True)
class Run:
    """A model that can be run again and again, and the trace of its base."""

    model: nn.Module
    base: nn.Module
    inputs: Mapping[str, Any]
    trace: Trace

    def again(self) -> None:
        """One more forward."""
        self.model(**self.inputs)

    @property
    def config(self) -> Any:
        """The model's config; None for a plain module."""
        return getattr(self.base, "config", None)


def proposed(model: nn.Module, inputs: Mapping[str, Any] | None) -> FamilySpec:
    """See `adapter_lib.families.infer.propose`."""
    was_training = model.training
    model.eval()
    try:
        return _proposed(_run_once(model, dict(inputs) if inputs is not None else dummy_inputs(model)))
    finally:
        model.train(was_training)


def dummy_inputs(model: Any) -> dict[str, Any]:
    """Inputs for a transformers model of text or pictures. Raises FamilyError for anything else."""
    config: Any = getattr(model, "config", None)
    name = getattr(model, "main_input_name", "")
    generator = torch.Generator().manual_seed(1)
    if name == "input_ids":
        words = min(getattr(config.get_text_config(), "vocab_size", 100), 1000)
        ids = torch.randint(3, words, (2, 7), generator=generator).to(model.device)
        mask = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return mask | ({"decoder_input_ids": ids[:, :5]} if config.is_encoder_decoder else {})
    if name == "pixel_values" and isinstance(getattr(config, "image_size", None), int):
        shape = (2, config.num_channels, config.image_size, config.image_size)
        return {"pixel_values": torch.randn(shape, generator=generator).to(model.device)}
    raise FamilyError(f"{type(model).__name__} cannot be run without inputs: pass them to propose().")


def _run_once(model: nn.Module, inputs: dict[str, Any]) -> Run:
    base: Any = getattr(model, "base_model", model)
    if "use_cache" not in inputs and getattr(getattr(base, "config", None), "use_cache", False):
        inputs["use_cache"] = False
    return Run(model, base, inputs, record(base, lambda: model(**inputs)))


def _proposed(run: Run) -> FamilySpec:
    lists = dict(_layer_lists(run))
    if not lists:
        raise FamilyError(
            f"{type(run.base).__name__} has no list of equal layers in which query, key, value and output "
            f"projections could be told by name and width. {_ADVICE}"
        )
    towers = []
    for path, calls in lists.items():
        others = [other for other in lists if other != path]
        around = outside(run.trace, path, calls, others, run.inputs, _is_causal(run, calls[0]))
        towers.append(Tower(path, _layer(run, path, calls), **around))
    name = str(getattr(run.config, "model_type", "") or type(run.base).__name__)
    return FamilySpec(name, (name,), tuple(_with_own_roles(towers)))


def _layer_lists(run: Run) -> Iterator[tuple[str, list[Call]]]:
    """Path (`*` for an outer list's items) → the first calls of the layers; of nested lists the inner."""
    found: dict[str, list[Call]] = {}
    for path, module in run.base.named_modules():
        items = list(module) if isinstance(module, nn.ModuleList) else []
        calls = [calls[0] for item in items if (calls := run.trace.of(item))]
        if calls and len({type(item) for item in items}) == 1 and _is_layer(run.trace.inside(calls[0])):
            found.setdefault(re.sub(r"\.\d+(?=\.|$)", ".*", path), []).extend(calls)
    for path, calls in found.items():
        if not any(other.startswith(f"{path}.*.") for other in found):
            yield path, calls


def _is_layer(layer: Trace) -> bool:
    width = _width(layer)
    groups = attentions(layer, width)
    alone = [group for group in groups if not group.is_cross]
    return len(alone) == 1 and len(groups) <= 2


def _width(layer: Trace) -> int:
    given = layer.whole.given
    return 0 if given is None else given.shape[-1]


def _layer(run: Run, path: str, calls: list[Call]) -> LayerSpec:
    layer = run.trace.inside(calls[0])
    groups = attentions(layer, _width(layer))
    taken = {module for group in groups for module in group.modules(layer.whole.module)}
    feed = feed_forward(layer, taken, _width(layer), run.again)
    own = next(group for group in groups if not group.is_cross)
    cross = next((group for group in groups if group.is_cross), None)
    if feed is None:
        raise FamilyError(f"{_seen(run, path, calls)}, but no feed-forward block was recognised. {_ADVICE}")
    stages = [Stage("mh", own.first, own.o)]
    stages += [Stage("cross", cross.first, cross.o)] if cross is not None else []
    sites = _sites(run, path, calls, [*stages, Stage("ffn", feed.first, feed.end)])
    is_interface = calls_interface(run.again, layer.whole.module, own.path)
    return LayerSpec(
        mh=sites["mh"],
        ffn=sites["ffn"],
        cross=sites.get("cross"),
        **_projections(run, own, ""),
        **(_projections(run, cross, "x") if cross is not None else {}),
        up=feed.up,
        gate=feed.gate,
        down=feed.down,
        up_gate=feed.up_gate,
        experts=feed.experts,
        prefix="interface" if is_interface else None,
        no_prefix="" if is_interface else "its attention does not call transformers' attention interface.",
    )


def _sites(run: Run, path: str, calls: list[Call], stages: list[Stage]) -> dict[str, Site]:
    sites = find_sites(run.trace.inside(calls[0]), stages)
    missing = [stage.role for stage in stages if stage.role not in sites]
    if missing:
        where = f"where it adds the residual of {listing(missing)} was not found"
        raise FamilyError(f"{_seen(run, path, calls)}, but {where}. {_ADVICE}")
    odd = [call.path for call in calls if not holds(run.trace.inside(call), sites)]
    if odd:
        how = f"{listing(odd)} add their residuals otherwise than the first"
        raise FamilyError(f"{_seen(run, path, calls)}, but {how}. {_ADVICE}")
    return sites


def _seen(run: Run, path: str, calls: list[Call]) -> str:
    layer = run.trace.inside(calls[0])
    where = listing(repr(group.path) for group in attentions(layer, _width(layer)))
    return f"{type(run.base).__name__} has {len(calls)} layers at {path!r} with attention at {where}"


def _projections(run: Run, group: Attention, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"{prefix}attn": group.path, f"{prefix}o": group.o.path}
    for letters, call in group.maps.items():
        found[f"{prefix}{letters}" if len(letters) == 1 else f"{prefix}qkv"] = (
            call.path if len(letters) == 1 else _fused(run, letters, call, group)
        )
    return found


def _fused(run: Run, letters: str, call: Call, group: Attention) -> Fused:
    if letters == "kv":
        return Fused(call.path, letters)
    length = call.given.shape[1] if call.given is not None else 1
    found = layout_of(call, Effects(run.again, group.o.module), run.config, length)
    if found is None:
        which = f"which columns of {call.path!r} are query, key and value"
        raise FamilyError(f"{type(run.base).__name__}: {which} could not be told. {_ADVICE}")
    return found


def _is_causal(run: Run, first: Call) -> bool:
    """True if the last token's keys and values reach no token in front of it."""
    layer = run.trace.inside(first)
    own = next(group for group in attentions(layer, _width(layer)) if not group.is_cross)
    key = own.maps.get("k") or own.first
    last = (key.out.shape[1] if key.out is not None else 1) - 1
    every = torch.arange(widths(key.module)[1])
    changed = Effects(run.again, own.o.module).of(key.module, every, last, 8.0)
    return bool(changed[:, :last].norm() < 1e-5 * changed.norm())


def _with_own_roles(towers: list[Tower]) -> list[Tower]:
    """Tower roles are names: a second one of the same name is told by the start of its path."""
    roles = [tower.role for tower in towers]
    return [
        replace(tower, role=tower.layers.partition(".")[0]) if roles.count(tower.role) > 1 else tower
        for tower in towers
    ]
