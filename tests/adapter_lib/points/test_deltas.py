"""What compositions make of a weight and a bias: the rules of the blocks, by hand."""

import pytest
import torch
from torch import Tensor, nn

from adapter_lib import Average, Parallel, Stack
from adapter_lib.engine import Part, Several, WeightDelta
from adapter_lib.points.deltas import (
    Numbers,
    delta_of,
    members_of,
    merged_columns,
    merged_numbers,
    rounding,
    wide,
    widened,
)
from adapter_lib.spec.errors import AttachError

LINEAR = nn.Linear(2, 3)
ROWS = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)


class _Told(Part):
    """A part whose change is told."""

    def __init__(self, delta: WeightDelta | None) -> None:
        nn.Module.__init__(self)
        self.delta, self.gate = delta, None
        self.scale = nn.Parameter(torch.tensor(0.1))

    def weight_delta(self) -> WeightDelta | None:
        return self.delta


def _ones(*shape: int) -> Tensor:
    return torch.ones(*shape, dtype=torch.float64)


PARTS: dict[str, Part | Several] = {
    "added": _Told(WeightDelta(_ones(3, 2))),
    "scaled": _Told(WeightDelta(rows=ROWS)),
    "shifted": _Told(WeightDelta(bias=ROWS)),
    "both": Several({"0": _Told(WeightDelta(rows=ROWS)), "1": _Told(WeightDelta(_ones(3, 2)))}),
    "columns": _Told(WeightDelta(columns=torch.tensor([2.0, 5.0]))),
    "other": _Told(None),
}
START = Numbers(_ones(3, 2), _ones(3))


def _merged(*names: object) -> Numbers:
    return merged_numbers(Stack(*names), PARTS, START, LINEAR)  # type: ignore[arg-type]


def test_what_is_stacked_acts_in_turn() -> None:
    column = ROWS[:, None]
    assert torch.equal(_merged("added", "scaled").weight, (2 * column).expand(3, 2))
    assert torch.equal(_merged("scaled", "added").weight, (column + 1).expand(3, 2))
    assert torch.equal(_merged("both").weight, (column + 1).expand(3, 2))
    bias = _merged("shifted", "scaled").bias
    assert bias is not None
    assert torch.equal(bias, (1 + ROWS) * ROWS)


def test_an_average_weighs_what_its_children_make_of_the_same() -> None:
    found = _merged("added", Average("scaled", "absent", weights=[3, 1]))
    assert torch.equal(found.weight, (0.75 * 2 * ROWS[:, None] + 0.25 * 2).expand(3, 2))
    unequal = Average("scaled", "added", weights=[0.5, 0.25], normalize_weights=False)
    found = _merged(unequal)
    assert found.bias is not None
    assert torch.equal(found.bias, 0.5 * ROWS + 0.25)


def test_what_is_not_here_changes_nothing() -> None:
    absent = Average("absent", "away", weights=[0.5, 0.2], normalize_weights=False)
    assert torch.equal(_merged("absent", absent).weight, START.weight)


def test_inputs_are_scaled_by_products_and_means() -> None:
    assert merged_columns(Stack("columns", "columns"), PARTS, _ones(2)).tolist() == [4, 25]
    assert merged_columns(Stack(Average("columns", "absent")), PARTS, _ones(2)).tolist() == [1.5, 3]


def test_what_cannot_be_merged_is_refused() -> None:
    with pytest.raises(AttachError, match="What Parallel does depends on the input"):
        _merged(Parallel("added", "scaled"))
    with pytest.raises(AttachError, match="'other' is no update of weights"):
        _merged("added", "other")
    bare = Numbers(START.weight, None)
    assert merged_numbers(Stack("scaled"), PARTS, bare, LINEAR).bias is None
    with pytest.raises(AttachError, match="'shifted' changes a bias, and Linear has none"):
        merged_numbers(Stack("shifted"), PARTS, bare, LINEAR)


def test_a_gate_is_no_change_of_weights() -> None:
    gated = _Told(WeightDelta(_ones(3, 2)))
    gated.gate = nn.Linear(2, 1)
    with pytest.raises(AttachError, match="'one' is no update of weights"):
        delta_of("one", gated)
    assert members_of(gated) == [gated]


def test_parameters_are_wide_for_a_while_and_then_the_same_objects() -> None:
    part = PARTS["added"]
    before = next(part.parameters())
    with widened([part, PARTS["both"]]):
        assert next(part.parameters()).dtype == torch.float64
        assert not next(part.parameters()).requires_grad
    assert next(part.parameters()) is before
    assert wide(before).dtype == torch.float64


def test_rounding_is_measured_against_the_change() -> None:
    before, wanted = torch.zeros(2), torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert rounding(before, wanted, torch.tensor([3.0, 4.5])) == (5.0, 0.5)
    assert rounding(None, None, None) == (0.0, 0.0)
