"""Trainable tokens; the equation stands at `TrainableTokensConfig`."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import LeafState, Part, WeightDelta
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import Shapes, TrainableTokensConfig


class TrainableTokens(Part):
    """Δ [tokens, width], zero at first; added to the matrix, before the factor that some models put on it."""

    config: TrainableTokensConfig
    delta: nn.Parameter
    tokens: Tensor

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        # Follows from the config, so it is not saved.
        tokens = torch.tensor(self.config.token_indices, device=like.device)
        self.register_buffer("tokens", tokens, persistent=False)

    def initialise(self) -> None:
        nn.init.zeros_(self.delta)

    def single(self, state: LeafState) -> LeafState:
        place = torch.searchsorted(self.tokens, state.x.contiguous()).clamp(max=len(self.tokens) - 1)
        is_meant = (self.tokens[place] == state.x).unsqueeze(-1)
        added = F.embedding(place, self.delta) * self.host.scale()
        return state.with_y(state.y + torch.where(is_meant, added, 0).to(state.y.dtype))

    def weight_delta(self) -> WeightDelta:
        whole = self.delta.new_zeros(self.place.width_out, self.place.width_in)
        return WeightDelta(whole.index_copy(1, self.tokens, self.delta.t()))


register_method(
    Method(
        name="trainable_tokens",
        config=TrainableTokensConfig,
        part=TrainableTokens,
        presets=("trainable_tokens",),
        summary="Trains the embeddings of chosen tokens, such as newly added ones.",
        paper="https://huggingface.co/docs/peft/package_reference/trainable_tokens",
        learning_rate=1e-3,
    )
)
