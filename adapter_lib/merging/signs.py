"""Which sign an entry of a merged update has, where the updates disagree."""

from collections.abc import Callable

import torch
from torch import Tensor

# From updates [n, …] to a sign (-1, 0, 1) per entry […].
Election = Callable[[Tensor], Tensor]


def sign_of_total(deltas: Tensor) -> Tensor:
    """The sign of the sum: the side with the greater mass (section 3.2, step 2 of TIES)."""
    return deltas.sum(0).sign()


def sign_of_count(deltas: Tensor) -> Tensor:
    """The sign that more of the updates have; where as many have either, that of the sum."""
    counted = deltas.sign().sum(0).sign()
    return torch.where(counted == 0, sign_of_total(deltas), counted)


def mean_of_agreeing(deltas: Tensor, sign: Tensor) -> Tensor:
    """Per entry, the mean of the updates [n, …] that have the elected sign; 0 where none has."""
    agrees = (deltas.sign() == sign) & (sign != 0)
    return (deltas * agrees).sum(0) / agrees.sum(0).clamp(min=1)


ELECTIONS: dict[str, Election] = {"total": sign_of_total, "count": sign_of_count}
