"""Random compositions, four blocks deep, against an evaluation that takes every row of every copy alone."""

import functools
from typing import Any

import pytest
import torch

from adapter_lib.engine import Info, Present, compile_plan, evaluate
from adapter_lib.spec.composition import Average, Block, Fuse, LearnedBlock, Split, Stack, parse_composition
from tests.adapter_lib.blocks.running import close, given, hidden, some
from tests.adapter_lib.blocks.trees import Grower, Tree, alone
from tests.adapter_lib.engine.toys import KINDS, Affine, digits, state_of
from tests.adapter_lib.tiny import prepared
from tests.adapter_lib.zoo.spreading import spread

ROWS, TOKENS, DEPTH = 4, 7, 4
TASKS = [1, 0, 0, 1]

# Adapters that act at the same places, so that a Fuse has the same children for every row; and one of each.
SETS: dict[str, dict[str, str]] = {
    "sites": {
        "a": "double_seq_bn[reduction_factor=4]",
        "b": "seq_bn[mh_adapter=true]",
        "c": "par_bn[mh_adapter=true, use_gating=true]",
        "d": "double_seq_bn[original_ln_after=false]",
        "e": "seq_bn[mh_adapter=true, original_ln_after=false, residual_before_ln=false]",
    },
    "leaves": {
        "a": "lora[r=2, targets=[q, v, up]]",
        "b": "lora[r=3, alpha=5, use_gating=true, targets=[q, v, up]]",
        "c": "hira[r=2, targets=[q, v, up]]",
        "d": "lora[r=3, targets=[q, v, up]]",
    },
    "prefixes": {"a": "prefix_tuning[prefix_length=2]", "b": "prefix_tuning[prefix_length=3, flat=true]"},
    "mixed": {
        "a": "lora",
        "b": "seq_bn",
        "c": "par_bn",
        "d": "lora[targets=[down]]|seq_bn",
        "e": "prefix_tuning",
    },
}


@functools.cache
def model_of(family: str, kind: str) -> Any:
    return prepared(family, **SETS[kind])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_rows_of_a_whole_model(family: str, kind: str, seed: int) -> None:
    model, learns = model_of(family, kind), kind in ("sites", "leaves")
    grower = Grower(seed, "".join(SETS[kind]), TOKENS, learns=learns)
    tree = parse_composition(grower.grow(DEPTH, 1 + seed % 3, ROWS))
    learned = _add_learned(model, tree)
    try:
        found = hidden(model, tree, given(ROWS) | {"task_ids": torch.tensor(TASKS)})
        rows = [
            hidden(model, alone(tree, channel, row, TASKS[row]), some(given(ROWS), [row]))
            for channel in range(tree.channels())
            for row in range(ROWS)
        ]
        close(found, torch.cat(rows))
    finally:
        for node in learned:
            model.delete_adapter_fusion(node) if isinstance(node, Fuse) else model.delete_route(node)


def _add_learned(model: Any, tree: Block) -> list[LearnedBlock]:
    nodes = [node for node in tree.blocks() if isinstance(node, LearnedBlock)]
    generator = torch.Generator().manual_seed(1)
    for node in nodes:
        (model.add_adapter_fusion if isinstance(node, Fuse) else model.add_route)(node)
        for part in model.adapter_runtime.injection.block_parts(node.kind, node.key()).values():
            with torch.no_grad():
                for parameter in part.parameters():
                    parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return nodes


TOYS: dict[str, tuple[float, float]] = {"a": (1, 1), "b": (2, 0), "c": (-0.5, 3), "d": (0.25, -1)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", spread(range(120)))
def test_numbers_at_one_place(seed: int, kind: type[Affine]) -> None:
    """x is named too, and is nowhere."""
    grower = Grower(seed, "abcdx", TOKENS, learns=False)
    tree = parse_composition(_with_fusions(grower.grow(DEPTH, 1 + seed % 4, ROWS)))
    blocks = {("fuse", n.key()): digits(len(n.children)) for n in tree.blocks() if isinstance(n, Fuse)}
    plan = compile_plan(tree, Present({name: kind(*TOYS[name]) for name in TOYS}, blocks))
    channels = tree.channels()
    torch.manual_seed(seed)
    numbers = torch.randn(ROWS, TOKENS, 1, dtype=torch.float64)
    state = state_of(numbers.repeat(channels, 1, 1), Info(tasks=torch.tensor(TASKS * channels)))
    found = state if plan is None else evaluate(plan, state)
    expected = [
        [_number(alone(tree, channel, row, TASKS[row]), number, token) for token, number in enumerate(tokens)]
        for channel in range(channels)
        for row, tokens in enumerate(numbers.squeeze(-1).tolist())
    ]
    torch.testing.assert_close(found.y.squeeze(-1), torch.tensor(expected, dtype=torch.float64))


def _with_fusions(tree: Tree) -> Tree:
    """Every other Average becomes a Fuse."""
    if isinstance(tree, str):
        return tree
    children = [_with_fusions(child) for child in tree.children]
    if isinstance(tree, Average) and tree.weights is None:
        return Fuse(*children, name="f" * len(children))
    return tree.with_children(*children)


def _number(tree: Tree, y: float, token: int) -> float:
    """What a tree without Parallel, BatchSplit and MultiTask makes of the number of one token."""
    if isinstance(tree, str):
        factor, offset = TOYS.get(tree, (1, 0))
        return factor * y + offset
    if isinstance(tree, Stack):
        for child in tree.children:
            y = _number(child, y, token)
        return y
    if isinstance(tree, Split):
        for child, size in zip(tree.children, tree.splits, strict=True):
            if token < size:
                return _number(child, y, token)
            token -= size
    results = [_number(child, y, token) for child in tree.children]
    if isinstance(tree, Fuse):
        return y + sum((result - y) * 10**i for i, result in enumerate(results))
    assert isinstance(tree, Average)
    return sum(share * result for share, result in zip(tree.shares(), results, strict=True))
