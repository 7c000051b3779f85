"""HiRA against W + W ⊙ (B A)."""

from typing import Any

import pytest
from torch import Tensor

from adapter_lib import AdapterSetup, Stack
from adapter_lib.spec.configs import HiRAConfig
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.methods.weights import (
    ALL,
    FAMILIES,
    Numbers,
    changed,
    check,
    check_fresh,
    check_merging,
    doubled,
    hidden,
    tensors,
)


@pytest.mark.parametrize("family", FAMILIES)
def test_hira_multiplies_the_weight_entry_by_entry(family: str) -> None:
    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        return found.weight * (1 + own["b"] @ own["a"]), found.bias

    model = doubled(family, one=f"hira[r=3, {ALL}]")
    model.active_adapters = "one"
    check(hidden(model), hidden(changed(family, rule, tensors(model, "one"))))


def test_in_a_stack_every_update_is_one_of_the_bases_weight() -> None:
    model = doubled("gpt2", a="hira[r=3]", b="hira[r=2, targets=[v]]")

    def rule(found: Numbers, own: Any) -> tuple[Tensor, Tensor | None]:
        return found.weight * (1 + own["sum"]), found.bias

    total = {key: own["b"] @ own["a"] for key, own in tensors(model, "a").items()}
    for key, own in tensors(model, "b").items():
        total[key] = total[key] + own["b"] @ own["a"]
    with AdapterSetup(model, Stack("a", "b")):
        found = hidden(model)
    check(found, hidden(changed("gpt2", rule, {key: {"sum": value} for key, value in total.items()})))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_hira_changes_nothing_and_merging_equals_the_forward(family: str) -> None:
    check_fresh(family, "hira")
    check_merging(family, f"hira[r=3, {ALL}]")


def test_fields_are_checked() -> None:
    with pytest.raises(ConfigError, match="HiRAConfig: r must be a whole number of at least 1"):
        HiRAConfig(r=0)
