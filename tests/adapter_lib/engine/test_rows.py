"""Cutting rows in equal shares, whatever the first dimension counts."""

import pytest
import torch

from adapter_lib.engine.rows import pick_rows, share, slice_rows
from adapter_lib.spec.errors import CompositionError


def test_shares_are_cut_and_put_together_again() -> None:
    rows = torch.arange(12).view(6, 2)
    pieces = [slice_rows(rows, start, start + 1, 3) for start in range(3)]
    assert torch.equal(torch.cat(pieces), rows)
    assert torch.equal(slice_rows(rows, 1, 3, 3), rows[2:])
    assert slice_rows(rows, 0, 1, 3).data_ptr() == rows.data_ptr(), "a view, no copy"


def test_shares_are_picked_in_any_order_and_more_than_once() -> None:
    rows = torch.arange(6)
    assert pick_rows(rows, torch.tensor([2, 0, 0]), 3).tolist() == [4, 5, 0, 1, 0, 1]
    assert pick_rows(rows, torch.tensor([5, 1]), 6).tolist() == [5, 1]


def test_a_single_row_stands_for_all() -> None:
    row = torch.ones(1, 3)
    assert slice_rows(row, 2, 4, 4) is row
    assert pick_rows(row, torch.tensor([3, 1]), 4) is row


@pytest.mark.parametrize(("rows", "of"), [(5, 2), (0, 0), (3, 4)])
def test_shares_that_are_not_equal_are_refused(rows: int, of: int) -> None:
    with pytest.raises(CompositionError, match=f"met a batch of {rows} rows"):
        share(rows, of)
