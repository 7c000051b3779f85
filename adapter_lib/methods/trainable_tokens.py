"""Trainable tokens; the equation stands at `TrainableTokensConfig`."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import LeafState, Part, Shared, WeightDelta
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import Shapes, TrainableTokensConfig


class TiedTokens(Shared):
    """Δ [tokens, width] of all towers and of the head, zero at first."""

    config: TrainableTokensConfig
    delta: nn.Parameter

    def initialise(self) -> None:
        nn.init.zeros_(self.delta)


class TrainableTokens(Part):
    """Δ [tokens, width], zero at first; added to the matrix, before the factor that some models put on it."""

    config: TrainableTokensConfig
    tokens: Tensor

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        # Follows from the config, so it is not saved.
        tokens = torch.tensor(self.config.token_indices, device=like.device)
        self.register_buffer("tokens", tokens, persistent=False)

    def initialise(self) -> None:
        if not self.config.tied_head:
            nn.init.zeros_(self.rows())

    def rows(self) -> Tensor:
        """Δ"""
        found: Tensor = self.shared.delta if self.config.tied_head else self.get_parameter("delta")
        return found.to(self.tokens.device)

    def single(self, state: LeafState) -> LeafState:
        if self.place.kind == "logits":
            rows = self.rows()
            more = (state.x.to(rows.dtype) @ rows.t()).to(state.y.dtype)
            return state.with_y(state.y.index_add(-1, self.tokens, more))
        place = torch.searchsorted(self.tokens, state.x.contiguous()).clamp(max=len(self.tokens) - 1)
        is_meant = (self.tokens[place] == state.x).unsqueeze(-1)
        added = F.embedding(place, self.rows()) * self.host.scale()
        return state.with_y(state.y + torch.where(is_meant, added, 0).to(state.y.dtype))

    def weight_delta(self) -> WeightDelta | None:
        if self.place.kind == "logits":
            return None
        rows = self.rows()
        whole = rows.new_zeros(self.place.width_out, self.place.width_in)
        return WeightDelta(whole.index_copy(1, self.tokens, rows.t()))


register_method(
    Method(
        name="trainable_tokens",
        config=TrainableTokensConfig,
        part=TrainableTokens,
        shared=TiedTokens,
        presets=("trainable_tokens",),
        summary="Trains the embeddings of chosen tokens, such as newly added ones.",
        paper="https://huggingface.co/docs/peft/package_reference/trainable_tokens",
        learning_rate=5e-3,
    )
)
