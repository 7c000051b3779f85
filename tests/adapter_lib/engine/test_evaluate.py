"""What every block does, shown on adapters that only multiply and add."""

from typing import Any

import pytest
import torch

from adapter_lib.engine import Info, compile_plan, evaluate
from adapter_lib.spec.composition import (
    Average,
    BatchSplit,
    Fuse,
    MultiTask,
    Parallel,
    Split,
    Stack,
    parse_composition,
)
from adapter_lib.spec.errors import CompositionError
from tests.adapter_lib.engine.toys import KINDS, Affine, present, state_of

KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def _run(composition: Any, rows: Any, kind: type[Affine] = Affine, info: Info | None = None) -> Any:
    plan = compile_plan(parse_composition(composition), present(kind))
    assert plan is not None
    return evaluate(plan, state_of(rows, info)).y.squeeze(-1).tolist()


@KIND
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
        (BatchSplit("add", "double", batch_sizes=[1, 2]), [3, 4, 5], [4, 8, 10]),
        (BatchSplit("add", "double", batch_sizes=[0, 2]), [4, 5], [8, 10]),
        (BatchSplit("elsewhere", "double", batch_sizes=[1, 1]), [3, 4], [3, 8]),
        (Stack("add", BatchSplit("double", "negate", batch_sizes=[1, 1])), [3, 4], [8, -5]),
        (Parallel("add", BatchSplit("double", "negate", batch_sizes=[1, 1])), [3, 4] * 2, [4, 5, 6, -4]),
        (
            BatchSplit(BatchSplit("add", "double", batch_sizes=[1, 1]), "negate", batch_sizes=[2, 2]),
            [3, 4, 5, 6],
            [4, 8, -5, -6],
        ),
        (
            Stack(Parallel("add", "double"), BatchSplit("negate", "add", batch_sizes=[1, 1])),
            [3, 4, 3, 4],
            [-4, 6, -6, 9],
        ),
        (Average("add", "double"), [3], [5]),
        (Average("add", "double", weights=[1, 3]), [3], [5.5]),
        (Average("add", "double", weights=[1, 3], normalize_weights=False), [3], [22]),
        (Average("add", "elsewhere"), [3], [3.5]),
        (Average("add", Parallel("double", "negate")), [3, 3], [5, 0.5]),
        (Fuse("add", "double", name="f"), [3], [3 + 1 + 30]),
        (Fuse("elsewhere", "double", name="f"), [3], [3 + 30]),
        (Fuse("add", Stack("add", "double"), name="f"), [3], [3 + 1 + 50]),
        (Stack("double", Fuse("add", "double", name="f")), [3], [6 + 1 + 60]),
        (Fuse("add", Parallel("double", "negate"), name="f"), [3, 3], [3 + 1 + 30, 3 + 1 - 60]),
    ],
    ids=repr,
)
def test_blocks_do_what_they_say(composition: Any, rows: Any, expected: Any, kind: type[Affine]) -> None:
    assert _run(composition, rows, kind) == expected


def test_split_gives_every_child_its_own_tokens() -> None:
    tokens = torch.tensor([[1.0, 2, 3], [4, 5, 6]]).unsqueeze(-1)
    assert _run(Split("add", "negate", splits=[1, 2]), tokens) == [[2, -2, -3], [5, -5, -6]]
    assert _run(Split("add", "negate", splits=[0, 3]), tokens) == [[-1, -2, -3], [-4, -5, -6]]
    nested = Split(Split("add", "double", splits=[1, 1]), "negate", splits=[2, 1])
    assert _run(nested, tokens) == [[2, 4, -3], [5, 10, -6]]
    inside = Split(BatchSplit("add", "double", batch_sizes=[1, 1]), "negate", splits=[2, 1])
    assert _run(inside, tokens) == [[2, 3, -3], [8, 10, -6]]


@KIND
@pytest.mark.parametrize(
    ("tasks", "expected"),
    [([0, 0, 0], [2, 3, 4]), ([1, 0, 2], [2, 3, -3]), ([2, 2, 1], [-1, -2, 6]), ([1, 1, 1], [2, 4, 6])],
)
def test_multi_task_sends_every_row_to_its_task(tasks: list[int], expected: Any, kind: type[Affine]) -> None:
    info = Info(tasks=torch.tensor(tasks))
    assert _run(MultiTask("add", "double", "negate"), [1, 2, 3], kind, info) == expected


def test_multi_task_within_channels_and_shares() -> None:
    twice = Info(tasks=torch.tensor([1, 0, 1, 0]))
    assert _run(Parallel("negate", MultiTask("add", "double")), [1, 2, 1, 2], info=twice) == [-1, -2, 2, 3]
    info = Info(tasks=torch.tensor([1, 0, 0]))
    shares = BatchSplit("negate", MultiTask("add", "double"), batch_sizes=[1, 2])
    assert _run(shares, [1, 2, 3], info=info) == [-1, 3, 4]


@pytest.mark.parametrize(
    ("composition", "rows", "info", "said"),
    [
        (Parallel("add", "double"), [1, 2, 3], Info(), "over 2 rows or copies of the batch met a batch of 3"),
        (
            BatchSplit("add", "double", batch_sizes=[1, 1]),
            [1, 2, 3],
            Info(),
            "must add up to the rows of the batch",
        ),
        (Split("add", "double", splits=[1, 1]), torch.zeros(2, 3, 1), Info(), "2 tokens met a sequence of 3"),
        (Split("add", "double", splits=[1, 1]), [1, 2], Info(), "no dimension of tokens"),
        (MultiTask("add", "double"), [1, 2], Info(), "call the model with task_ids"),
        (MultiTask("add", "double"), [1], Info(tasks=torch.tensor([2])), "task_ids name 2 to 2; .* from 0"),
        (MultiTask("add", "double"), [1], Info(tasks=torch.tensor([-1])), "task_ids name -1 to -1"),
        (MultiTask("add", "double"), [1, 2, 3], Info(tasks=torch.tensor([0, 1])), "met a batch of 3"),
    ],
)
@KIND
def test_what_does_not_add_up_is_refused(
    composition: Any, rows: Any, info: Info, said: str, kind: type[Affine]
) -> None:
    with pytest.raises(CompositionError, match=said):
        _run(composition, rows, kind, info)


def test_the_gate_multiplies_what_is_added_and_is_recorded() -> None:
    part = Affine(2, 1, use_gating=True)
    assert part.gate is not None
    with torch.no_grad():
        part.gate.weight.fill_(0)
        part.gate.bias.fill_(0)
    here = present()
    here.parts["gated"] = part  # type: ignore[index]
    info = Info(record={})
    plan = compile_plan(Parallel("add", Stack("gated", "double")), here)
    assert plan is not None
    after = evaluate(plan, state_of([3, 4, 3, 4], info)).y.squeeze(-1).tolist()
    assert after == [4, 5, 2 * (3 + 0.5 * 4), 2 * (4 + 0.5 * 5)]
    assert info.record is not None
    assert info.record["gates"]["gated"]["layers.0.attn.q"].tolist() == [[0.5], [0.5]]
