"""Prefixes cut and joined, against what every query sees of them one by one."""

import torch
from torch import Tensor

from adapter_lib.engine import Prefix
from adapter_lib.engine.states.prefix import along, below


def _prefix(rows: int, length: int, first: float, seen: Tensor | None = None) -> Prefix:
    keys = first + torch.arange(rows * length, dtype=torch.float32).view(rows, length, 1)
    return Prefix(keys, -keys, seen)


def _visible(prefix: Prefix | None, row: int, query: int) -> list[float]:
    """The keys that one query sees, in their order."""
    if prefix is None:
        return []
    keys, values = (t[row if t.shape[0] > 1 else 0, :, 0] for t in (prefix.keys, prefix.values))
    sight = prefix.sight()
    seen = sight[row if sight.shape[0] > 1 else 0, query if sight.shape[1] > 1 else 0]
    assert torch.equal(values[seen], -keys[seen])
    return keys[seen].tolist()


def test_rows_of_different_lengths_see_their_own() -> None:
    short, long = _prefix(1, 2, 10), _prefix(2, 3, 20)
    joined = below([(short, 2), (None, 1), (long, 2)])
    assert joined is not None
    assert [_visible(joined, row, 0) for row in range(5)] == [
        [10, 11],
        [10, 11],
        [],
        [20, 21, 22],
        [23, 24, 25],
    ]
    assert below([(None, 2), (None, 1)]) is None


def test_rows_of_one_length_need_no_mask() -> None:
    joined = below([(_prefix(1, 2, 10), 2), (_prefix(1, 2, 20), 1)])
    assert joined is not None
    assert joined.seen is None
    assert joined.keys.shape == (3, 2, 1)


def test_tokens_see_their_own() -> None:
    joined = along([(_prefix(1, 1, 10), 2), (None, 1), (_prefix(3, 2, 20), 2)])
    assert joined is not None
    for row in range(3):
        own = [20.0 + 2 * row, 21.0 + 2 * row]
        assert [_visible(joined, row, query) for query in range(5)] == [[10], [10], [], own, own]


def test_one_before_the_other_keeps_what_each_query_sees() -> None:
    halves = along([(_prefix(1, 1, 10), 1), (_prefix(1, 2, 20), 1)])
    both = _prefix(1, 2, 30).before(halves)
    assert [_visible(both, 0, query) for query in range(2)] == [[30, 31, 10], [30, 31, 20, 21]]
    assert _prefix(1, 2, 30).before(None).length == 2


def test_cutting_is_the_inverse_of_joining() -> None:
    pieces = [_prefix(1, 2, 10), _prefix(2, 3, 20)]
    joined = below([(pieces[0], 1), (pieces[1], 2)])
    assert joined is not None
    assert _visible(joined.rows(0, 1, 3), 0, 0) == [10, 11]
    assert _visible(joined.pick(torch.tensor([2, 0]), 3), 0, 0) == [23, 24, 25]
    halves = along([(pieces[0], 2), (pieces[1].rows(0, 1, 2), 3)])
    assert halves is not None
    assert _visible(halves.tokens(1, 3), 0, 0) == [10, 11]
    assert _visible(halves.tokens(1, 3), 0, 1) == [20, 21, 22]
