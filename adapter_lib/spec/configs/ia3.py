"""(IA)³ (Liu et al. 2022, https://arxiv.org/abs/2205.05638): factors for keys, values and activations."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import check_gating, check_layer_ids, check_words
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import ROLE_WORDS
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import MIDDLE_ROLE

_WORDS: dict[str, tuple[str, ...]] = {
    **{word: ROLE_WORDS[word] for word in ("q", "k", "v", "o", "up", "gate", "down")},
    "ffn": (MIDDLE_ROLE,),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class IA3Config(MethodConfig):
    """softmax(q (l_k ⊙ k)ᵀ / √d) (l_v ⊙ v) in every attention, and W₂ (l_ff ⊙ f(W₁ x)) in the feed-forward.

    targets: `k` and `v` multiply what the projections give, biases included; `ffn` multiplies the input of
        the feed-forward block's second map. These three are the published method; `q`, `o`, `up`, `gate`,
        `down` multiply those maps' outputs.
    """

    method: ClassVar[str] = "ia3"
    measure: ClassVar[str] = ""

    targets: tuple[str, ...] = ("k", "v", "ffn")

    def __post_init__(self) -> None:
        check_gating(self)
        check_layer_ids(self, "leave_out")
        check_words(self, "targets", tuple(_WORDS))

    def name(self) -> str:
        return "ia3"

    def aims(self) -> tuple[Aim, ...]:
        return tuple(Aim(word, _WORDS[word]) for word in self.targets)

    def size(self) -> int:
        """The number of kinds of places."""
        return len(self.targets)

    def shapes(self, place: Place) -> Shapes:
        if place.kind not in ("linear", "middle"):
            raise ConfigError(f"ia3 multiplies linear maps, and {place.role} is of the kind {place.kind}.")
        return {"factor": (place.width_out,)}


register_config(IA3Config, presets={"ia3": IA3Config})
