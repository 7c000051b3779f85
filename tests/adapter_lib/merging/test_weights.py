"""How much each adapter counts."""

from typing import Any

import pytest

from adapter_lib.merging import checked
from adapter_lib.spec.errors import ConfigError


def test_weights_are_one_each_or_told_by_order_or_name() -> None:
    names = ["a", "b"]
    assert checked(names, None, normalise=False) == [1, 1]
    assert checked(names, [3, -1], normalise=False) == [3, -1]
    assert checked(names, {"b": 2, "a": 1}, normalise=False) == [1, 2]


def test_normalised_weights_add_up_to_one() -> None:
    assert checked(["a", "b"], None, normalise=True) == [0.5, 0.5]
    assert checked(["a", "b"], [3, -1], normalise=True) == [1.5, -0.5]


@pytest.mark.parametrize(
    ("names", "weights", "message"),
    [
        ([], None, "Name the adapters in a list, each once"),
        ("ab", None, "Name the adapters in a list"),
        (["a", "a"], None, "each once"),
        (["a", "b"], [1], "weights must be 2 numbers, one per adapter"),
        (["a", "b"], {"a": 1, "c": 2}, "weights are of a, c, the adapters a, b"),
        (["a"], [float("inf")], "finite numbers"),
        (["a"], ["1"], "finite numbers"),
        (["a", "b"], [1, -1], "add up to zero"),
    ],
)
def test_bad_weights_are_refused(names: Any, weights: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        checked(names, weights, normalise=True)
