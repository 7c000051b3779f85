"""Bottleneck adapters and Compacter, which the peer writes with one config."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from torch import Tensor

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors
from adapter_lib.formats.adapterhub.names import PeerNames
from adapter_lib.spec.configs import BnConfig, CompacterConfig, InvertibleConfig, MethodConfig, UnionConfig

_RULES = {"phm_rule": "rule", "phm_rule_left": "rule_left", "phm_rule_right": "rule_right"}
_PHM = {"W": "weight", "W_left": "left", "W_right": "right", "b": "bias", **_RULES}
# Fields that a parallel adapter has no use for; the peer does not look at them.
_SEQUENTIAL = ("original_ln_before", "residual_before_ln", "adapter_residual_before_ln")


def bottleneck_config(given: Mapping[str, Any], names: PeerNames) -> MethodConfig:
    """Ours for the peer's config, which has no `architecture`."""
    config = _config(given, names)
    is_swapped = names.mh_is_swapped and config.mh_adapter and not config.is_parallel
    if is_swapped and not config.original_ln_before:
        return _unswapped(config)
    return config if config.inv_adapter is None or names.is_undone else _not_undone(config)


def _not_undone(config: BnConfig) -> MethodConfig:
    """With a coupling that acts at the embeddings alone, for heads that are not the peer's own."""
    members = (
        replace(member, inverse=False) if isinstance(member, InvertibleConfig) else member
        for member in config.members()
    )
    return UnionConfig(configs=tuple(members))


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
    if given["is_parallel"]:
        values = {key: value for key, value in values.items() if key not in _SEQUENTIAL}
    if given["phm_layer"]:
        # How its maps started is said by phm_c_init; the peer does not look at init_weights then.
        del values["init_weights"]
    if names.mh_is_cross and given["mh_adapter"]:
        values["cross_adapter"] = True
    # The peer's gates are trained with a mean that counts padding.
    values["gate_over_padding"] = given["use_gating"]
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
    return f"{module}.{_PHM.get(tensor, tensor)}" if is_phm else name


def _shared(key: str) -> str:
    """`phm_rule`, or one of the shared weights `W_down_left` …"""
    if key in _RULES:
        return _RULES[key]
    weight, _, rest = key.partition("_")
    module, _, side = rest.partition("_")
    name = f"{weight}_{side}" if side else weight
    return f"{module}.{_PHM.get(name, name)}"
