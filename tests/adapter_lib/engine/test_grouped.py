"""Many low-rank updates as one product, against one product per update."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from adapter_lib.engine import LeafState, LowRank, add_low_rank, add_low_rank_groups

IN, OUT = 6, 5


def _update(rank: int, scale: float = 1.0, dropout: float = 0.0) -> LowRank:
    return LowRank(torch.randn(rank, IN), torch.randn(OUT, rank), scale, dropout)


def _state(*rows: int) -> LeafState:
    y = torch.randn(*rows, OUT)
    return LeafState(torch.randn(*rows, IN), y, y)


def _dense(state: LeafState, groups: list[list[LowRank]]) -> Tensor:
    pieces = []
    for x, y, group in zip(state.x.chunk(len(groups)), state.y.chunk(len(groups)), groups, strict=True):
        pieces.append(y + sum((u.scale * (x @ (u.b @ u.a).T) for u in group), torch.zeros(())))
    return torch.cat(pieces)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize(
    "ranks",
    [[[4], [4]], [[1], [4], [2]], [[2, 3], [4]], [[], [3], []], [[2, 2], [], [1, 1, 1]]],
    ids=str,
)
def test_groups_of_any_ranks_and_scales(ranks: list[list[int]], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    groups = [[_update(rank, scale=0.5 + rank) for rank in group] for group in ranks]
    rows = (shape[0] * len(groups), *shape[1:])
    state = _state(*rows)
    torch.testing.assert_close(
        add_low_rank_groups(state, groups), _dense(state, groups), atol=1e-5, rtol=1e-5
    )


class _Products(TorchDispatchMode):
    """Counts matrix products."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket.__name__ in {"mm", "bmm", "addmm", "baddbmm"}
        return func(*args, **(kwargs or {}))


def test_the_number_of_products_does_not_grow_with_the_adapters() -> None:
    for count in (2, 16):
        state = _state(count, 3)
        groups = [[_update(1 + i % 4, scale=1.0 + i % 2)] for i in range(count)]
        with _Products() as products:
            add_low_rank_groups(state, groups)
        assert products.count == 2


def test_one_update_is_two_products() -> None:
    state = _state(2, 3)
    update = _update(4, scale=3.0)
    with _Products() as products:
        found = add_low_rank(state, update)
    assert products.count == 2
    torch.testing.assert_close(found, _dense(state, [[update]]), atol=1e-5, rtol=1e-5)


def test_gradients_reach_every_update() -> None:
    updates = [
        LowRank(u.a.requires_grad_(), u.b.requires_grad_(), u.scale, 0.0)
        for u in (_update(2), _update(3, 2.0))
    ]
    state = _state(4)
    groups = [[updates[0]], [updates[1]]]
    tensors = [tensor for update in updates for tensor in (update.a, update.b)]
    found = torch.autograd.grad(add_low_rank_groups(state, groups).square().sum(), tensors)
    expected = torch.autograd.grad(_dense(state, groups).square().sum(), tensors)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_types_that_differ_keep_the_type_of_the_output() -> None:
    update = _update(2)
    wide = _state(4)
    state = LeafState(wide.x.bfloat16(), wide.y.bfloat16(), wide.y.bfloat16())
    for found in (add_low_rank(state, update), add_low_rank_groups(state, [[update], [update]])):
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), _dense(wide, [[update]]), atol=0.1, rtol=0.05)
