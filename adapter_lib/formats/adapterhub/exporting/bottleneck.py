"""Bottlenecks, Compacter, and the couplings beside them."""

from torch import Tensor

from adapter_lib.formats.adapterhub.document import BOTTLENECK
from adapter_lib.formats.adapterhub.exporting.held import Draft, Held, Tensors, whole
from adapter_lib.spec.configs import BnConfig, CompacterConfig, InvertibleConfig
from adapter_lib.spec.configs.per_layer import PerLayer
from adapter_lib.spec.errors import LoadError

_RULES = {"rule": "phm_rule", "rule_left": "phm_rule_left", "rule_right": "phm_rule_right"}
_PHM = {"weight": "W", "left": "W_left", "right": "W_right", "bias": "b", **_RULES}


def bottleneck(held: Held, coupling: Held | None) -> Draft:
    """A bottleneck or Compacter, with the invertible adapter that goes with it.

    Raises LoadError for what AdapterHub's library computes otherwise.
    """
    config = held.config
    if not isinstance(config, BnConfig):
        raise TypeError(f"{config.name()} is no bottleneck.")
    _check(config, held)
    tensors: Tensors = {}
    for place in held.places:
        stem = f"{held.backbone.path(place)}.adapters.{held.name}."
        tensors |= {f"{stem}{key}": value for key, value in _of_place(config, held.at(place)).items()}
    stem = held.backbone.below_root(f"shared_parameters.{held.name}.")
    tensors |= {f"{stem}{_shared(name)}": value for name, value in held.shared().items()}
    values = _values(config, held)
    if coupling is not None:
        values |= _coupling_values(config, coupling)
        tensors |= _coupling_tensors(coupling)
    return Draft(values, tensors)


def _check(config: BnConfig, held: Held) -> None:
    names = held.backbone.names
    is_sequential = not config.is_parallel and not config.original_ln_before
    if names.mh_is_swapped and config.mh_adapter and is_sequential:
        raise LoadError(
            "In AdapterHub's library a sequential bottleneck behind this model's attention gets the block's "
            "input for its output, which is another function."
        )
    if names.mh_is_cross and config.mh_adapter != config.cross_adapter:
        raise LoadError(
            "In AdapterHub's library mh_adapter of this model stands for cross-attention too: set both "
            "mh_adapter and cross_adapter, or neither."
        )


def _values(config: BnConfig, held: Held) -> dict[str, object]:
    is_phm = isinstance(config, CompacterConfig)
    own = config.values()
    values: dict[str, object] = {
        field: own.get(field, default) for field, default in BOTTLENECK.items() if field in own
    }
    rest = {field: default for field, default in BOTTLENECK.items() if field not in own}
    values |= rest | {"phm_layer": is_phm, "inv_adapter": None, "inv_adapter_reduction_factor": None}
    values["reduction_factor"] = _factor(config)
    if held.backbone.names.mh_is_cross:
        values["cross_adapter"] = False
    return values


def _factor(config: BnConfig) -> object:
    given = config.reduction_factor
    if isinstance(given, PerLayer):
        return {layer: whole(value) for layer, value in given.to_json().items()}
    return whole(config.size())


def _of_place(config: BnConfig, own: Tensors) -> Tensors:
    """By AdapterHub's names; a norm in front is written twice there."""
    is_phm = isinstance(config, CompacterConfig)
    linear = 1 if config.ln_before else 0
    modules = {"down": f"adapter_down.{linear}", "up": "adapter_up", "ln_after": "adapter_norm_after"}
    found: dict[str, Tensor] = {}
    for name, value in own.items():
        module, _, tensor = name.rpartition(".")
        if module == "ln_before":
            found |= {f"adapter_norm_before.{tensor}": value, f"adapter_down.0.{tensor}": value}
        elif module in modules:
            is_map = is_phm and module != "ln_after"
            found[f"{modules[module]}.{_PHM[tensor] if is_map else tensor}"] = value
        else:
            found[name] = value
    return found


def _shared(name: str) -> str:
    """`phm_rule`, or one of the shared weights `W_down_left` …"""
    module, _, tensor = name.rpartition(".")
    if not module:
        return _RULES[tensor]
    weight, _, side = _PHM[tensor].partition("_")
    return "_".join(filter(None, (weight, module, side)))


def _coupling_values(config: BnConfig, coupling: Held) -> dict[str, object]:
    inner = coupling.config
    if not isinstance(inner, InvertibleConfig):
        raise TypeError(f"{inner.name()} is no coupling.")
    if inner.coupling != "nice":
        raise LoadError(
            f"The coupling {inner.coupling!r} of AdapterHub's library uses one of its two networks only, so "
            "it computes something else; nice can be written."
        )
    if inner.non_linearity != config.non_linearity:
        raise LoadError("A coupling has its bottleneck's non_linearity in AdapterHub's library.")
    if inner.inverse is not coupling.backbone.names.is_undone:
        word = "undoes" if coupling.backbone.names.is_undone else "does not undo"
        raise LoadError(
            f"AdapterHub's library {word} a coupling at this model's head: inverse says otherwise."
        )
    return {"inv_adapter": "nice", "inv_adapter_reduction_factor": whole(inner.reduction_factor)}


def _coupling_tensors(coupling: Held) -> Tensors:
    """F and G, once for every owner that the model has there."""
    return {
        f"{owner}.{coupling.name}.{name[0].upper()}{name[1:]}": value
        for owner in coupling.backbone.names.invertible
        for name, value in coupling.shared().items()
    }
