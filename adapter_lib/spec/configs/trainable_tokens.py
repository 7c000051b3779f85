"""Trainable tokens: some rows of the embedding matrix are trained, all others stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import check_flags, check_gating, check_layer_ids, refuse, store
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.roles import LOGITS_ROLE, TOKENS_ROLE


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainableTokensConfig(MethodConfig):
    """E[t] + Δ_t is the embedding of each token t in `token_indices`.

    Only what goes into the model changes: a language-model head that is tied to the matrix keeps the base's
    numbers, and such a model refuses to merge, which would change the head. In a model with several towers
    each has its own Δ.

    tied_head: a head that is tied to the matrix changes with it, as in PEFT: the logits of a token t are
        h · (E[t] + Δ_t). All towers then share one Δ.
    """

    method: ClassVar[str] = "trainable_tokens"
    measure: ClassVar[str] = "tokens"

    token_indices: tuple[int, ...]
    tied_head: bool = False

    def __post_init__(self) -> None:
        check_layer_ids(self, "leave_out")
        check_flags(self, "tied_head")
        if self.use_gating is not False:
            raise refuse(self, "use_gating", "false: the embedding of a token is no update to be gated")
        check_gating(self)
        given: Any = self.token_indices
        is_list = isinstance(given, list | tuple) and len(given) > 0
        if not is_list or any(type(token) is not int or token < 0 for token in given):
            raise refuse(self, "token_indices", "a list of token ids from 0 up")
        store(self, "token_indices", tuple(sorted(set(given))))

    def name(self) -> str:
        return "trainable_tokens"

    def aims(self) -> tuple[Aim, ...]:
        tokens = Aim("tokens", (TOKENS_ROLE,))
        return (tokens, Aim("tied head", (LOGITS_ROLE,), is_optional=True)) if self.tied_head else (tokens,)

    def size(self) -> int:
        return len(self.token_indices)

    def decisive(self) -> tuple[str, ...]:
        return ("delta",)

    def shapes(self, place: Place) -> Shapes:
        if self.tied_head and place.kind == "logits":
            return {}
        if place.kind != "embedding":
            raise ConfigError(
                f"trainable_tokens changes embeddings, and {place.role} is a {place.kind} place."
            )
        if self.token_indices[-1] >= place.width_in:
            raise ConfigError(
                f"trainable_tokens: token {self.token_indices[-1]} is beyond the vocabulary of "
                f"{place.width_in} tokens."
            )
        return {} if self.tied_head else {"delta": (len(self.token_indices), place.width_out)}

    def shared_shapes(self, places: Sequence[Place]) -> Shapes:
        widths = {place.width_out for place in places if place.kind == "embedding"}
        if not self.tied_head or not widths:
            return {}
        if len(widths) > 1:
            raise ConfigError(
                "trainable_tokens: the towers' embeddings differ in width; set tied_head=false."
            )
        return {"delta": (len(self.token_indices), *widths)}


register_config(TrainableTokensConfig, presets={"trainable_tokens": TrainableTokensConfig})
