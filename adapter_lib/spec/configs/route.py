"""Routes: a learned gate decides how much each adapter says, as in a mixture of experts."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.block_config import BlockConfig
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_probability,
    check_whole,
    is_number,
    refuse,
    store,
)
from adapter_lib.spec.configs.registry import register_config

LEVELS = ("token", "example")


@dataclass(frozen=True, eq=False, kw_only=True)
class RouteConfig(BlockConfig):
    """A learned gate decides how much each child counts.

    With x [d] what the children are given and n children that are present:

        p = softmax(W x + b) in R^n,   out = Σ_i p_i out_i

    (the gate of Shazeer et al. 2017, https://arxiv.org/abs/1701.06538, over adapters as experts). At first W
    and b are zero and every child counts the same.

    level: "token": x is the token's vector. "example": x is the mean over the tokens that are no padding; in
        generation with a cache these are the tokens of one step.
    top_k: only the k largest p_i are kept, divided by their sum; the others are exactly 0. None: all.
    jitter: e: while training, x is multiplied by noise from the uniform distribution over [1 - e, 1 + e]
        before the gate sees it (Fedus et al. 2021, https://arxiv.org/abs/2101.03961).
    balance: c in the auxiliary loss c · n · Σ_i f_i P_i of the last call in training, summed over the places,
        with f_i the share of the tokens (or examples) whose largest p is p_i, and P_i the mean of p_i before
        top_k (Fedus et al. 2021); part of `adapter_regularisation()`.
    """

    method: ClassVar[str] = "route"
    measure: ClassVar[str] = ""
    block: ClassVar[str] = "Route"
    added_by: ClassVar[str] = "add_route"

    level: str = "token"
    top_k: int | None = None
    jitter: float = 0.0
    balance: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "level", LEVELS)
        check_probability(self, "jitter")
        if self.top_k is not None:
            check_whole(self, "top_k", 1)
        if not is_number(self.balance) or self.balance < 0:
            raise refuse(self, "balance", "a number from 0 up")
        store(self, "balance", float(self.balance))

    def name(self) -> str:
        return "route"

    def size(self) -> int:
        """How many children speak at once, 0 for all."""
        return self.top_k or 0

    def block_shapes(self, place: Place, children: int) -> Shapes:
        self.check_place(place)
        return {"gate.weight": (children, place.width_features), "gate.bias": (children,)}


register_config(RouteConfig, presets={"route": RouteConfig})
