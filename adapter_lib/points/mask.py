"""Reading a tower's attention masks, for the methods that must know which tokens are padding."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import Call
from adapter_lib.points.base import hang, unhang
from adapter_lib.points.stacks import argument_names, hook_around

# What a tower reads, one number or vector per token.
_INPUTS = ("input_ids", "inputs_embeds", "hidden_states", "input_features")


class MaskCatcher(nn.Module):
    """Notes in the model's `Call` the masks [B, S] that a tower is called with: its own and its source's."""

    def __init__(self, tower: str, stack: nn.Module, call: Call) -> None:
        super().__init__()
        self.tower = tower
        self.call = call
        self._names = argument_names(stack)
        self._stack = (stack,)
        self._handles = hook_around(stack, call, self)
        hang(stack, f"mask_{tower}", self)

    def uninstall(self) -> None:
        """Take the hook off."""
        for handle in self._handles:
            handle.remove()
        unhang(self._stack[0], f"mask_{self.tower}")
        self.call.masks.pop(self.tower, None)
        self.call.sources.pop(self.tower, None)
        self.call.lengths.pop(self.tower, None)

    def enter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Notes the masks that the tower is called with."""
        given = dict(zip(self._names, args, strict=False)) | kwargs
        tokens = next((given[name] for name in _INPUTS if isinstance(given.get(name), Tensor)), None)
        mask = _flat(given.get("attention_mask"))
        if tokens is not None:
            mask = _continued(tokens, given.get("past_key_values")) if mask is None else mask
            added = _added_behind(self._stack[0], tokens)
            self.call.lengths[self.tower] = tokens.shape[1] + added
            mask = _lengthened(mask, tokens, added) if added else mask
        self.call.masks[self.tower] = mask
        self.call.sources[self.tower] = _flat(given.get("encoder_attention_mask"))
        return args, kwargs

    def leave(self, output: Any) -> Any:
        """The output as it is."""
        return output


def _flat(mask: Any) -> Tensor | None:
    """A mask [B, S]; None for any other."""
    return mask if isinstance(mask, Tensor) and mask.dim() == 2 else None


def _continued(tokens: Tensor, cache: Any) -> Tensor | None:
    """Where a KV cache is continued without a mask: ones [1, S] for the whole sequence, all of it tokens."""
    past = int(cache.get_seq_length()) if hasattr(cache, "get_seq_length") else 0
    return None if past == 0 else _ones(1, past + tokens.shape[1], tokens)


def _added_behind(stack: nn.Module, tokens: Tensor) -> int:
    """How many tokens of padding Longformer and LED's encoder add, so that their windows fit."""
    window = getattr(getattr(stack, "config", None), "attention_window", None)
    if window is None or not hasattr(stack, "_pad_to_window_size"):
        return 0
    return -tokens.shape[1] % (window if isinstance(window, int) else max(window))


def _lengthened(mask: Tensor | None, tokens: Tensor, added: int) -> Tensor:
    known = _ones(tokens.shape[0], tokens.shape[1], tokens) if mask is None else mask
    return F.pad(known, (0, added), value=0)


def _ones(rows: int, length: int, like: Tensor) -> Tensor:
    return torch.ones(rows, length, dtype=torch.long, device=like.device)
