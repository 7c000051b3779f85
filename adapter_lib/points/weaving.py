"""Where soft prompts stand among the tokens of a row, and how tensors follow."""

from dataclasses import dataclass

import torch
from torch import Tensor

from adapter_lib.engine import BEHIND_FIRST, IN_FRONT, NO_TOKEN, PromptState

# Sort keys of the caller's tokens: between those of prompts, see `adapter_lib.engine.states.prompt`.
_PADDING, _FIRST, _OTHER = NO_TOKEN + 1, IN_FRONT + 1, BEHIND_FIRST + 1
# The key of columns with nothing in them, where these go to the end of the row.
_END = _OTHER + 1


@dataclass(frozen=True, slots=True)
class Weave:
    """The order of N prompt columns and S tokens in each of B rows, T = N + S in all.

    A prompt stands directly in front of its row's first token that is no padding (or behind it), so that a
    row means the same however it is padded.

    order: [B, T], what stands where: numbers below N are prompt columns, the others tokens.
    back: [B, S], where the tokens went.
    columns: [B, N], as in `PromptState`.
    """

    order: Tensor
    back: Tensor
    columns: Tensor

    @classmethod
    def of(cls, state: PromptState, length: int, mask: Tensor | None, *, fills_left: bool) -> "Weave":
        """The order for rows of `length` tokens; `mask` [B, length] tells padding.

        fills_left: columns with nothing in them stand at the left end of a row, else at the right.
        """
        columns = state.columns
        number = torch.arange(length, device=columns.device)[None]
        # The number of the first token that is no padding.
        first = 0 if mask is None else ((mask != 0).cumsum(1) == 0).sum(1, keepdim=True)
        keys = torch.where(number == first, _FIRST, _OTHER).masked_fill(number < first, _PADDING)
        mine = columns if fills_left else columns.masked_fill(columns == NO_TOKEN, _END)
        all_keys = torch.cat([mine, keys.expand(len(columns), -1)], dim=1)
        order = torch.argsort(all_keys, dim=1, stable=True)
        return cls(order, torch.argsort(order, dim=1)[:, columns.shape[1] :], columns)

    @property
    def length(self) -> int:
        """T."""
        return self.order.shape[1]

    def woven(self, prompts: Tensor, tokens: Tensor) -> Tensor:
        """[B, N, …] and [B, S, …] as one [B, T, …]."""
        both = torch.cat([prompts, tokens.expand(len(prompts), *tokens.shape[1:])], dim=1)
        return torch.take_along_dim(both, self._like(self.order, both), dim=1)

    def filled(self, value: float, tokens: Tensor) -> Tensor:
        """[B, T, …] from tokens [B, S, …], with one value where prompts (or nothing) stand."""
        shape = (*self.columns.shape, *tokens.shape[2:])
        return self.woven(tokens.new_full(shape, value), tokens)

    def restored(self, states: Tensor) -> Tensor:
        """[B, S, …] from [B, T, …]: the caller's tokens."""
        return torch.take_along_dim(states, self._like(self.back, states), dim=1)

    def replaced(self, states: Tensor, prompts: Tensor) -> Tensor:
        """States [B, T, d] with prompts [B, N, d] where they stand; more states may follow."""
        at = self.order.clamp(max=prompts.shape[1] - 1)[..., None]
        mine = torch.take_along_dim(prompts, at, dim=1)
        changed = torch.where(self.is_prompt[..., None], mine, states[:, : self.length])
        more = states.shape[1] > self.length
        return torch.cat([changed, states[:, self.length :]], dim=1) if more else changed

    @property
    def is_prompt(self) -> Tensor:
        """[B, T], True at all prompt columns, those with nothing in them included."""
        return self.order < self.columns.shape[1]

    @property
    def is_real(self) -> Tensor:
        """[B, N], True where a column has a prompt's token."""
        return self.columns != NO_TOKEN

    def mask(self, mask: Tensor) -> Tensor:
        """The tokens' mask [B, S] with ones for prompts and zeros for nothing, [B, T]."""
        return self.woven(self.is_real.to(mask.dtype), mask)

    def positions(self, given: Tensor) -> Tensor:
        """Position ids [B or 1, S] counted on: a prompt takes its place, what follows is shifted, [B, T]."""
        token = (~self.is_prompt).long()
        # The token that stands here, or comes next.
        following = (token.cumsum(1) - token).clamp(max=given.shape[1] - 1)
        own = torch.take_along_dim(given.expand(len(self.order), -1), following, dim=1)
        real = self.woven(self.is_real.long(), torch.zeros_like(self.back))
        return own + real.cumsum(1) - real

    def counted(self) -> Tensor:
        """Positions [B, T] from 0, where nothing is not counted."""
        real = self.woven(self.is_real.long(), torch.ones_like(self.back))
        return (real.cumsum(1) - 1).clamp(min=0)

    @staticmethod
    def _like(index: Tensor, states: Tensor) -> Tensor:
        return index.view(*index.shape, *(1 for _ in states.shape[2:]))
