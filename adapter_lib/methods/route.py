"""Routes; the equations stand at `RouteConfig`."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import BlockPart, record
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import MethodConfig, Place, RouteConfig
from adapter_lib.spec.errors import CompositionError


class Route(BlockPart):
    """gate: a linear map from the features to one number per child."""

    config: RouteConfig
    gate: Any

    def __init__(self, config: MethodConfig, place: Place, like: Tensor, children: int, block: str) -> None:
        super().__init__(config, place, like, children, block)
        # What the current call in training gave, for the auxiliary loss: p [rows, n] and weights [rows, 1].
        self._seen: list[tuple[Tensor, Tensor]] = []
        self._present = children

    def __getstate__(self) -> dict[str, Any]:
        """Without what belongs to a call: a copy starts afresh."""
        return self.__dict__ | {"_seen": []}

    @property
    def needs_mask(self) -> bool:
        return self.config.level == "example" or self.config.balance > 0

    def initialise(self) -> None:
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def begin(self) -> None:
        self._seen = []

    def combine(self, state: Any, results: Sequence[Any], which: Sequence[int]) -> Any:
        p = self._probabilities(self._features(state), which)
        if self.training and self.config.balance:
            self._seen.append((p.flatten(0, -2), self._weights(state, p)))
            self._present = len(which)
        p = self._kept(p)
        record(state.info, "routes", self.block, self.place, p)
        shares = [p[..., index, None] for index in which]
        return state.mean(results, shares)

    def regularisation(self) -> Tensor | None:
        if not self._seen:
            return None
        p = torch.cat([seen for seen, _ in self._seen])
        weights = torch.cat([weights for _, weights in self._seen])
        weights = weights / weights.sum()
        chosen = F.one_hot(p.argmax(-1), p.shape[-1]) * weights
        balance: Tensor = (chosen.sum(dim=0) * (p * weights).sum(dim=0)).sum()
        return balance * (self.config.balance * self._present)

    def _weights(self, state: Any, p: Tensor) -> Tensor:
        """1 for what counts in the auxiliary loss, 0 for padding, [rows, 1]."""
        mask = state.info.token_mask(p.shape[1]) if p.dim() > 2 and self.config.level == "token" else None
        rows = p.new_ones(p.shape[:-1]) if mask is None else mask.to(p.dtype)
        return rows.expand(p.shape[:-1]).reshape(-1, 1)

    def _features(self, state: Any) -> Tensor:
        """[..., d], or [B, 1, d] on the level of examples."""
        x: Tensor = state.features()
        if self.training and self.config.jitter:
            x = x * torch.empty_like(x).uniform_(1 - self.config.jitter, 1 + self.config.jitter)
        if self.config.level == "token":
            return x
        if x.dim() < 3:
            raise CompositionError(
                f"A Route per example needs to know which tokens belong together, and {self.place.role} in "
                f"layer {self.place.layer} sees them one by one; use level=token."
            )
        mask = state.info.token_mask(x.shape[1])
        if mask is None:
            return x.mean(dim=1, keepdim=True)
        weights = mask.to(x.dtype).unsqueeze(-1)
        mean: Tensor = (x * weights).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True).clamp(min=1)
        return mean

    def _probabilities(self, x: Tensor, which: Sequence[int]) -> Tensor:
        """p [..., n]: over the children that are here, exactly 0 for the others."""
        logits = F.linear(x.to(self.gate.weight.dtype), self.gate.weight, self.gate.bias)
        if len(which) < self.count:
            absent = torch.ones(self.count, dtype=torch.bool, device=logits.device)
            absent[list(which)] = False
            logits = logits.masked_fill(absent, -torch.inf)
        return torch.softmax(logits, dim=-1).to(x.dtype)

    def _kept(self, p: Tensor) -> Tensor:
        k = self.config.top_k
        if k is None or k >= self.count:
            return p
        kept = torch.zeros_like(p).scatter(-1, p.topk(k, dim=-1).indices, 1.0) * p
        return kept / kept.sum(dim=-1, keepdim=True)


register_method(
    Method(
        name="route",
        config=RouteConfig,
        block=Route,
        presets=("route",),
        summary="A learned gate that mixes adapters, per token or per example (for a Route).",
        paper="https://arxiv.org/abs/1701.06538",
        learning_rate=1e-3,
    )
)
