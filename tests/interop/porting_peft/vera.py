"""VeRA: vectors between random matrices, which the file holds or a seed tells."""

import torch
from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key
from adapter_lib.methods.vera import VeRAProjections
from adapter_lib.points import maps
from adapter_lib.spec.configs import LoRAConfig, Shapes, VeRAConfig
from tests.interop.porting_peft.checkpoint import Checkpoint
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import Target, aimed_at, rows, target

Tensors = dict[str, Tensor]


def vera(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """VeRA; where the peer adapts a fused map as one, the LoRA that computes the same.

    Every map of ours takes the first rows of B, but a fused map's shares are different rows.
    """
    given = checkpoint.config
    targets = [target(path, atlas) for path in checkpoint.paths("vera_lambda_d")]
    config = VeRAConfig(
        **aimed_at(targets, atlas),
        r=given["r"],
        dropout=given["vera_dropout"],
        d_initial=given["d_initial"],
        seed=given["projection_prng_key"],
    )
    a, b = _projections(checkpoint, config, targets)
    vectors = {t.path: [checkpoint.take(t.path, f"vera_lambda_{n}") for n in "db"] for t in targets}
    if any(len(found.spots) > 1 for found in targets):
        return [_as_lora(config, targets, vectors, a, b)]
    tensors: dict[Key, Tensors] = {}
    for found in targets:
        inner, outer = vectors[found.path]
        tensors[found.spot.key] = {"vera_d": inner, "vera_b": outer}
    return [Member(config, tensors, {"vera_a": a, "vera_b": b})]


def _projections(checkpoint: Checkpoint, config: VeRAConfig, targets: list[Target]) -> tuple[Tensor, Tensor]:
    """A [r, largest in] and B [largest out, r]."""
    if "base_model.vera_A" in checkpoint.whole:
        return checkpoint.whole.pop("base_model.vera_A"), checkpoint.whole.pop("base_model.vera_B")
    widths = [maps.widths(found.module) for found in targets]
    shapes: Shapes = {
        "vera_a": (config.r, max(w for w, _ in widths)),
        "vera_b": (max(w for _, w in widths), config.r),
    }
    drawn = VeRAProjections(config, shapes, torch.zeros(1))
    drawn.initialise()
    return drawn.vera_a.detach(), drawn.vera_b.detach()


def _as_lora(
    config: VeRAConfig, targets: list[Target], vectors: dict[str, list[Tensor]], a: Tensor, b: Tensor
) -> Member:
    """diag(d) A and diag(b) B as LoRA's A and B, with a scale of 1."""
    tensors: dict[Key, Tensors] = {}
    for found in targets:
        (inner, outer), (width_in, width_out) = vectors[found.path], maps.widths(found.module)
        down, up = inner[:, None] * a[:, :width_in], outer[:, None] * b[:width_out]
        for spot in found.spots:
            tensors[spot.key] = {"lora_a": down, "lora_b": rows(spot, up)}
    same = LoRAConfig(
        targets=config.targets, leave_out=config.leave_out, r=config.r, alpha=config.r, dropout=config.dropout
    )
    return Member(same, tensors)
