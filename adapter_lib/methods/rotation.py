"""What methods share that turn a map's input by an orthogonal matrix R."""

import torch
from torch import Tensor

from adapter_lib.engine import LeafState, Part, WeightDelta


class Rotation(Part):
    """y + W (R - I) x, which alone is W R x + b; with R = I nothing changes.

    In a Stack every adapter turns the map's own input and adds its difference to the base's output, as all
    updates of weights do: the order does not matter.
    """

    def turned(self, x: Tensor) -> Tensor:
        """(R - I) x for the vectors x [..., in]."""
        raise NotImplementedError

    def single(self, state: LeafState) -> LeafState:
        added = self.host.project(self.turned(state.x).to(state.x.dtype))
        return state.with_y(state.y + added)

    def weight_delta(self) -> WeightDelta:
        return WeightDelta(self._turned_weight())

    def _turned_weight(self) -> Tensor:
        """W (R - I)"""
        weight = self.host.weight()
        identity = torch.eye(self.place.width_in, dtype=weight.dtype, device=weight.device)
        return weight @ self.turned(identity).t().to(weight.dtype)


def cayley(skew: Tensor, width: int, limit: float | None = None, terms: int = 0) -> Tensor:
    """R - I of R = (I + Q) (I - Q)⁻¹ [..., width, width], from Q's entries above the diagonal, row by row.

    skew: [..., width · (width - 1) / 2]. limit: what ‖Q‖_F is at most; a longer Q is made shorter.
    terms: how many of (I - Q)⁻¹ = I + Q + Q² + … are taken; 0: the inverse itself.
    In float32 at least, as solving needs it.
    """
    values = skew if skew.dtype == torch.float64 else skew.float()
    rows, columns = torch.triu_indices(width, width, 1, device=skew.device)
    upper = values.new_zeros(*values.shape[:-1], width, width)
    upper[..., rows, columns] = values
    q = upper - upper.transpose(-1, -2)
    if limit is not None:
        norm = torch.linalg.matrix_norm(q, keepdim=True)
        q = q * (limit / norm.clamp(min=limit))
    identity = torch.eye(width, dtype=q.dtype, device=q.device)
    if terms:
        return _truncated(q, identity, terms)
    # (I + Q) (I - Q)⁻¹ - I = 2 Q (I - Q)⁻¹, which is zero without rounding where Q is.
    turn: Tensor = torch.linalg.solve(identity - q, 2 * q)
    return turn


def _truncated(q: Tensor, identity: Tensor, terms: int) -> Tensor:
    """(I + Q) (I + Q + … + Q^(terms - 1)) - I"""
    # Horner's rule for Q (I + … + Q^(terms - 2)); what is left of the product is one factor more.
    powers = torch.zeros_like(q)
    for _ in range(terms - 1):
        powers = q @ (identity + powers)
    return powers + q + q @ powers


def turn_blocks(x: Tensor, turns: Tensor) -> Tensor:
    """Block-diagonal `turns` [blocks (or 1), width, width] applied to x [..., blocks · width]."""
    pieces = torch.unflatten(x.to(turns.dtype), -1, (-1, turns.shape[-1]))
    return torch.einsum("...nj,nij->...ni", pieces, turns.expand(pieces.shape[-2], -1, -1)).flatten(-2)
