"""LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685): a low-rank update of a linear map."""

import math
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_flags,
    check_layer_ids,
    check_positive,
    check_probability,
    check_whole,
    refuse,
    store,
)
from adapter_lib.spec.configs.registry import register_config

TARGETS = {
    "q": "attn.q",
    "k": "attn.k",
    "v": "attn.v",
    "o": "attn.o",
    "up": "ffn.up",
    "gate": "ffn.gate",
    "down": "ffn.down",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class LoRAConfig(MethodConfig):
    """h = W x + s · B A dropout(x), with A [r, in], B [out, r] and s = alpha / r.

    targets: the linear maps that get an update: q, k, v, o (attention) and up, gate, down (feed-forward);
        the letters of a fused projection can be chosen singly.
    dropout: on the input of A only.
    rslora: s = alpha / sqrt(r) instead (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732).
    """

    method: ClassVar[str] = "lora"

    r: int = 8
    alpha: float = 8.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("q", "v")
    rslora: bool = False

    def __post_init__(self) -> None:
        check_whole(self, "r", 1)
        check_positive(self, "alpha")
        check_probability(self, "dropout")
        check_flags(self, "rslora")
        check_layer_ids(self, "leave_out")
        self._check_targets()

    def _check_targets(self) -> None:
        given = self.targets
        if not isinstance(given, list | tuple) or not given or not all(target in TARGETS for target in given):
            raise refuse(self, "targets", "a list from " + ", ".join(TARGETS))
        store(self, "targets", tuple(target for target in TARGETS if target in given))

    @property
    def scale(self) -> float:
        """s of the equation above."""
        return self.alpha / (math.sqrt(self.r) if self.rslora else self.r)

    def name(self) -> str:
        return "lora"

    def roles(self) -> tuple[str, ...]:
        return tuple(TARGETS[target] for target in self.targets)

    def size(self) -> int:
        return self.r

    def shapes(self, place: Place) -> Shapes:
        return {"lora_a": (self.r, place.width_in), "lora_b": (place.width_out, self.r)}


register_config(LoRAConfig, presets={"lora": LoRAConfig})
