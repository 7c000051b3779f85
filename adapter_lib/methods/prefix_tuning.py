"""Prefix tuning; the equations stand at `PrefixTuningConfig`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.activations import ACT2FN

from adapter_lib.engine import IN_FRONT, AttentionState, Part, PromptState, Shared
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import PrefixTuningConfig
from adapter_lib.spec.configs.prefix_tuning import group_of

_FLAT_STD = 0.02


class PrefixEmbedding(Shared):
    """Per group of places an embedding E and the first linear map of the reparametrisation.

    E starts normal(0, 1), the linear map as torch's.
    """

    config: PrefixTuningConfig

    def initialise(self) -> None:
        for group in self.children():
            nn.init.normal_(group.get_parameter("embedding"))
            _start_linear(group.get_parameter("down.weight"), group.get_parameter("down.bias"))

    def inner(self, group: str, act: Callable[[Tensor], Tensor]) -> Tensor:
        """f(E D + d), [prefix_length, bottleneck_size]."""
        made = self.get_submodule(group)
        weight, bias = made.get_parameter("down.weight"), made.get_parameter("down.bias")
        return act(F.linear(made.get_parameter("embedding"), weight, bias))


class PrefixTuning(Part):
    """P_K and P_V of one attention; flat ones start normal(0, 0.02)."""

    gates_itself = True

    config: PrefixTuningConfig
    key: nn.Parameter
    value: nn.Parameter

    def initialise(self) -> None:
        if self.place.kind == "positions":
            return
        if self.config.flat:
            nn.init.normal_(self.key, std=_FLAT_STD)
            nn.init.normal_(self.value, std=_FLAT_STD)
        else:
            _start_linear(self.get_parameter("up.weight"), self.get_parameter("up.bias"))

    def single(self, state: AttentionState | PromptState) -> AttentionState | PromptState:
        if isinstance(state, PromptState):
            # Where positions are told, only how many there are is asked for.
            return state.with_prompt(self.config.prefix_length, IN_FRONT, lambda: state.values)
        keys, values = (F.dropout(p, self.config.dropout, self.training)[None] for p in self.prefix())
        if self.gate is not None:
            gate = self.gate_of(state.features(), state.info)
            self.note_gate(state.info, gate)
            keys, values = keys * gate[..., :1], values * gate[..., -1:]
        config = self.config
        return state.prepended(keys, values, is_counted=config.shift_positions, moves_keys=config.moves_keys)

    def prefix(self) -> tuple[Tensor, Tensor]:
        """(P_K, P_V), each [prefix_length, width of K], without dropout and gate."""
        if self.config.flat:
            return self.key, self.value
        inner = self.shared.inner(group_of(self.place), ACT2FN[self.config.non_linearity])
        both = F.linear(inner, self.get_parameter("up.weight"), self.get_parameter("up.bias"))
        keys, values = both.chunk(2, dim=-1)
        return keys, values


def _start_linear(weight: Tensor, bias: Tensor) -> None:
    """As nn.Linear starts: uniform within ± 1 / sqrt(in)."""
    bound = weight.shape[1] ** -0.5
    with torch.no_grad():
        weight.uniform_(-bound, bound)
        bias.uniform_(-bound, bound)


register_method(
    Method(
        name="prefix_tuning",
        config=PrefixTuningConfig,
        part=PrefixTuning,
        shared=PrefixEmbedding,
        presets=("prefix_tuning", "prefix_tuning_flat"),
        summary="Trained keys and values in front of every attention's own.",
        paper="https://arxiv.org/abs/2101.00190",
        learning_rate=1e-3,
        rates={"prefix_tuning_flat": 1e-2},
    )
)
