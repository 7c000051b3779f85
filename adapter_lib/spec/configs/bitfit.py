"""BitFit (Ben Zaken et al. 2022, https://arxiv.org/abs/2106.10199): only biases are trained."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import check_flags, check_gating, check_layer_ids, check_words
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.configs.targeted import ROLE_WORDS
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import NORM_ROLE

_WORDS: dict[str, tuple[str, ...]] = {
    **{word: ROLE_WORDS[word] for word in ("q", "k", "v", "o", "up", "gate", "down")},
    "norm": (f"{NORM_ROLE}.*", NORM_ROLE),
}
_ALL = "all"


@dataclass(frozen=True, eq=False, kw_only=True)
class BitFitConfig(MethodConfig):
    """y = W x + b + Δb at the layers' linear maps, and the same at the norms.

    biases: `all`, or some of q, k, v, o, up, gate, down, norm; the paper's small variant is [q, up].
    add_missing: give a Δb to maps and norms without a bias too; these cannot be merged.
    """

    method: ClassVar[str] = "bitfit"
    measure: ClassVar[str] = ""

    biases: tuple[str, ...] = (_ALL,)
    add_missing: bool = False

    def __post_init__(self) -> None:
        check_flags(self, "add_missing")
        check_gating(self)
        check_layer_ids(self, "leave_out")
        check_words(self, "biases", (_ALL, *_WORDS))

    def name(self) -> str:
        return "bitfit"

    def aims(self) -> tuple[Aim, ...]:
        words = tuple(_WORDS) if _ALL in self.biases else self.biases
        hint = "With add_missing=true the adapter brings biases of its own."
        if _ALL in self.biases:
            roles = tuple(role for word in words for role in _WORDS[word])
            return (Aim(_ALL, roles, needs_bias=not self.add_missing, hint=hint),)
        return tuple(Aim(w, _WORDS[w], needs_bias=not self.add_missing, hint=hint) for w in words)

    def size(self) -> int:
        """The number of kinds of biases."""
        return len(_WORDS) if _ALL in self.biases else len(self.biases)

    def decisive(self) -> tuple[str, ...]:
        return ("bias",)

    def shapes(self, place: Place) -> Shapes:
        if place.kind not in ("linear", "norm"):
            raise ConfigError(
                f"bitfit trains biases of linear maps and norms; {place.role} is of the kind {place.kind}."
            )
        return {"bias": (place.width_out,)}


register_config(BitFitConfig, presets={"bitfit": BitFitConfig})
