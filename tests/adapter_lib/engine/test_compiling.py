"""From compositions to plans: only what is present, and grouped where that is possible."""

from typing import Any

import pytest

from adapter_lib.engine import Present, Several, compile_plan
from adapter_lib.engine.plan import (
    IDENTITY,
    Chain,
    Gated,
    Grouped,
    Learned,
    Mean,
    Side,
    Single,
    Tasks,
    Tokens,
)
from adapter_lib.spec.composition import (
    Average,
    BatchSplit,
    Block,
    Fuse,
    MultiTask,
    Parallel,
    Split,
    Stack,
)
from adapter_lib.spec.errors import CompositionError
from tests.adapter_lib.engine.toys import Affine, GroupedAffine, present

HERE = present()
GROUPED = present(GroupedAffine)
ADD, DOUBLE, NEGATE = (Single(HERE.parts[name]) for name in ("add", "double", "negate"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("block", "plan"),
    [
        (None, None),
        (Stack("elsewhere"), None),
        (Average("elsewhere", "nowhere"), None),
        (Stack("elsewhere", "add"), ADD),
        (Stack("add", "elsewhere", "double"), Chain((ADD, DOUBLE))),
        (Parallel("add", "elsewhere"), Side((ADD, IDENTITY), (1, 2))),
        (
            Parallel("add", Parallel("double", "elsewhere")),
            Side((ADD, Side((DOUBLE, IDENTITY), (1, 2))), (1, 3)),
        ),
        (BatchSplit("add", "double", batch_sizes=[1, 3]), Side((ADD, DOUBLE), (1, 4))),
        (Split("add", "double", splits=[2, 1]), Tokens((ADD, DOUBLE), (2, 3))),
        (Average("add", "elsewhere", weights=[1, 3]), Mean((ADD, IDENTITY), (0.25, 0.75))),
        (MultiTask("add", "double"), Tasks((ADD, DOUBLE))),
        (Stack("negate", Average("elsewhere", "nowhere")), NEGATE),
    ],
    ids=repr,
)
def test_a_plan_holds_only_what_is_present(block: Block | None, plan: Any) -> None:
    assert compile_plan(block, HERE) == plan


def test_a_learned_block_asks_those_who_are_here() -> None:
    plan = compile_plan(Fuse("elsewhere", "add", "double", name="f"), present(children=3))
    assert isinstance(plan, Learned)
    assert plan.which == (1, 2)
    assert len(plan.children) == 2


def test_a_block_around_a_parallel_is_compiled_channel_by_channel() -> None:
    plan = compile_plan(Average("add", Parallel("double", "negate")), HERE)
    assert plan == Side((Mean((ADD, DOUBLE), (0.5, 0.5)), Mean((ADD, NEGATE), (0.5, 0.5))), (1, 2))


def test_the_members_of_a_union_act_one_after_the_other() -> None:
    union = Several({"0": Affine(1, 1), "1": Affine(2, 0)})
    plan = compile_plan(Stack("union"), Present({"union": union}, {}))
    assert plan == Chain(tuple(Single(part) for part in union.members()))


def test_a_gated_adapter_is_gated_by_the_evaluator_unless_it_does_it_itself() -> None:
    part = Affine(1, 1, use_gating=True)
    assert compile_plan(Stack("one"), Present({"one": part}, {})) == Gated(part, "one")
    part.gates_itself = True  # type: ignore[misc]
    assert compile_plan(Stack("one"), Present({"one": part}, {})) == Single(part)


def _group(*names: str) -> tuple[Any, ...]:
    return tuple(GROUPED.parts[name] for name in names)


@pytest.mark.parametrize(
    ("block", "groups"),
    [
        (Parallel("add", "double"), (_group("add"), _group("double"))),
        (Parallel("add", "elsewhere"), (_group("add"), ())),
        (Stack("add", Parallel("double", "negate")), (_group("add", "double"), _group("add", "negate"))),
        (
            Stack(Parallel("add", "double"), Parallel("negate", "add")),
            (_group("add", "negate"), _group("double", "add")),
        ),
        (BatchSplit("add", "double", batch_sizes=[2, 2]), (_group("add"), _group("double"))),
        (Parallel("add", BatchSplit("double", "negate", batch_sizes=[1, 1])), None),
    ],
    ids=repr,
)
def test_equal_shares_are_grouped(block: Block, groups: Any) -> None:
    plan = compile_plan(block, GROUPED)
    assert plan == Grouped(GroupedAffine, groups) if groups is not None else not isinstance(plan, Grouped)


@pytest.mark.parametrize(
    "block",
    [
        Stack("add", "double"),
        BatchSplit("add", "double", batch_sizes=[1, 2]),
        Parallel(Average("add", "double"), "negate"),
        Split("add", "double", splits=[1, 1]),
    ],
    ids=repr,
)
def test_other_blocks_are_not_grouped(block: Block) -> None:
    assert not isinstance(compile_plan(block, GROUPED), Grouped)


def test_only_parts_of_one_kind_are_grouped() -> None:
    mixed = Present({**GROUPED.parts, "add": HERE.parts["add"]}, {})
    assert isinstance(compile_plan(Parallel("add", "double"), mixed), Side)


def test_learned_blocks_without_fitting_parameters_are_refused() -> None:
    with pytest.raises(
        CompositionError, match=r"no parameters under the name 'add,double'; add_adapter_fusion"
    ):
        compile_plan(Fuse("add", "double"), HERE)
    with pytest.raises(
        CompositionError, match="has 3 children, but the parameters under the name 'f' are for 2"
    ):
        compile_plan(Fuse("add", "double", "negate", name="f"), HERE)
