"""LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685): a low-rank update of maps with weights."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_choice
from adapter_lib.spec.configs.low_rank import LowRankConfig, largest_rank
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError

# Starts that take the update of the start off again, so that a fresh adapter changes nothing.
PRINCIPAL_STARTS = ("pissa", "olora")
STARTS = ("lora", "bert", "gaussian", "orthogonal", *PRINCIPAL_STARTS, "eva", "loftq")
# Starts whose matrices are no larger than the weight's rank.
_BOUNDED = (*PRINCIPAL_STARTS, "eva", "loftq")


@dataclass(frozen=True, eq=False, kw_only=True)
class LoRAConfig(LowRankConfig):
    """h = W x + s · B A dropout(x), with A [r, in], B [out, r] and s = alpha / r.

    use_gating: the gate takes the place of s.
    init_weights:
        "lora": A Kaiming-uniform with a = √5, B zero (an embedding: A zero, B normal(0, 1)).
        "bert": both normal(0, 0.02): not the base at first.
        "gaussian": A normal(0, 1 / r), B zero.
        "orthogonal": A and B random with B A = 0, both able to learn from the first step; r is even.
        "pissa" (Meng et al. 2024, https://arxiv.org/abs/2404.02948): s · B A starts as the r principal
            components of W. "olora" (Büyükakyüz 2024, https://arxiv.org/abs/2406.01775): B A starts as the
            first r columns and rows of W's QR decomposition. In both papers W is replaced by what is left of
            it. Here W stays, and the start A0, B0 is kept with the adapter:
            h = W x + s · (B A dropout(x) - B0 A0 x), the same function; merged, it is W + s (B A - B0 A0).
        "eva" (Paischer et al. 2024, https://arxiv.org/abs/2410.07170): as "lora" until
            `adapter_lib.training.eva_start` has seen data.
        "loftq" (Li et al. 2023, https://arxiv.org/abs/2310.08659): as "lora" until
            `adapter_lib.training.loftq_start` has seen the weights before they were quantised.
    """

    method: ClassVar[str] = "lora"

    init_weights: str = "lora"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "init_weights", STARTS)

    def name(self) -> str:
        return "lora"

    def decisive(self) -> tuple[str, ...]:
        return () if self.init_weights in PRINCIPAL_STARTS else ("lora_b",)

    def map_shapes(self, place: Place) -> Shapes:
        found = super().map_shapes(place)
        check_start(self.init_weights, self.rank_at(place), place)
        if self.init_weights in PRINCIPAL_STARTS:
            found |= {"start_a": found["lora_a"], "start_b": found["lora_b"]}
        return found


def check_start(start: str, rank: int, place: Place) -> None:
    """Raises ConfigError for a rank that a start cannot have at a place."""
    largest = largest_rank(place)
    if start in _BOUNDED and rank > largest:
        raise ConfigError(
            f"init_weights={start!r} needs a rank of at most {largest} at {place.key}, which has no more "
            f"components, not {rank}."
        )
    if start == "orthogonal" and rank % 2:
        raise ConfigError(f"init_weights='orthogonal' halves the rank, so it must be even, not {rank}.")


register_config(LoRAConfig, presets={"lora": LoRAConfig})
