"""FourierFT (Gao et al. 2024, https://arxiv.org/abs/2405.03003): an update that is sparse in frequencies."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.checks import check_choice, check_positive, check_whole
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import TargetedConfig
from adapter_lib.spec.errors import ConfigError


@dataclass(frozen=True, eq=False, kw_only=True)
class FourierFTConfig(TargetedConfig):
    """ΔW = scaling · Re(IDFT₂(F)), with F [out, in] zero but for n_frequency learned entries.

    ΔW[p, q] = scaling / (out · in) · Σ_j c_j cos(2π (u_j p / out + v_j q / in)).
    seed: which entries (u_j, v_j): the first of a permutation of all, drawn by torch's generator on the CPU.
        Only the c_j are stored, as the entries follow from the seed.
    init: c starts at "zeros" (nothing changes at first) or "normal" (as in the paper).
    """

    method: ClassVar[str] = "fourierft"
    measure: ClassVar[str] = "frequencies"

    n_frequency: int = 1000
    scaling: float = 150.0
    seed: int = 777
    init: str = "zeros"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "n_frequency", 1)
        check_whole(self, "seed", 0)
        check_positive(self, "scaling")
        check_choice(self, "init", ("zeros", "normal"))

    def name(self) -> str:
        return "fourierft"

    def size(self) -> int:
        return self.n_frequency

    def decisive(self) -> tuple[str, ...]:
        return ("spectrum",)

    def map_shapes(self, place: Place) -> Shapes:
        entries = place.width_in * place.width_out
        if self.n_frequency > entries:
            raise ConfigError(
                f"fourierft: n_frequency {self.n_frequency} is more than the {entries} entries that "
                f"{place.role} has."
            )
        return {"spectrum": (self.n_frequency,)}


register_config(FourierFTConfig, presets={"fourierft": FourierFTConfig})
