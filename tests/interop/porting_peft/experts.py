"""LoRA on the three-dimensional tensors of a mixture of experts (`target_parameters`)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key, Spot
from adapter_lib.spec.roles import EXPERT_ROLES
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.target_modules import Target

_NESTED = ".base_layer"
# In the order in which the modules hold them.
_PARAMETERS = dict(zip(("gate_up_proj", "down_proj"), EXPERT_ROLES, strict=True))


@dataclass
class Experts:
    """The experts' share of a LoRA: tensors, ranks and alphas by place."""

    targets: list[Target] = field(default_factory=list)
    tensors: dict[Key, dict[str, Tensor]] = field(default_factory=dict)
    ranks: dict[Key, int] = field(default_factory=dict)
    alphas: dict[Key, float] = field(default_factory=dict)
    filled: frozenset[Key] = frozenset()


def lora(checkpoint: Checkpoint, atlas: Atlas) -> Experts:
    """Take everything that stands at experts.

    A module whose second parameter is adapted too nests: the first one's tensors are under `base_layer`.
    """
    found = Experts()
    modules: dict[str, list[str]] = {}
    for path in checkpoint.paths("lora_A"):
        modules.setdefault(path.replace(_NESTED, ""), []).append(path)
    for path, nested in modules.items():
        spots = _spots(atlas.model.get_submodule(path), atlas)
        if spots:
            _module(checkpoint, path, sorted(nested, key=len, reverse=True), spots, found)
            found.targets.append(Target(path, path, spots[0].module, tuple(spots)))
    return found


def _module(checkpoint: Checkpoint, path: str, nested: list[str], spots: list[Spot], found: Experts) -> None:
    """nested: the innermost first, which belongs to the first parameter that the config names."""
    wanted = [name for name in _PARAMETERS if _is_named(checkpoint, name)]
    if len(wanted) != len(nested):
        raise NotPortableError(f"{path} has {len(nested)} LoRAs for the parameters {', '.join(wanted)}.")
    by_role = {spot.place.role: spot for spot in spots}
    for name, source in zip(wanted, nested, strict=True):
        spot = by_role.pop(_PARAMETERS[name])
        a, b = checkpoint.take(source, "lora_A.weight"), checkpoint.take(source, "lora_B.weight")
        (count,) = spot.place.extent
        rank = len(a) // count
        # The peer's B has the expert as the innermost of its columns, its A as the outermost of its rows.
        found.tensors[spot.key] = {
            "lora_a": a.view(count, rank, -1),
            "lora_b": b.view(len(b), rank, count).permute(2, 0, 1),
        }
        found.ranks[spot.key] = rank
        alpha = checkpoint.by_pattern("alpha_pattern", f"{path}.{name}", checkpoint.config["lora_alpha"])
        found.alphas[spot.key] = float(alpha)
    for spot in by_role.values():
        found.tensors[spot.key] = _nothing(spot, checkpoint.config["r"])
        found.filled |= {spot.key}


def _nothing(spot: Spot, rank: int) -> dict[str, Tensor]:
    """An update of zero: our word `experts` means both tensors of an expert."""
    (count,), place = spot.place.extent, spot.place
    return {
        "lora_a": torch.zeros(count, rank, place.width_in),
        "lora_b": torch.zeros(count, place.width_out, rank),
    }


def _is_named(checkpoint: Checkpoint, parameter: str) -> bool:
    names = checkpoint.config["target_parameters"] or ()
    return any(name.rpartition(".")[2] == parameter for name in names)


def _spots(module: nn.Module, atlas: Atlas) -> list[Spot]:
    """The expert places of a module that holds experts."""
    return [s for s in atlas.spots.values() if s.place.role in EXPERT_ROLES and s.module is module]
