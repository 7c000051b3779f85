"""VeRA: vectors between random matrices, which the file holds or a seed tells."""

import torch
from torch import Tensor

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules, Target, check_shape, rows
from adapter_lib.inject import Key
from adapter_lib.methods.vera import VeRAProjections
from adapter_lib.points import maps
from adapter_lib.spec.configs import LoRAConfig, Shapes, VeRAConfig
from adapter_lib.spec.errors import LoadError

_A, _B = "base_model.vera_A", "base_model.vera_B"


def vera(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """VeRA; where PEFT adapts a fused map as one, the LoRA that computes the same.

    Every map of ours takes the first rows of B, but a fused map's shares are different rows.
    """
    settings = checkpoint.settings
    targets = [modules.target(path) for path in checkpoint.paths("vera_lambda_d")]
    if not targets:
        return []
    config = VeRAConfig(
        **modules.aim(targets),
        r=settings.whole("r", 256),
        dropout=settings.number("vera_dropout", 0),
        d_initial=settings.number("d_initial", 0.1),
        seed=settings.whole("projection_prng_key", 0),
    )
    vectors = {target.path: _vectors(checkpoint, target, config.r) for target in targets}
    a, b = _projections(checkpoint, config, targets)
    if any(len(target.spots) > 1 for target in targets):
        return [_as_lora(config, targets, vectors, a, b)]
    tensors: dict[Key, Tensors] = {}
    for target in targets:
        inner, outer = vectors[target.path]
        tensors[target.spot.key] = {"vera_d": inner, "vera_b": outer}
    return [Member(config, tensors, {"vera_a": a, "vera_b": b})]


def _vectors(checkpoint: Checkpoint, target: Target, rank: int) -> tuple[Tensor, Tensor]:
    """d [r] and b [out]; their shapes are checked before anything is made of the rank."""
    inner, outer = (checkpoint.take(target.path, f"vera_lambda_{name}") for name in "db")
    check_shape(target.path, "vera_lambda_d", inner, (rank,))
    check_shape(target.path, "vera_lambda_b", outer, (maps.widths(target.module)[1],))
    return inner, outer


def _projections(checkpoint: Checkpoint, config: VeRAConfig, targets: list[Target]) -> tuple[Tensor, Tensor]:
    """A [r, largest in] and B [largest out, r].

    Raises LoadError if the file should hold them and does not.
    """
    widths = [maps.widths(target.module) for target in targets]
    shapes: Shapes = {
        "vera_a": (config.r, max(w for w, _ in widths)),
        "vera_b": (max(w for _, w in widths), config.r),
    }
    if _A in checkpoint.whole or _B in checkpoint.whole:
        a, b = checkpoint.take_whole(_A), checkpoint.take_whole(_B)
        return check_shape("VeRA", _A, a, shapes["vera_a"]), check_shape("VeRA", _B, b, shapes["vera_b"])
    if checkpoint.settings.flag("save_projection", default=True):
        raise LoadError(f"The file lacks VeRA's projections {_A} and {_B}, which its settings say it holds.")
    drawn = VeRAProjections(config, shapes, torch.zeros(1))
    drawn.initialise()
    return drawn.vera_a.detach(), drawn.vera_b.detach()


def _as_lora(
    config: VeRAConfig, targets: list[Target], vectors: dict[str, tuple[Tensor, Tensor]], a: Tensor, b: Tensor
) -> Member:
    """diag(d) A and diag(b) B as LoRA's A and B, with a scale of 1."""
    tensors: dict[Key, Tensors] = {}
    for target in targets:
        (inner, outer), (width_in, width_out) = vectors[target.path], maps.widths(target.module)
        down, up = inner[:, None] * a[:, :width_in], outer[:, None] * b[:width_out]
        tensors |= {spot.key: {"lora_a": down, "lora_b": rows(spot, up)} for spot in target.spots}
    same = LoRAConfig(
        targets=config.targets, leave_out=config.leave_out, r=config.r, alpha=config.r, dropout=config.dropout
    )
    return Member(same, tensors)
