"""LoHa, LoKr and HiRA, whose factors have PEFT's shapes here too; one config per rank."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.importing import blocks
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules, Target, check_shape
from adapter_lib.points import maps
from adapter_lib.spec.configs import HiRAConfig, LoHaConfig, LoKrConfig, MethodConfig
from adapter_lib.spec.errors import LoadError

LOHA = {"hada_w1_a": "b1", "hada_w1_b": "a1", "hada_w2_a": "b2", "hada_w2_b": "a2"}
LOKR = {
    "lokr_w1": "c",
    "lokr_w1_a": "c_b",
    "lokr_w1_b": "c_a",
    "lokr_w2": "d",
    "lokr_w2_a": "d_b",
    "lokr_w2_b": "d_a",
}
HIRA = {"hira_A": "a", "hira_B": "b"}


def loha(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """(B₁ A₁) ⊙ (B₂ A₂); PEFT's `a` is what goes out."""
    return _by_rank(checkpoint, modules, LOHA, "b1", lambda aims, scale: LoHaConfig(**aims, **scale))


def lokr(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """C ⊗ D, each full or of low rank."""
    settings = checkpoint.settings
    shape: dict[str, Any] = {
        "factor": settings.whole("decompose_factor", -1),
        "decompose_both": settings.flag("decompose_both"),
    }

    def config(aims: dict[str, Any], scale: dict[str, Any]) -> MethodConfig:
        return LoKrConfig(**aims, **scale, **shape)

    return _by_rank(checkpoint, modules, LOKR, "c", config)


def hira(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """W ⊙ (B A), without a scale: a fused map's rows are shared out."""
    whole = [modules.target(path) for path in checkpoint.paths(*HIRA)]
    targets, shares = blocks.cut(whole, {t.path: _pair(checkpoint, t) for t in whole}, modules)
    groups: dict[int, list[Target]] = {}
    for target in targets:
        groups.setdefault(max(len(shares[spot.key][0]) for spot in target.spots), []).append(target)
    members: list[Member] = []
    for rank, found in groups.items():
        spots = [spot for target in found for spot in target.spots]
        tensors = {spot.key: _padded(*shares[spot.key], rank) for spot in spots}
        members.append(Member(HiRAConfig(**modules.aim(found), r=rank), tensors))
    return members


def _pair(checkpoint: Checkpoint, target: Target) -> blocks.Factors:
    a, b = (checkpoint.matrix(target.path, name) for name in HIRA)
    width_in, width_out = maps.widths(target.module)
    check_shape(target.path, "hira_A", a, (len(a), width_in))
    return a, check_shape(target.path, "hira_B", b, (width_out, len(a)))


def _padded(a: Tensor, b: Tensor, rank: int) -> Tensors:
    """A and B with zeros up to a rank."""
    more = rank - len(a)
    return {"a": F.pad(a, (0, 0, 0, more)), "b": F.pad(b, (0, more))}


def _by_rank(
    checkpoint: Checkpoint,
    modules: Modules,
    names: Mapping[str, str],
    carrier: str,
    config: Callable[[dict[str, Any], dict[str, Any]], MethodConfig],
) -> list[Member]:
    """carrier: the tensor that takes up what a module's alpha / r is more than the config's."""
    settings = checkpoint.settings
    usual = settings.number("alpha", 8)
    groups: dict[int, list[tuple[Target, Tensors]]] = {}
    for path in checkpoint.paths(*names):
        taken = {ours: checkpoint.take_if(path, theirs) for theirs, ours in names.items()}
        tensors = {name: tensor for name, tensor in taken.items() if tensor is not None}
        alpha = settings.by_pattern("alpha_pattern", path, usual)
        rank = int(settings.by_pattern("rank_pattern", path, settings.whole("r", 8)))
        if alpha != usual:
            part = carrier if carrier in tensors else f"{carrier}_b"
            if part not in tensors:
                raise LoadError(f"The file lacks a factor of {path}.")
            tensors[part] = tensors[part] * (alpha / usual)
        groups.setdefault(rank, []).append((modules.target(path), tensors))
    return [
        Member(
            config(modules.aim([target for target, _ in found]), {"r": rank, "alpha": usual}),
            {target.spot.key: tensors for target, tensors in found},
        )
        for rank, found in groups.items()
    ]
