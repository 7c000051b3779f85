"""Reading a tower's attention mask, for the methods that must know which tokens are padding."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call
from adapter_lib.points.base import hang, unhang
from adapter_lib.points.stacks import hook_around


class MaskCatcher(nn.Module):
    """Notes the mask [B, S] that a tower is called with in the model's `Call`."""

    def __init__(self, tower: str, stack: nn.Module, call: Call) -> None:
        super().__init__()
        self.tower = tower
        self.call = call
        self._stack = (stack,)
        self._handles = hook_around(stack, call, self)
        hang(stack, f"mask_{tower}", self)

    def uninstall(self) -> None:
        """Take the hook off."""
        for handle in self._handles:
            handle.remove()
        unhang(self._stack[0], f"mask_{self.tower}")
        self.call.masks.pop(self.tower, None)

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Notes the mask that the tower is called with."""
        mask = kwargs.get("attention_mask", args[1] if len(args) > 1 else None)
        known = mask if isinstance(mask, Tensor) and mask.dim() == 2 else None
        self.call.masks[self.tower] = _continued(args, kwargs) if known is None else known
        return args, kwargs

    def leave(self, output: Any) -> Any:
        """The output as it is."""
        return output


def _continued(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Where a KV cache is continued without a mask: ones [1, S] for the whole sequence, all of it tokens."""
    cache: Any = kwargs.get("past_key_values")
    past = int(cache.get_seq_length()) if hasattr(cache, "get_seq_length") else 0
    given = (kwargs.get("input_ids"), kwargs.get("inputs_embeds"), *args[:1])
    tokens = next((value for value in given if isinstance(value, Tensor)), None)
    if past == 0 or tokens is None:
        return None
    return torch.ones(1, past + tokens.shape[1], dtype=torch.long, device=tokens.device)
