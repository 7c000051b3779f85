"""From the states of all positions [B, S, d] to one per row [B, d]."""

from collections.abc import Callable

import torch
from torch import Tensor

from adapter_lib.heads.given import Given
from adapter_lib.spec.errors import AttachError


def pool_cls(hidden: Tensor, given: Given) -> Tensor:
    """The first position."""
    return hidden[:, 0]


def pool_mean(hidden: Tensor, given: Given) -> Tensor:
    """The mean over positions that are no padding."""
    if given.mask is None:
        return hidden.mean(dim=1)
    weights = given.mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def pool_last(hidden: Tensor, given: Given) -> Tensor:
    """The last position that is no padding, on whichever side the padding stands."""
    return hidden[:, -1] if given.mask is None else last_of(hidden, given.mask.ne(0))


def pool_eos(hidden: Tensor, given: Given) -> Tensor:
    """The last end token of the input (Lewis et al. 2020). Raises AttachError for a row without one."""
    if given.ids is None or given.eos is None or given.ids.shape != hidden.shape[:2]:
        raise AttachError(
            "A head that reads the end token needs input_ids for every state, and a model whose config tells "
            "eos_token_id; choose another pooling."
        )
    ends = torch.isin(given.ids, torch.as_tensor(given.eos, device=given.ids.device))
    if not bool(ends.any(dim=1).all()):
        raise AttachError("A head reads the end token, and a row of input_ids has none.")
    return last_of(hidden, ends)


def pool_patches(hidden: Tensor, given: Given) -> Tensor:
    """The mean over all but the first position."""
    return hidden[:, 1:].mean(dim=1)


def last_of(hidden: Tensor, chosen: Tensor) -> Tensor:
    """The state at the last of the positions that a mask [B, S] chooses."""
    last = (chosen * torch.arange(hidden.shape[1], device=hidden.device)).argmax(dim=1)
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), last]


POOLINGS: dict[str, Callable[[Tensor, Given], Tensor]] = {
    "cls": pool_cls,
    "mean": pool_mean,
    "last": pool_last,
    "eos": pool_eos,
    "patches": pool_patches,
}
