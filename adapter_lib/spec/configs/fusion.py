"""AdapterFusion (Pfeiffer et al. 2021, https://arxiv.org/abs/2005.00247): attention over adapters."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from adapter_lib.spec.configs.base import Place, Shapes
from adapter_lib.spec.configs.block_config import BlockConfig
from adapter_lib.spec.configs.checks import check_flags, check_probability, is_number, refuse, store
from adapter_lib.spec.configs.registry import register_config


@dataclass(frozen=True, eq=False, kw_only=True)
class FusionConfig(BlockConfig):
    """Attention decides, per token, how much of what each child adds counts.

    With z_i [d] what child i adds to its residual x, and h what the children were given:

        q = Wq h + bq,   k_i = Wk z_i + bk,   v_i = Wv z_i,   p = softmax_i(q · k_i / T),
        out = x + Σ_i p_i v_i          (x: the residual of the last child that is present)

    A child that has nothing at a place takes no part there.

    query, key, value: have Wq and bq, Wk and bk, Wv; without one, the identity stands in its place.
    query_before_ln: h is the sub-layer's output as it is; else what the model's residual and norm make of it.
        Only sites have a norm of their own, so only there it matters.
    residual_before: x is added to every z_i before keys and values are taken, and not to the sum.
    temperature: T falls from 50 by 0.05 with every call in training, down to 1; else T is 1. It is kept and
        saved, and stands still in eval mode.
    value_initialized: Wv starts near the identity (1 on the diagonal, 1e-6 elsewhere); else, as Wq and Wk, at
        normal(0, 0.02).
    regularization: c in c · ‖I - Wv‖²_F, summed over the places; part of `adapter_regularisation()`.
    dropout_prob: on the probabilities p, while training.
    """

    method: ClassVar[str] = "fusion"
    measure: ClassVar[str] = ""
    block: ClassVar[str] = "Fuse"
    added_by: ClassVar[str] = "add_adapter_fusion"
    counted: ClassVar[tuple[str, ...]] = ("calls",)
    not_taken: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"value_before_softmax": "Wv has no bias, so before or after the sum it does the same; leave it out."}
    )

    query: bool = True
    key: bool = True
    value: bool = True
    query_before_ln: bool = False
    residual_before: bool = False
    temperature: bool = False
    value_initialized: bool = True
    regularization: float = 0.01
    dropout_prob: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flags(self, "query", "key", "value", "query_before_ln", "residual_before", "temperature")
        check_flags(self, "value_initialized")
        check_probability(self, "dropout_prob")
        if not is_number(self.regularization) or self.regularization < 0:
            raise refuse(self, "regularization", "a number from 0 up")
        store(self, "regularization", float(self.regularization))
        if self.regularization and not self.value:
            raise refuse(self, "regularization", "0 without a value matrix")

    def name(self) -> str:
        return "fusion"

    def size(self) -> int:
        """How many of its three matrices it has."""
        return self.query + self.key + self.value

    def block_shapes(self, place: Place, children: int) -> Shapes:
        self.check_place(place)
        width = place.width_result
        found: Shapes = {}
        for name, is_on in (("query", self.query), ("key", self.key)):
            if is_on:
                found |= {f"{name}.weight": (width, width), f"{name}.bias": (width,)}
        if self.value:
            found["value.weight"] = (width, width)
        if self.temperature:
            found["calls"] = (1,)
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class StaticFusionConfig(FusionConfig):
    """AdapterFusion without a value matrix: the children's results themselves are mixed."""

    value: bool = False
    regularization: float = 0.0


register_config(FusionConfig, presets={"dynamic": FusionConfig, "static": StaticFusionConfig})
