"""Compiling compositions into plans and evaluating them, shown on adapters that only add or multiply."""

from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib.engine import LeafState, Part, compile_plan, evaluate
from adapter_lib.engine.plan import Chain, Grouped, Side, Single
from adapter_lib.spec.composition import Block, Parallel, Stack, parse_composition
from adapter_lib.spec.configs import LoRAConfig, Place, Shapes
from adapter_lib.spec.errors import CompositionError

PLACE = Place("attn.q", 0, 2, 2)


class Affine(Part):
    """y → factor · y + offset: the order of two of them shows."""

    def __init__(self, factor: float, offset: float) -> None:
        super().__init__(LoRAConfig(), PLACE, torch.empty(0))
        self.factor, self.offset = factor, offset

    def make(self, shapes: Shapes, like: Tensor) -> None:
        """It needs no parameters."""

    def single(self, state: LeafState) -> LeafState:
        return state._replace(y=self.factor * state.y + self.offset)


class GroupedAffine(Affine):
    """The same, but handed a whole Parallel at once."""

    is_groupable = True

    @staticmethod
    def grouped(groups: Any, state: LeafState) -> LeafState:
        pieces = []
        for rows, group in zip(state.y.chunk(len(groups)), groups, strict=True):
            for part in group:
                rows = part.factor * rows + part.offset
            pieces.append(rows)
        return state._replace(y=torch.cat(pieces))


PARTS: dict[str, Part] = {"add": Affine(1, 1), "double": Affine(2, 0), "negate": Affine(-1, 0)}
GROUPED: dict[str, Part] = {name: GroupedAffine(p.factor, p.offset) for name, p in PARTS.items()}  # type: ignore[arg-type]


def _run(block: Block, rows: list[float], parts: dict[str, Part] = PARTS) -> list[float]:
    y = torch.tensor(rows).unsqueeze(1)
    plan = compile_plan(block, parts)
    assert plan is not None
    found: list[float] = evaluate(plan, LeafState(y, y)).y.squeeze(1).tolist()
    return found


@pytest.mark.parametrize("parts", [PARTS, GROUPED], ids=["one by one", "grouped"])
@pytest.mark.parametrize(
    ("composition", "rows", "expected"),
    [
        ("add", [3, 4], [4, 5]),
        (Stack("add", "double"), [3], [8]),
        (Stack("double", "add"), [3], [7]),
        (Parallel("add", "double"), [3, 4, 3, 4], [4, 5, 6, 8]),
        (Parallel("add", Stack("add", "double")), [3, 3], [4, 8]),
        (Parallel("add", Parallel("double", "negate")), [3, 3, 3], [4, 6, -3]),
        (Stack("add", Parallel("double", "negate")), [3, 3], [8, -4]),
        (Stack(Parallel("add", "double"), Parallel("double", "add")), [3, 3], [8, 7]),
        (Parallel("add", "elsewhere"), [3, 3], [4, 3]),
        (
            Parallel(Stack("elsewhere", "double"), Parallel("elsewhere", "nowhere"), "add"),
            [3] * 4,
            [6, 3, 3, 4],
        ),
    ],
)
def test_blocks_do_what_they_say(
    composition: Any, rows: list[float], expected: list[float], parts: Any
) -> None:
    assert _run(parse_composition(composition), rows, parts) == expected


def test_a_plan_holds_only_what_is_present() -> None:
    assert compile_plan(None, PARTS) is None
    assert compile_plan(Stack("elsewhere"), PARTS) is None
    assert compile_plan(Stack("elsewhere", "add"), PARTS) == Single(PARTS["add"])
    assert compile_plan(Stack("add", "elsewhere", "double"), PARTS) == Chain(
        (Single(PARTS["add"]), Single(PARTS["double"]))
    )
    assert compile_plan(Parallel("add", "elsewhere"), PARTS) == Side(
        (Single(PARTS["add"]), Chain(())), (1, 2)
    )


def test_only_parts_of_one_kind_are_grouped_and_only_in_parallel() -> None:
    assert compile_plan(Parallel("add", "double"), GROUPED) == Grouped(
        GroupedAffine, ((GROUPED["add"],), (GROUPED["double"],))
    )
    assert isinstance(compile_plan(Stack("add", "double"), GROUPED), Chain)
    mixed = GROUPED | {"add": PARTS["add"]}
    assert isinstance(compile_plan(Parallel("add", "double"), mixed), Side)


@pytest.mark.parametrize("parts", [PARTS, GROUPED], ids=["one by one", "grouped"])
def test_a_batch_that_was_not_copied_is_refused(parts: dict[str, Part]) -> None:
    with pytest.raises(CompositionError, match="Parallel of 2 channels met a batch of 3 rows"):
        _run(Parallel("add", "double"), [1, 2, 3], parts)
