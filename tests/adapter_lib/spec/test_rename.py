"""Compositions with other names."""

import pytest

from adapter_lib.spec.composition import (
    Average,
    Fuse,
    Parallel,
    Route,
    Stack,
    keys_after,
    learned_in,
    renamed,
)
from adapter_lib.spec.errors import CompositionError

TREE = Stack(
    "a", Average(Fuse(Stack("b", "a"), "c"), "a", weights=[1, 2]), Parallel("b", Route("a", "c", name="r"))
)


def test_names_change_and_settings_stay() -> None:
    found = renamed(TREE, {"a": "x", "r": "s"})
    assert found == Stack(
        "x",
        Average(Fuse(Stack("b", "x"), "c"), "x", weights=[1, 2]),
        Parallel("b", Route("x", "c", name="s")),
    )
    assert keys_after(TREE, found) == {("fuse", "a,c"): "x,c", ("route", "r"): "s"}


def test_learned_blocks_may_have_names_of_their_own() -> None:
    found = renamed(TREE, {"a": "x"}, {("fuse", "a,c"): "f", ("route", "r"): "g"})
    assert [node.key() for node in learned_in(found)] == ["f", "g"]
    assert found.names() == ("x", "b", "c")


def test_bad_names_are_refused() -> None:
    with pytest.raises(CompositionError, match="cannot name an adapter"):
        renamed(TREE, {"a": "../x"})
