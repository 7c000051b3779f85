"""MTL-LoRA (Yang et al. 2024, https://arxiv.org/abs/2410.09437): updates that tasks share in part."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_choice, check_positive, check_whole
from adapter_lib.spec.configs.low_rank import LowRankConfig
from adapter_lib.spec.configs.registry import register_config


@dataclass(frozen=True, eq=False, kw_only=True)
class MTLLoRAConfig(LowRankConfig):
    """h = W x + s Σ_i p_i B_i Λ A dropout(x) for one task, with p = softmax(w / τ).

    A [r, in] and B_i [out, r], i < n, are common to the tasks: one adapter per task is added, then
    `model.share_parameters(names)` ties them. Λ and w [n] are the task's own. The tasks act under MultiTask.

    n_up_projection: n. weights_sharpness: τ.
    task_specific_matrix_type: Λ is diagonal ("singular_values", r numbers) or dense ("linear", r × r); it
        starts as the identity. A starts as LoRA's, B_i at zero, w Kaiming-uniform with a = √5, as in the
        authors' code: equal weights would keep the B_i equal for ever.
    """

    method: ClassVar[str] = "mtl_lora"
    kinds: ClassVar[tuple[str, ...]] = ("linear",)

    n_up_projection: int = 1
    task_specific_matrix_type: str = "singular_values"
    weights_sharpness: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "n_up_projection", 1)
        check_choice(self, "task_specific_matrix_type", ("singular_values", "linear"))
        check_positive(self, "weights_sharpness")

    def name(self) -> str:
        return "mtl_lora"

    def decisive(self) -> tuple[str, ...]:
        return ("lora_b",)

    def map_shapes(self, place: Place) -> Shapes:
        rank, count = self.rank_at(place), self.n_up_projection
        is_dense = self.task_specific_matrix_type == "linear"
        return {
            "lora_a": (rank, place.width_in),
            "lora_b": (count, place.width_out, rank),
            "task_matrix": (rank, rank) if is_dense else (rank,),
            "weights": (count,),
        }


register_config(MTLLoRAConfig, presets={"mtl_lora": MTLLoRAConfig})
