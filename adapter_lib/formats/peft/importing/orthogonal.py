"""OFT, BOFT and HRA. PEFT turns a row x to x R: what turns our columns is Rᵀ."""

from math import isqrt
from typing import Any

import torch
from torch import Tensor

from adapter_lib.formats.peft.checkpoint import Checkpoint, Tensors
from adapter_lib.formats.peft.members import Member
from adapter_lib.formats.peft.modules import Modules, Target
from adapter_lib.formats.peft.settings import Settings
from adapter_lib.inject import Key
from adapter_lib.spec.configs import BOFTConfig, HRAConfig, OFTConfig
from adapter_lib.spec.errors import LoadError


def oft(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """One config per width of blocks: PEFT takes another where the one it was given does not divide."""
    settings = checkpoint.settings
    groups: dict[int, list[tuple[Target, Tensor, float]]] = {}
    for path in checkpoint.paths("oft_R"):
        skew = checkpoint.matrix(path, "oft_R.weight")
        width = (1 + isqrt(1 + 8 * skew.shape[1])) // 2
        # Ours is ‖Q‖ ≤ eps per block; PEFT's eps goes by the number of the blocks that it has.
        limit = settings.number("eps", 6e-5) / max(len(skew), 1) ** 0.5
        skew = _limited(skew, limit) if settings.flag("coft") else skew
        # Rᵀ has -Q for Q; without the series PEFT's own R has it already.
        turned = -skew if settings.flag("use_cayley_neumann", default=True) else skew
        groups.setdefault(width, []).append((modules.target(path), turned, limit))
    members: list[Member] = []
    for width, found in groups.items():
        limit, aims = max(limit for *_, limit in found), modules.aim([target for target, *_ in found])
        tensors = {target.spot.key: {"skew": skew} for target, skew, _ in found}
        members.append(Member(_oft_config(settings, width, limit, aims), tensors))
    return members


def _oft_config(settings: Settings, width: int, limit: float, aims: dict[str, Any]) -> OFTConfig:
    constraint: dict[str, Any] = {"coft": True, "eps": limit} if settings.flag("coft") else {}
    return OFTConfig(
        **aims,
        block_size=width,
        block_share=settings.flag("block_share"),
        neumann_terms=_neumann_terms(settings),
        **constraint,
    )


def _neumann_terms(settings: Settings) -> int:
    """PEFT's count is one more than ours, but 3 means what 4 means, and 2 is half a term."""
    if not settings.flag("use_cayley_neumann", default=True):
        return 0
    count = settings.whole("num_cayley_neumann_terms", 5)
    if count < 3:
        raise LoadError(f"A rotation I + 2 Q ({count} terms of the series) is no rotation here.")
    return max(count, 4) - 1


def _limited(skew: Tensor, limit: float) -> Tensor:
    """What constrained OFT makes of Q [blocks, entries above the diagonal]: ‖Q‖_F ≤ limit, block by block."""
    norm = 2**0.5 * torch.linalg.vector_norm(skew, dim=-1, keepdim=True)
    limited: Tensor = skew * (limit / norm.clamp(min=limit))
    return limited


def boft(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """y = s ⊙ W R x + b. Without its CUDA kernel PEFT makes one factor, whatever the config asks for."""
    groups: dict[int, list[tuple[Target, Tensors]]] = {}
    for path in checkpoint.paths("boft_R"):
        matrices, factor = checkpoint.take(path, "boft_R"), checkpoint.take(path, "boft_s")
        if matrices.dim() != 4 or matrices.shape[-1] != matrices.shape[-2]:
            raise LoadError(
                f"The tensor 'boft_R' of {path} is {list(matrices.shape)}, and should be [factors, blocks, "
                "width, width]."
            )
        if len(matrices) > 1:
            raise LoadError(f"{path} has {len(matrices)} butterfly factors, in an order that ours has not.")
        held = {"skew": _above(matrices), "factor": factor.flatten()}
        groups.setdefault(matrices.shape[-1], []).append((modules.target(path), held))
    return [
        Member(
            BOFTConfig(**modules.aim([target for target, _ in found]), block_size=width, rescale=True),
            {target.spot.key: held for target, held in found},
        )
        for width, found in groups.items()
    ]


def _above(matrices: Tensor) -> Tensor:
    """Q = (M - Mᵀ) / 2 of PEFT's free M [factors, blocks, b, b], above its diagonal, row by row."""
    width = matrices.shape[-1]
    skew = (matrices - matrices.transpose(-1, -2)) / 2
    upper, right = torch.triu_indices(width, width, 1)
    return skew[..., upper, right]


def hra(checkpoint: Checkpoint, modules: Modules) -> list[Member]:
    """H₁ … H_r. With `apply_GS` the u_i are made orthonormal first, and I - 2 U Uᵀ is their product too."""
    settings, tensors = checkpoint.settings, dict[Key, Tensors]()
    targets = [modules.target(path) for path in checkpoint.paths("hra_u")]
    for target in targets:
        u = checkpoint.matrix(target.path, "hra_u")
        tensors[target.spot.key] = {"u": (_orthonormal(u) if settings.flag("apply_GS") else u).t()}
    if not targets:
        return []
    return [Member(HRAConfig(**modules.aim(targets), r=settings.whole("r", 8)), tensors)]


def _orthonormal(u: Tensor) -> Tensor:
    """Gram-Schmidt over the columns; the signs do not matter to reflections."""
    q: Tensor = torch.linalg.qr(u.double())[0]
    return q.to(u.dtype)
