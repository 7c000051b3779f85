"""LoRA on the three-dimensional tensors of a mixture of experts (`target_parameters`)."""

from dataclasses import dataclass, field

from torch import nn

from adapter_lib.formats.peft.checkpoint import NESTED, Checkpoint, Tensors
from adapter_lib.formats.peft.importing.pairs import check_rank
from adapter_lib.formats.peft.members import nothing
from adapter_lib.formats.peft.modules import Modules, Target, check_shape
from adapter_lib.inject import Key, Spot
from adapter_lib.spec.configs import LoRAConfig
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.roles import EXPERT_ROLES

# In the order in which the modules hold them.
PARAMETERS = dict(zip(("gate_up_proj", "down_proj"), EXPERT_ROLES, strict=True))


@dataclass
class Experts:
    """The experts' share of a LoRA: tensors, ranks and alphas by place."""

    targets: list[Target] = field(default_factory=list)
    tensors: dict[Key, Tensors] = field(default_factory=dict)
    ranks: dict[Key, int] = field(default_factory=dict)
    alphas: dict[Key, float] = field(default_factory=dict)
    filled: frozenset[Key] = frozenset()


def lora(checkpoint: Checkpoint, modules: Modules) -> Experts:
    """Take everything that stands at experts.

    A module whose second parameter is adapted too nests: the first one's tensors are under `base_layer`.
    """
    found, sources = Experts(), dict[str, list[str]]()
    for path in checkpoint.paths("lora_A"):
        sources.setdefault(path.replace(NESTED, ""), []).append(path)
    for path, nested in sources.items():
        module = modules.find(path)
        spots = [] if module is None else _spots(module, modules)
        if spots:
            _module(checkpoint, path, sorted(nested, key=len, reverse=True), spots, found)
            found.targets.append(Target(path, path, spots[0].module, tuple(spots)))
    return found


def _module(checkpoint: Checkpoint, path: str, nested: list[str], spots: list[Spot], found: Experts) -> None:
    """nested: the innermost first, which belongs to the first parameter that the config names."""
    settings = checkpoint.settings
    named = [name.rpartition(".")[2] for name in settings.words("target_parameters")]
    wanted = [name for name in PARAMETERS if name in named]
    if len(wanted) != len(nested):
        raise LoadError(f"{path} has {len(nested)} LoRAs for the parameters {', '.join(wanted) or 'none'}.")
    by_role = {spot.place.role: spot for spot in spots}
    for name, source in zip(wanted, nested, strict=True):
        spot = by_role.pop(PARAMETERS[name])
        found.tensors[spot.key] = held = _cut(checkpoint, source, spot)
        found.ranks[spot.key] = held["lora_a"].shape[1]
        check_rank(settings, f"{path}.{name}", found.ranks[spot.key])
        alpha = settings.number("lora_alpha", 8)
        found.alphas[spot.key] = settings.by_pattern("alpha_pattern", f"{path}.{name}", alpha)
    if by_role:
        # Our word `experts` means both tensors of an expert: the other one's update is zero.
        spare = LoRAConfig(r=min(found.ranks.values()))
        found.tensors |= nothing(spare, by_role.values())
        found.ranks |= {spot.key: spare.r for spot in by_role.values()}
        found.filled |= {spot.key for spot in by_role.values()}


def _cut(checkpoint: Checkpoint, path: str, spot: Spot) -> Tensors:
    """PEFT's B has the expert as the innermost of its columns, its A as the outermost of its rows."""
    a, b = checkpoint.matrix(path, "lora_A.weight"), checkpoint.matrix(path, "lora_B.weight")
    (count,), place = spot.place.extent, spot.place
    rank = len(a) // count
    check_shape(path, "lora_A.weight", a, (rank * count, place.width_in))
    check_shape(path, "lora_B.weight", b, (place.width_out, rank * count))
    return {
        "lora_a": a.view(count, rank, -1),
        "lora_b": b.view(len(b), rank, count).permute(2, 0, 1),
    }


def _spots(module: nn.Module, modules: Modules) -> list[Spot]:
    """The expert places of a module that holds experts."""
    every = modules.atlas.spots.values()
    return [s for s in every if s.place.role in EXPERT_ROLES and s.module is module]
