"""AdaLoRA: P Λ Q."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.importing import blocks
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules, Target, check_shape
from adapter_lib.formats.peft.settings import Settings
from adapter_lib.inject import Key
from adapter_lib.points import maps
from adapter_lib.spec.configs import AdaLoRAConfig
from adapter_lib.spec.errors import LoadError

# PEFT divides by the rank and a little more.
MORE = 1e-5


def adalora(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """PEFT's scale is alpha / (init_r + 1e-5): what is more goes into Λ.

    Where ranks were shared out, the file has what is left of them; the rest is zero here.
    """
    settings, rank = checkpoint.settings, checkpoint.settings.whole("init_r", 12)
    whole = [modules.target(path) for path in checkpoint.paths("lora_A")]
    if not whole:
        return []
    held = {target.path: _triple(checkpoint, target, rank) for target in whole}
    # Λ stands beside Q's rows, so that it is cut with them.
    beside = {path: (torch.cat([q, singular], dim=1), p) for path, (q, p, singular) in held.items()}
    targets, shares = blocks.cut(whole, beside, modules)
    tensors: dict[Key, Tensors] = {}
    ranks = {len(a) for a, _ in shares.values()}
    own = rank if ranks & {len(q) for q, *_ in held.values()} else max(ranks)
    for key, (a, p) in shares.items():
        a, p = F.pad(a, (0, 0, 0, own - len(a))), F.pad(p, (0, own - len(a)))
        tensors[key] = {"q": a[:, :-1], "p": p, "singular": a[:, -1] * (rank / (rank + MORE))}
    config = AdaLoRAConfig(
        **modules.aim(targets),
        init_r=own,
        target_r=max(1, min(own, settings.whole("target_r", 8) * own // rank)),
        alpha=settings.number("lora_alpha", 8) * own / rank,
        **_training(settings),
    )
    return [Member(config, tensors)]


def _triple(checkpoint: Checkpoint, target: Target, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Q [r, in], P [out, r] and Λ [r, 1] of a module, r being what is left of `rank`."""
    q, p, singular = (checkpoint.matrix(target.path, f"lora_{name}") for name in "ABE")
    left, (width_in, width_out) = len(q), maps.widths(target.module)
    if not 0 <= left <= rank <= 4 * max(width_in, width_out):
        raise LoadError(
            f"{target.path} ({width_in} inputs, {width_out} outputs) has the rank {left} of init_r {rank}."
        )
    check_shape(target.path, "lora_A", q, (left, width_in))
    check_shape(target.path, "lora_B", p, (width_out, left))
    check_shape(target.path, "lora_E", singular, (left, 1))
    return q, p, singular


def _training(settings: Settings) -> dict[str, Any]:
    return {
        "dropout": settings.number("lora_dropout", 0),
        "orth_reg": settings.number("orth_reg_weight", 0.5),
        "tinit": settings.whole("tinit", 0),
        "tfinal": settings.whole("tfinal", 0),
        "delta_t": settings.whole("deltaT", 1),
        "beta1": settings.number("beta1", 0.85),
        "beta2": settings.number("beta2", 0.85),
    }
