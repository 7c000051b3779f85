"""Prefix tuning (Li and Liang 2021, https://arxiv.org/abs/2101.00190): trained keys and values in front."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.checks import (
    check_choice,
    check_flags,
    check_gating,
    check_layer_ids,
    check_probability,
    check_whole,
    refuse,
)
from adapter_lib.spec.configs.non_linearities import NON_LINEARITIES
from adapter_lib.spec.configs.registry import register_config
from adapter_lib.spec.roles import POSITIONS_ROLE

CROSS_GROUP = "cross"


@dataclass(frozen=True, eq=False, kw_only=True)
class PrefixTuningConfig(MethodConfig):
    """attention(Q, K, V) becomes attention(Q, [P_K; K], [P_V; V]) with P_K, P_V [prefix_length, width of K].

    The prefix has no position, and no mask hides it. With the gate g it is [g · P_K; K] and [g · P_V; V].

    flat: P_K and P_V are the parameters, per layer. Otherwise they are made, as the paper advises:
        [P_K, P_V] = f(E D + d) U + u, with E [prefix_length, hidden], f the non-linearity and D [hidden,
        bottleneck_size]. All layers of one group share E and D; U [bottleneck_size, 2 · width of K] is the
        layer's own. The groups are the self-attentions of each tower, and the cross-attentions.
    encoder_prefix: also in an encoder that a decoder attends to; models without a decoder are not asked.
    cross_prefix: also in the decoder's attention to the encoder's states.
    shared_gating: with use_gating, one gate serves keys and values; else there are two (Mao et al. 2021).
    dropout: of P_K and P_V, while training.
    shift_positions: count the prefix as tokens that stand before the text, as PEFT does: positions begin at
        prefix_length, and where only distances count (T5) the prefix has its distance. Not the published
        method; checkpoints that were trained so need it.
    moves_keys: where only distances count (T5), the prefix has the first positions and the keys those behind
        it, while the queries keep theirs, as in AdapterHub's library. Not the published method either;
        checkpoints that were trained so need it.
    """

    method: ClassVar[str] = "prefix_tuning"
    measure: ClassVar[str] = "tokens"

    prefix_length: int = 30
    flat: bool = False
    bottleneck_size: int = 512
    non_linearity: str = "tanh"
    dropout: float = 0.0
    encoder_prefix: bool = True
    cross_prefix: bool = True
    shared_gating: bool = True
    shift_positions: bool = False
    moves_keys: bool = False

    def __post_init__(self) -> None:
        check_flags(self, "flat", "encoder_prefix", "cross_prefix", "shared_gating")
        check_flags(self, "shift_positions", "moves_keys")
        check_gating(self)
        if self.shift_positions and self.moves_keys:
            raise refuse(self, "moves_keys", "false with shift_positions: a prefix stands in one place only")
        if self.shift_positions and self.use_gating:
            raise refuse(self, "shift_positions", "false with use_gating: a gate cannot move positions")
        check_whole(self, "prefix_length", 1)
        check_whole(self, "bottleneck_size", 1)
        check_choice(self, "non_linearity", NON_LINEARITIES)
        check_probability(self, "dropout")
        check_layer_ids(self, "leave_out")

    def name(self) -> str:
        return "prefix_tuning_flat" if self.flat else "prefix_tuning"

    def aims(self) -> tuple[Aim, ...]:
        skips = not self.encoder_prefix
        aims = [Aim("attn", ("attn",), skips_encoders=skips)]
        if self.cross_prefix:
            aims.append(Aim("xattn", ("xattn",), is_optional=True))
        if self.shift_positions:
            aims.append(Aim("positions", (POSITIONS_ROLE,), skips_encoders=skips))
        return tuple(aims)

    def size(self) -> int:
        return self.prefix_length

    def gates(self) -> int:
        return 1 if self.shared_gating else 2

    def shapes(self, place: Place) -> Shapes:
        if place.kind == "positions":
            return {}
        if self.flat:
            shape = (self.prefix_length, place.width_out)
            return {"key": shape, "value": shape}
        both = 2 * place.width_out
        return {"up.weight": (both, self.bottleneck_size), "up.bias": (both,)}

    def shared_shapes(self, places: Sequence[Place]) -> Shapes:
        found: Shapes = {}
        for place in places:
            if self.flat or place.kind == "positions":
                continue
            group, width = group_of(place), place.width_in
            found |= {
                f"{group}.embedding": (self.prefix_length, width),
                f"{group}.down.weight": (self.bottleneck_size, width),
                f"{group}.down.bias": (self.bottleneck_size,),
            }
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class PrefixTuningFlatConfig(PrefixTuningConfig):
    """The keys and values themselves are trained."""

    flat: bool = True


def group_of(place: Place) -> str:
    """The group whose embedding a place shares: its tower's self-attentions, or the cross-attentions."""
    return CROSS_GROUP if place.role == "xattn" else place.tower or "all"


register_config(
    PrefixTuningConfig,
    presets={"prefix_tuning": PrefixTuningConfig, "prefix_tuning_flat": PrefixTuningFlatConfig},
)
