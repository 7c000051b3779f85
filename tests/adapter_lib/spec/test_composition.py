"""Composition blocks as trees."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.composition import (
    BLOCKS,
    Average,
    BatchSplit,
    Block,
    Fuse,
    MultiTask,
    Parallel,
    Route,
    Split,
    Stack,
    parse_composition,
)
from adapter_lib.spec.errors import CompositionError

NESTED = Stack("x", Parallel("a", Stack("b", "c"), Parallel("a", "d")))
EVERY: list[Block] = [
    Stack("a"),
    Parallel("a", "b"),
    NESTED,
    BatchSplit("a", Stack("b", "c"), batch_sizes=[2, 0]),
    Split("a", "b", splits=[3, 4]),
    Average("a", "b"),
    Average("a", Fuse("b", "c"), weights=[1, 3], normalize_weights=False),
    MultiTask("a", Average("b", "c")),
    Fuse("a", Stack("b", "c")),
    Fuse("a", "b", name="both"),
    Route("a", MultiTask("b", "c")),
]


def test_channels_are_counted_in_reading_order() -> None:
    assert NESTED.channels() == 4
    alone = [NESTED.channel(index) for index in range(4)]
    assert alone == [Stack("x", "a"), Stack("x", Stack("b", "c")), Stack("x", "a"), Stack("x", "d")]
    assert NESTED.names() == ("x", "a", "b", "c", "d")


def test_parallel_blocks_in_a_stack_go_channel_by_channel() -> None:
    both = Stack(Parallel("a", "b"), Parallel("c", "d"))
    assert [both.channel(0), both.channel(1)] == [Stack("a", "c"), Stack("b", "d")]
    with pytest.raises(CompositionError, match="2 and 3 channels"):
        Stack(Parallel("a", "b"), Parallel("a", "b", "c"))


def test_a_block_around_a_parallel_works_on_each_channel() -> None:
    block = Average("x", Parallel("a", "b"), weights=[1, 3])
    assert block.channels() == 2
    assert block.channel(1) == Average("x", "b", weights=[1, 3])
    learned = Fuse("x", Parallel("a", "b"))
    assert learned.channel(0) == Fuse("x", "a", name="x,b"), "the parameters are the whole block's"


@pytest.mark.parametrize("block", EVERY, ids=repr)
def test_blocks_survive_json_copy_and_pickle(block: Block) -> None:
    assert parse_composition(block.to_json()) == block
    assert copy.deepcopy(block) == block
    assert pickle.loads(pickle.dumps(block)) == block  # noqa: S301  (our own bytes)
    assert hash(parse_composition(block.to_json())) == hash(block)
    assert repr(eval(repr(block), {b.__name__: b for b in BLOCKS.values()})) == repr(block)  # noqa: S307


def test_type_order_and_settings_count() -> None:
    assert len(set(EVERY)) == len(EVERY)
    assert Stack("a", "b") != Stack("b", "a")
    assert Split("a", "b", splits=[1, 2]) != Split("a", "b", splits=[2, 1])
    assert Average("a", "b", weights=[1, 1]) != Average("a", "b", weights=[1, 1], normalize_weights=False)


def test_names_and_lists_become_stacks() -> None:
    assert parse_composition("a") == Stack("a")
    assert parse_composition(["a", Parallel("b", "c")]) == Stack("a", Parallel("b", "c"))


def test_the_form_that_adapters_writes_is_read() -> None:
    leaves = [{"type": "single", "children": [name]} for name in "ab"]
    written = {"type": "BatchSplit", "children": leaves, "batch_sizes": [1, 2]}
    assert parse_composition(written) == BatchSplit("a", "b", batch_sizes=[1, 2])
    assert parse_composition({"type": "Stack", "children": leaves}) == Stack("a", "b")


@pytest.mark.parametrize(
    ("block", "key"),
    [
        (Fuse("a", "b"), "a,b"),
        (Fuse("a", "b", name="both"), "both"),
        (Fuse(Stack("x", "a"), Parallel("x", "b")), "a,b"),
        (Route("a", Fuse("b", "c")), "a,c"),
    ],
)
def test_learned_blocks_are_named_by_who_speaks_last(block: Any, key: str) -> None:
    assert block.key() == key


def test_average_shares() -> None:
    assert Average("a", "b").shares() == (0.5, 0.5)
    assert Average("a", "b", weights=[1, 3]).shares() == (0.25, 0.75)
    assert Average("a", "b", weights=[1, 3], normalize_weights=False).shares() == (1.0, 3.0)
    assert Average("a", "b", normalize_weights=False).shares() == (1.0, 1.0)


def test_blocks_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        NESTED.children = ()


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
        (
            {"type": "mixture", "children": ["a"]},
            "no composition block 'mixture'; known are: average, batch_split",
        ),
        ({"type": ["stack"], "children": ["a"]}, "no composition block"),
        ({"type": "stack"}, "'children': .*; this one has 'type'"),
        ({}, "this one has nothing"),
        ({"type": "stack", "children": "ab"}, "'children': "),
        ({"type": "stack", "children": []}, "Stack needs at least one adapter"),
        (
            {"type": "stack", "children": ["a"], "order": 1},
            "stack has no setting 'order'; its settings: none",
        ),
        ({"type": "split", "children": ["a"]}, "split needs its setting splits, which is missing"),
        ({"type": "batch_split", "children": ["a"]}, "batch_split needs its setting batch_sizes"),
        (
            {"type": "batch_split", "children": ["a", "b"], "batch_sizes": [1]},
            "batch_sizes must be 2 whole numbers",
        ),
        ({"type": "split", "children": ["a"], "splits": "4"}, "splits must be 1 whole numbers"),
        ({"type": "split", "children": ["a"], "splits": [-1]}, "from 0 up"),
        ({"type": "split", "children": ["a"], "splits": [True]}, "from 0 up"),
        (
            {"type": "average", "children": ["a"], "weight": [1]},
            "its settings: weights and normalize_weights",
        ),
        ({"type": "average", "children": ["a"], "weights": ["1"]}, "weights must be 1 numbers"),
        ({"type": "average", "children": ["a"], "weights": [float("inf")]}, "weights must be finite"),
        ({"type": "average", "children": ["a", "b"], "weights": [1, -1]}, "whose sum is zero"),
        ({"type": "average", "children": ["a"], "normalize_weights": "no"}, "true or false"),
        ({"type": "fuse", "children": ["a"], "name": 3}, "Fuse: name must be text"),
        ({"type": "fuse", "children": ["a"], "name": "a.b"}, "dots, slashes"),
        ({"type": "single", "children": ["a", "b"]}, "no composition block 'single'"),
        ({"type": "stack", "children": [{"type": "split", "children": ["a"]}]}, "split needs its setting"),
    ],
)
def test_malformed_compositions_are_refused(given: Any, said: str) -> None:
    with pytest.raises(CompositionError, match=said):
        parse_composition(given)


def test_settings_in_python_are_checked_alike() -> None:
    with pytest.raises(CompositionError, match="Stack has no setting 'order'; its settings: none"):
        Stack("a", order=1)


def test_depth_is_limited() -> None:
    deep: Any = "a"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(CompositionError, match="deeper than 32"):
        parse_composition(deep)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["a", "b", "stack", "average"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"type": st.sampled_from([*BLOCKS, "single"]), "children": st.lists(inner, max_size=3)},
            optional={"splits": inner, "batch_sizes": inner, "weights": inner, "name": inner},
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_is_read_can_be_written_and_the_rest_is_refused(document: Any) -> None:
    try:
        block = parse_composition(document)
    except CompositionError:
        return
    assert parse_composition(block.to_json()) == block
