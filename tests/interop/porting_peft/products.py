"""LoHa and LoKr, whose factors have the peer's shapes here too."""

from typing import Any

from torch import Tensor

from adapter_lib.inject import Atlas
from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import LoHaConfig, LoKrConfig
from tests.interop.porting_peft.checkpoint import Checkpoint
from tests.interop.porting_peft.ported import Member
from tests.interop.porting_peft.target_modules import aimed_at, target

_LOHA = {"hada_w1_a": "b1", "hada_w1_b": "a1", "hada_w2_a": "b2", "hada_w2_b": "a2"}
_LOKR = {
    "lokr_w1": "c",
    "lokr_w1_a": "c_b",
    "lokr_w1_b": "c_a",
    "lokr_w2": "d",
    "lokr_w2_a": "d_b",
    "lokr_w2_b": "d_a",
}


def loha(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """(B₁ A₁) ⊙ (B₂ A₂); the peer's `a` is what goes out."""
    aims, tensors = _renamed(checkpoint, atlas, _LOHA)
    return [Member(LoHaConfig(**aims, **_scale(checkpoint)), tensors)]


def lokr(checkpoint: Checkpoint, atlas: Atlas) -> list[Member]:
    """C ⊗ D, each full or of low rank."""
    aims, tensors = _renamed(checkpoint, atlas, _LOKR)
    given = checkpoint.config
    config = LoKrConfig(
        **aims,
        **_scale(checkpoint),
        factor=given["decompose_factor"],
        decompose_both=given["decompose_both"],
    )
    return [Member(config, tensors)]


def _scale(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"r": checkpoint.config["r"], "alpha": checkpoint.config["alpha"]}


def _renamed(
    checkpoint: Checkpoint, atlas: Atlas, names: dict[str, str]
) -> tuple[dict[str, Any], dict[Key, dict[str, Tensor]]]:
    targets = [target(path, atlas) for path in checkpoint.paths(*names)]
    tensors: dict[Key, dict[str, Tensor]] = {}
    for found in targets:
        taken = {ours: checkpoint.take_if(found.path, theirs) for theirs, ours in names.items()}
        tensors[found.spot.key] = {name: tensor for name, tensor in taken.items() if tensor is not None}
    return aimed_at(targets, atlas), tensors
