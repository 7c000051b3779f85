"""OFT, BOFT and HRA. The peer turns a row x to x R: what turns our columns is Rᵀ."""

from math import isqrt
from typing import Any

import torch
from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import BOFTConfig, HRAConfig, OFTConfig
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import Target, aimed_at, target

Tensors = dict[str, Tensor]


def oft(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """One config per width of blocks: the peer takes another where the one it was given does not divide."""
    targets = [target(path, atlas) for path in checkpoint.paths("oft_R")]
    groups: dict[int, dict[Key, Tensors]] = {}
    members: dict[int, list[Target]] = {}
    limits: dict[int, list[float]] = {}
    for found in targets:
        skew = checkpoint.take(found.path, "oft_R.weight")
        width = (1 + isqrt(1 + 8 * skew.shape[1])) // 2
        # Ours is ‖Q‖ ≤ eps per block; the peer's eps goes by the number of the blocks that it has.
        limit = checkpoint.config["eps"] / len(skew) ** 0.5
        skew = _limited(skew, limit) if checkpoint.config["coft"] else skew
        # Rᵀ has -Q for Q; without the series the peer's own R has it already.
        turned = -skew if checkpoint.config["use_cayley_neumann"] else skew
        groups.setdefault(width, {})[found.spot.key] = {"skew": turned}
        members.setdefault(width, []).append(found)
        limits.setdefault(width, []).append(limit)
    return [
        Member(_oft_config(checkpoint, width, max(limits[width]), aimed_at(members[width], atlas)), tensors)
        for width, tensors in groups.items()
    ]


def _oft_config(checkpoint: Checkpoint, width: int, limit: float, aims: dict[str, Any]) -> OFTConfig:
    given = checkpoint.config
    constraint: dict[str, Any] = {"coft": True, "eps": limit} if given["coft"] else {}
    return OFTConfig(
        **aims,
        block_size=width,
        block_share=given["block_share"],
        neumann_terms=_neumann_terms(given),
        **constraint,
    )


def _neumann_terms(given: dict[str, Any]) -> int:
    """The peer's count is one more than ours, but 3 means what 4 means, and 2 is half a term."""
    count: int = given["num_cayley_neumann_terms"]
    if not given["use_cayley_neumann"]:
        return 0
    if count < 3:
        raise NotPortableError(f"A rotation I + 2 Q ({count} terms of the series) is no rotation here.")
    return max(count, 4) - 1


def _limited(skew: Tensor, limit: float) -> Tensor:
    """What constrained OFT makes of Q [blocks, entries above the diagonal]: ‖Q‖_F ≤ limit, block by block."""
    norm = 2**0.5 * torch.linalg.vector_norm(skew, dim=-1, keepdim=True)
    limited: Tensor = skew * (limit / norm.clamp(min=limit))
    return limited


def boft(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """y = s ⊙ W R x + b. Without its CUDA kernel the peer makes one factor, whatever the config asks for."""
    tensors, width = dict[Key, Tensors](), 0
    targets = [target(path, atlas) for path in checkpoint.paths("boft_R")]
    for found in targets:
        matrices, factor = checkpoint.take(found.path, "boft_R"), checkpoint.take(found.path, "boft_s")
        if len(matrices) > 1:
            raise NotPortableError(
                f"{found.path} has {len(matrices)} butterfly factors, in an order that ours has not."
            )
        width = matrices.shape[-1]
        tensors[found.spot.key] = {"skew": _above(matrices), "factor": factor.flatten()}
    config = BOFTConfig(**aimed_at(targets, atlas), block_size=width, rescale=True)
    return [Member(config, tensors)]


def _above(matrices: Tensor) -> Tensor:
    """Q = (M - Mᵀ) / 2 of the peer's free M [factors, blocks, b, b], above its diagonal, row by row."""
    width = matrices.shape[-1]
    skew = (matrices - matrices.transpose(-1, -2)) / 2
    upper, right = torch.triu_indices(width, width, 1)
    return skew[..., upper, right]


def hra(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """H₁ … H_r. With `apply_GS` the u_i are made orthonormal first, and I - 2 U Uᵀ is their product too."""
    given, tensors = checkpoint.config, dict[Key, Tensors]()
    targets = [target(path, atlas) for path in checkpoint.paths("hra_u")]
    for found in targets:
        u = checkpoint.take(found.path, "hra_u")
        tensors[found.spot.key] = {"u": (_orthonormal(u) if given["apply_GS"] else u).t()}
    return [Member(HRAConfig(**aimed_at(targets, atlas), r=given["r"]), tensors)]


def _orthonormal(u: Tensor) -> Tensor:
    """Gram-Schmidt over the columns; the signs do not matter to reflections."""
    q: Tensor = torch.linalg.qr(u.double())[0]
    return q.float()
