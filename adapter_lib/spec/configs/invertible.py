"""Invertible adapters (MAD-X, Pfeiffer et al. 2020, https://arxiv.org/abs/2005.00052) at the embeddings.

The couplings are NICE (Dinh et al. 2015, https://arxiv.org/abs/1410.8516) and the affine one of Glow (Kingma
& Dhariwal 2018, https://arxiv.org/abs/1807.03039).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_flags,
    check_gating,
    check_layer_ids,
    check_positive,
    refuse,
)
from adapter_lib.spec.configs.non_linearities import NON_LINEARITIES
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import EMBED_ROLE, HEAD_ROLE

COUPLINGS = ("nice", "glow")


@dataclass(frozen=True, eq=False, kw_only=True)
class InvertibleConfig(MethodConfig):
    """A bijection of the first tower's embeddings, undone in front of the language-model head.

    With x = [x1, x2] cut into halves, and F and G networks of two layers, d/2 → (d/2) / reduction_factor →
    d/2 (to d for "glow", whose output is cut into s and t):
        nice:  y1 = x1 + F(x2),           y2 = x2 + G(y1)
        glow:  y1 = x1 ⊙ e(s2) + t2,      (s2, t2) = F(x2)
               y2 = x2 ⊙ e(s1) + t1,      (s1, t1) = G(y1),   e(s) = exp(0.636 · c · atan(s / c)), c = 5
    The head gets x back from what the model made of y, where the model has such a head. Both ends share the
    parameters. Stacked adapters are undone in reverse order. Average, Fuse and Route mix what their children
    make at each end by itself: a mixture of inverses, not the inverse of the mixture.

    inverse: False leaves the head alone.
    leave_out: says nothing here: embeddings are no layer.
    """

    method: ClassVar[str] = "invertible"
    measure: ClassVar[str] = "reduction"

    coupling: str = "nice"
    reduction_factor: float = 2.0
    non_linearity: str = "relu"
    inverse: bool = True

    def __post_init__(self) -> None:
        check_layer_ids(self, "leave_out")
        check_flags(self, "inverse")
        check_gating(self)
        check_choice(self, "coupling", COUPLINGS)
        check_choice(self, "non_linearity", NON_LINEARITIES)
        check_positive(self, "reduction_factor")
        if self.use_gating:
            raise refuse(self, "use_gating", "false: what is gated could not be undone at the head")

    def name(self) -> str:
        return self.coupling

    def size(self) -> float:
        return self.reduction_factor

    def aims(self) -> tuple[Aim, ...]:
        embeddings = Aim(EMBED_ROLE, (EMBED_ROLE,), is_first_tower=True)
        head = Aim(HEAD_ROLE, (HEAD_ROLE,), is_optional=True)
        return (embeddings, head) if self.inverse else (embeddings,)

    def shapes(self, place: Place) -> Shapes:
        return {}

    def shared_shapes(self, places: Sequence[Place]) -> Shapes:
        """F and G. Raises ConfigError for an odd width, or a head of another width than the embeddings."""
        width = places[0].width_out
        if width % 2:
            raise ConfigError(
                f"{self.name()} cuts the embeddings into halves, which a width of {width} does not allow."
            )
        for place in places[1:]:
            if place.width_in != width:
                raise ConfigError(
                    f"The embeddings are {width} wide and the head takes {place.width_in}, so {self.name()} "
                    "cannot be undone there; inverse=false leaves the head alone."
                )
        half = width // 2
        inner, out = max(1, int(half / self.reduction_factor)), half if self.coupling == "nice" else width
        layers = {"0.weight": (inner, half), "0.bias": (inner,), "2.weight": (out, inner), "2.bias": (out,)}
        return {f"{net}.{name}": shape for net in ("f", "g") for name, shape in layers.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class GlowConfig(InvertibleConfig):
    """The affine coupling of Glow."""

    coupling: str = "glow"


register_config(InvertibleConfig, presets={"nice": InvertibleConfig, "glow": GlowConfig})
