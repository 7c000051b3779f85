"""Composition blocks as trees."""

import copy
import pickle
from typing import Any

import pytest

from adapter_lib.spec.composition import Block, Parallel, Stack, parse_composition
from adapter_lib.spec.errors import CompositionError

NESTED = Stack("x", Parallel("a", Stack("b", "c"), Parallel("a", "d")))


def test_channels_and_paths_are_counted_in_reading_order() -> None:
    assert NESTED.channels() == 4
    assert NESTED.paths() == (("x", "a"), ("x", "b", "c"), ("x", "a"), ("x", "d"))
    assert NESTED.names() == ("x", "a", "b", "c", "d")


def test_parallel_blocks_in_a_stack_go_channel_by_channel() -> None:
    both = Stack(Parallel("a", "b"), Parallel("c", "d"))
    assert both.paths() == (("a", "c"), ("b", "d"))
    with pytest.raises(CompositionError, match="2 and 3 channels"):
        Stack(Parallel("a", "b"), Parallel("a", "b", "c"))


@pytest.mark.parametrize("block", [Stack("a"), Parallel("a", "b"), NESTED])
def test_blocks_survive_json_copy_and_pickle(block: Block) -> None:
    assert parse_composition(block.to_json()) == block
    assert copy.deepcopy(block) == block
    assert pickle.loads(pickle.dumps(block)) == block  # noqa: S301  (our own bytes)
    assert hash(parse_composition(block.to_json())) == hash(block)


def test_type_and_order_count() -> None:
    assert Stack("a", "b") != Parallel("a", "b")
    assert Stack("a", "b") != Stack("b", "a")
    assert repr(NESTED).startswith("Stack('x', Parallel('a', Stack(")


def test_names_and_lists_become_stacks() -> None:
    assert parse_composition("a") == Stack("a")
    assert parse_composition(["a", Parallel("b", "c")]) == Stack("a", Parallel("b", "c"))


def test_blocks_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        NESTED.children = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "at least one adapter"),
        ("a.b", "dots, slashes"),
        ("a/b", "dots, slashes"),
        ("", "1 to 96 characters"),
        (" a", "1 to 96 characters"),
        ("a\n", "1 to 96 characters|not allowed"),
        (3, "named by text or by a block"),
        ({"type": "fuse", "children": ["a"]}, "known are: parallel, stack"),
        ({"type": ["stack"], "children": ["a"]}, "no composition block"),
        ({"type": "stack"}, "these two keys"),
        ({"type": "stack", "children": "ab"}, "these two keys"),
    ],
)
def test_malformed_compositions_are_refused(given: Any, said: str) -> None:
    with pytest.raises(CompositionError, match=said):
        parse_composition(given)


def test_depth_is_limited() -> None:
    deep: Any = "a"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(CompositionError, match="deeper than 32"):
        parse_composition(deep)
