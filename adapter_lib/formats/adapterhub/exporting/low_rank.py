"""What AdapterHub's library writes as a LoRA: LoRA, DoRA, (IA)³, MTL-LoRA, and others that are one."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn import functional as F

from adapter_lib.formats.adapterhub.document import LORA, MTL_LORA
from adapter_lib.formats.adapterhub.exporting.held import Draft, Held, Tensors, whole
from adapter_lib.formats.adapterhub.exporting.targets import Targets, targets_of
from adapter_lib.spec.configs import (
    AdaLoRAConfig,
    DoRAConfig,
    DVoRAConfig,
    IA3Config,
    LoRAConfig,
    MTLLoRAConfig,
    Place,
    VeRAConfig,
)
from adapter_lib.spec.configs.low_rank import LowRankConfig
from adapter_lib.spec.errors import LoadError


@dataclass(frozen=True)
class Factors:
    """An update s · B A of one map: a [r, in], b [out, r], and s."""

    a: Tensor
    b: Tensor
    scale: float


def lora(held: Held) -> Draft:
    """LoRA, DoRA, AdaLoRA, VeRA and DVoRA. Raises LoadError for maps that have no counterpart there."""
    targets = targets_of(held)
    found = {place: _factors(held, place) for place in held.places}
    rank = max(len(each.a) for each in found.values())
    scale = next(iter(found.values())).scale
    with_magnitude = isinstance(held.config, DoRAConfig | DVoRAConfig)
    if with_magnitude:
        _check_magnitude(held)
    by_place: dict[Place, Tensors] = {}
    for place, each in found.items():
        # One alpha and one r serve all maps there: what differs goes into B.
        factor = 1.0 if held.config.use_gating else each.scale / scale
        more = rank - len(each.a)
        a, b = F.pad(each.a, (0, 0, 0, more)), F.pad(each.b * factor, (0, more))
        own = held.at(place)
        by_place[place] = {"lora_A": a, "lora_B": b} | _gate(own)
        if with_magnitude:
            by_place[place]["m.weight"] = _magnitude(held, place, own["magnitude"], (a, b, scale))
    values = _values(held, targets) | {
        "r": rank,
        "alpha": whole(scale * rank),
        "dropout": getattr(held.config, "dropout", 0.0),
        "use_dora": with_magnitude,
        "init_weights": _start(held),
    }
    return Draft(values, _written(held, targets, by_place), _notes(held))


def ia3(held: Held) -> Draft:
    """(IA)³, whose factors for the feed-forward act before the activation there. Raises LoadError."""
    targets = targets_of(held)
    by_place: dict[Place, Tensors] = {}
    for place in held.places:
        own = held.at(place)
        by_place[place] = {"lora_B": own["factor"][:, None]} | _gate(own)
    own_values = {"r": 1, "alpha": 1, "composition_mode": "scale", "init_weights": "ia3"}
    return Draft(_values(held, targets) | own_values, _written(held, targets, by_place))


def mtl_lora(held: Held) -> Draft:
    """MTL-LoRA. Raises LoadError for ranks that differ, and for fused maps."""
    config = held.config
    if not isinstance(config, MTLLoRAConfig):
        raise TypeError(f"{config.name()} is no MTL-LoRA.")
    targets = targets_of(held)
    if config.rank_pattern is not None or config.alpha_pattern is not None:
        raise LoadError("AdapterHub's library has one rank and one alpha for all maps of an MTL-LoRA.")
    if held.backbone.names.fused and targets.letters:
        raise LoadError("AdapterHub's library cannot run an MTL-LoRA on a fused map.")
    named = {"lora_a": "lora_A", "lora_b": "lora_B", "task_matrix": "task_specific.values"}
    by_place = {
        place: {named.get(tensor, tensor): value for tensor, value in held.at(place).items()}
        for place in held.places
    }
    own = ("n_up_projection", "task_specific_matrix_type", "weights_sharpness")
    values = _values(held, targets) | {field: getattr(config, field) for field in own}
    sizes = {"r": config.r, "alpha": whole(config.scale * config.r), "dropout": config.dropout}
    return Draft(values | sizes | {"architecture": "mtl_lora"}, _written(held, targets, by_place))


def _factors(held: Held, place: Place) -> Factors:
    """The update of one place as B A."""
    config, own = held.config, held.at(place)
    if isinstance(config, AdaLoRAConfig):
        return Factors(own["q"], own["p"] * own["singular"], config.scale)
    if isinstance(config, VeRAConfig):
        shared = held.shared()
        a, b = shared["vera_a"][:, : place.width_in], shared["vera_b"][: place.width_out]
        return Factors(own["vera_d"][:, None] * a, own["vera_b"][:, None] * b, 1.0)
    if not isinstance(config, LowRankConfig):
        raise TypeError(f"{config.name()} is no update of low rank.")
    a, b = own["lora_a"], own["lora_b"]
    if "start_a" in own:
        # What the start takes off again is a second update.
        a, b = torch.cat([a, own["start_a"]]), torch.cat([b, -own["start_b"]], dim=1)
    return Factors(a, b, config.scale_at(place))


def _check_magnitude(held: Held) -> None:
    config = held.config
    is_scaled = isinstance(config, DoRAConfig) and config.scales_bias
    biased = [place.key for place in held.places if place.has_bias]
    if biased and not is_scaled:
        raise LoadError(
            f"In AdapterHub's library m / ‖V‖ multiplies the bias too, which {biased[0]} has and this "
            "adapter leaves alone. Only DoRA with scales_bias=true is the same there."
        )
    if held.backbone.names.fused and any(place.role.startswith("attn.") for place in held.places):
        raise LoadError("AdapterHub's library cannot run a DoRA on a fused map.")


def _magnitude(held: Held, place: Place, own: Tensor, update: tuple[Tensor, Tensor, float]) -> Tensor:
    """m ‖W + B A‖ / ‖W + s B A‖ [out, 1]: AdapterHub's library leaves s out of the norm."""
    a, b, scale = update
    weight, change = held.backbone.weight(place).to(a), b @ a
    theirs, ours = (vector_norm(weight + by * change, dim=1) for by in (1.0, scale))
    found: Tensor = (own * theirs / ours)[:, None]
    return found


def _written(held: Held, targets: Targets, by_place: dict[Place, Tensors]) -> Tensors:
    """By AdapterHub's keys; the parts of a fused map one below the other."""
    stems: dict[str, dict[int, Tensors]] = {}
    for place, own in by_place.items():
        part = held.backbone.fused_part(place, targets.letters)
        stem = f"{held.backbone.path(place)}.loras.{held.name}."
        stems.setdefault(stem, {})[0 if part is None else part[0]] = own
    found: Tensors = {}
    for stem, parts in stems.items():
        ordered = [parts[number] for number in sorted(parts)]
        for tensor in ordered[0]:
            found[f"{stem}{tensor}"] = torch.cat([own[tensor] for own in ordered])
    return found


def _values(held: Held, targets: Targets) -> dict[str, object]:
    names, config = held.backbone.names, held.config
    fields = MTL_LORA if isinstance(config, MTLLoRAConfig) else LORA
    return {
        **fields,
        "architecture": "lora",
        "selfattn_lora": bool(targets.letters),
        "attn_matrices": list(targets.letters or fields["attn_matrices"]),
        "intermediate_lora": names.intermediate in targets.maps,
        "output_lora": names.output in targets.maps,
        "leave_out": list(targets.leave_out),
        "use_gating": config.use_gating,
    }


def _start(held: Held) -> str:
    config = held.config
    return "bert" if isinstance(config, LoRAConfig) and config.init_weights == "bert" else "lora"


def _notes(held: Held) -> tuple[str, ...]:
    config = held.config
    if type(config).method in (LoRAConfig.method, DoRAConfig.method):
        return ()
    kind = "DoRA" if isinstance(config, DVoRAConfig) else "LoRA"
    return (f"{config.name()} was written as the {kind} that computes the same.",)


def _gate(own: Tensors) -> Tensors:
    return {key: own[key] for key in ("gate.weight", "gate.bias") if key in own}


LOW_RANK: dict[type, Callable[[Held], Draft]] = {
    MTLLoRAConfig: mtl_lora,
    IA3Config: ia3,
    LowRankConfig: lora,
    AdaLoRAConfig: lora,
    VeRAConfig: lora,
}
