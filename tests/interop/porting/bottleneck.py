"""Bottleneck adapters and Compacter, which the peer writes with one config."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from torch import Tensor

from adapter_lib.spec.configs import BnConfig, CompacterConfig, MethodConfig, UnionConfig
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.names import PeerNames
from tests.interop.porting.source import Source
from tests.interop.porting.tensors import PlaceTensors

_RULES = {"phm_rule": "rule", "phm_rule_left": "rule_left", "phm_rule_right": "rule_right"}
_PHM = {"W": "weight", "W_left": "left", "W_right": "right", "b": "bias", **_RULES}
# Fields that a parallel adapter has no use for; the peer does not look at them.
_SEQUENTIAL = ("original_ln_before", "residual_before_ln", "adapter_residual_before_ln")


def bottleneck_config(given: Mapping[str, Any], names: PeerNames) -> MethodConfig:
    """Ours for the peer's config, which has no `architecture`."""
    config = _config(given, names)
    is_swapped = names.mh_is_swapped and config.mh_adapter and not config.is_parallel
    return _unswapped(config) if is_swapped and not config.original_ln_before else config


def _unswapped(config: BnConfig) -> MethodConfig:
    """What a sequential bottleneck is whose u and x are exchanged: N(z(x) + x + u), a parallel one.

    With the model's norm in front there is nothing to exchange: N(u + x) is the same both ways.
    """
    beside = replace(config, output_adapter=False, cross_adapter=False, is_parallel=True, inv_adapter=None)
    if not (config.output_adapter or config.cross_adapter):
        return beside
    return UnionConfig(configs=(beside, replace(config, mh_adapter=False)))


def _config(given: Mapping[str, Any], names: PeerNames) -> BnConfig:
    wanted = CompacterConfig if given["phm_layer"] else BnConfig
    own = {field.name for field in fields(wanted)}
    values = {key: value for key, value in given.items() if key in own and value is not None}
    values["leave_out"] = tuple(given["leave_out"])
    if given["is_parallel"]:
        values = {key: value for key, value in values.items() if key not in _SEQUENTIAL}
    if given["phm_layer"]:
        del values["init_weights"]
    if names.mh_is_cross and given["mh_adapter"]:
        values["cross_adapter"] = True
    return wanted(**values)


def bottleneck_tensors(config: BnConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """Every place's tensors, and what a Compacter shares."""
    for place in backbone.places(config):
        yield place, _of_place(config, source, f"{backbone.path(place)}.adapters.{source.name}.")
    if isinstance(config, CompacterConfig):
        stem = backbone.below_root(f"shared_parameters.{source.name}.")
        yield None, {_shared(key): value for key, value in source.under(stem).items()}


def _of_place(config: BnConfig, source: Source, stem: str) -> dict[str, Tensor]:
    # A norm in front is the first module of `adapter_down`, and the peer writes it a second time.
    linear = 1 if config.ln_before else 0
    modules = {f"adapter_down.{linear}": "down", "adapter_up": "up", "adapter_norm_after": "ln_after"}
    if config.ln_before:
        modules["adapter_norm_before"] = "ln_before"
    found: dict[str, Tensor] = {}
    for key, value in source.under(stem).items():
        module, _, tensor = key.rpartition(".")
        if config.ln_before and module == "adapter_down.0":
            source.leave(stem + key, "adapter_norm_before again")
        else:
            name = f"{modules.get(module, module)}.{tensor}" if module else tensor
            found[name] = value
    return {_of_map(config, name): value for name, value in found.items()}


def _of_map(config: BnConfig, name: str) -> str:
    module, _, tensor = name.rpartition(".")
    is_phm = isinstance(config, CompacterConfig) and module in ("down", "up")
    return f"{module}.{_PHM[tensor]}" if is_phm else name


def _shared(key: str) -> str:
    """`phm_rule`, or one of the shared weights `W_down_left` …"""
    if key in _RULES:
        return _RULES[key]
    _, module, *rest = key.split("_")
    return f"{module}.{_PHM['_'.join(['W', *rest])]}"
