"""DoRA (Liu et al. 2024, https://arxiv.org/abs/2402.09353): a weight's rows in magnitude and direction."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_choice, check_flags
from adapter_lib.spec.configs.lora import check_start
from adapter_lib.spec.configs.low_rank import LowRankConfig
from adapter_lib.spec.configs.registry import register_config


@dataclass(frozen=True, eq=False, kw_only=True)
class DoRAConfig(LowRankConfig):
    """W' = m ⊙ V / ‖V‖, V = W + s · B A, with ‖V‖ [out] the norms of V's rows and m [out] learned.

    m starts as the norms of W's rows. ‖V‖ counts as a constant in the gradient (section 4.3 of the paper).
    As the authors' code does, dropout acts on the input of the whole update W' - W, not of B A alone.

    init_weights: as LoRA's "lora", "gaussian" and "orthogonal".
    scales_bias: m / ‖V‖ multiplies the map's bias too, as in AdapterHub's library. Not the published method;
        checkpoints that were trained so need it.
    """

    method: ClassVar[str] = "dora"
    kinds: ClassVar[tuple[str, ...]] = ("linear", "conv", "embedding")

    init_weights: str = "lora"
    scales_bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "init_weights", ("lora", "gaussian", "orthogonal"))
        check_flags(self, "scales_bias")

    def name(self) -> str:
        return "dora"

    def map_shapes(self, place: Place) -> Shapes:
        check_start(self.init_weights, self.rank_at(place), place)
        return super().map_shapes(place) | {"magnitude": (place.width_out,)}


register_config(DoRAConfig, presets={"dora": DoRAConfig})
