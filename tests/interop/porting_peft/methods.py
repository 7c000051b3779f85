"""Which of the porting functions reads which kind of the peer's checkpoints."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from adapter_lib.inject import Atlas
from tests.interop.porting_peft import (
    additions,
    fourier,
    low_rank,
    orthogonal,
    products,
    prompts,
    scaling,
    spectral,
    vera,
)
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.ported import Member, Ported

_METHODS: dict[str, Callable[[Checkpoint, Atlas], list[Member]]] = {
    "LORA": low_rank.lora,
    "ADALORA": spectral.adalora,
    "VERA": vera.vera,
    "LOHA": products.loha,
    "LOKR": products.lokr,
    "OFT": orthogonal.oft,
    "BOFT": orthogonal.boft,
    "HRA": orthogonal.hra,
    "FOURIERFT": fourier.fourierft,
    "IA3": scaling.ia3,
    "LN_TUNING": scaling.norms,
    "TRAINABLE_TOKENS": additions.tokens,
    "PREFIX_TUNING": prompts.prefix,
    "PROMPT_TUNING": prompts.prompt,
    "P_TUNING": prompts.prompt,
}


def port(folder: Path, atlas: Atlas) -> Ported:
    """One of the peer's checkpoints as an adapter of ours for this model.

    Raises NotPortableError for what no method here can compute, and for tensors that nobody understood.
    """
    checkpoint = Checkpoint.read(folder)
    kind = checkpoint.config["peft_type"]
    if kind not in _METHODS:
        raise NotPortableError(f"No method here reads checkpoints of the kind {kind}.")
    members = _METHODS[kind](checkpoint, atlas)
    members += additions.biases(checkpoint, atlas)
    backbone: dict[str, Tensor] = checkpoint.own
    checkpoint.own = {}
    if checkpoint.count:
        left = [f"{path}.{name}" for path, held in checkpoint.adapted.items() for name in held]
        raise NotPortableError(f"Nobody understood {', '.join([*left, *checkpoint.whole])}.")
    return Ported.of(members, backbone)
