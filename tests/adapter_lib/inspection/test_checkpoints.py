"""What is told of a checkpoint, piece by piece; `inspect` itself is tested with the command line."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapter_lib.inspection.checkpoints import Problem, TensorFact
from adapter_lib.inspection.checkpoints.adapterhub import _in_order
from adapter_lib.inspection.checkpoints.native import _gaps
from adapter_lib.inspection.checkpoints.report import sizes_of, type_problems
from adapter_lib.inspection.checkpoints.tensors import facts_of, values_of
from adapter_lib.inspection.checkpoints.values import _not_finite
from adapter_lib.spec.errors import LoadError


def test_sizes_of_one_method_and_of_a_union() -> None:
    assert sizes_of({"r": 8, "alpha": 16.0, "dropout": 0.1, "targets": ["q"]}) == {"r": 8, "alpha": 16.0}
    members = [
        {"method": "lora", "config": {"r": 4}},
        {"method": "bottleneck", "config": {"reduction_factor": 2}},
    ]
    assert sizes_of({"configs": members}) == {"0.r": 4, "1.reduction_factor": 2}


def test_labels_are_in_the_order_of_their_numbers() -> None:
    assert _in_order({"c": 10, "b": 2, "a": 9}) == ["b", "a", "c"]
    assert _in_order({"odd": "x", "first": 0}) == ["first", "odd"]


@pytest.mark.parametrize("name", ["a.safetensors", "a.bin"])
def test_tensors_of_both_kinds_of_files(tmp_path: Path, name: str) -> None:
    tensors = {"x": torch.ones(2, 3, dtype=torch.float16), "y": torch.arange(4)}
    if name.endswith("bin"):
        torch.save(tensors, tmp_path / name)
    else:
        save_file(tensors, tmp_path / name)
    found = {fact.name: fact for fact in facts_of(tmp_path / name)}
    assert found == {"x": TensorFact("x", "F16", (2, 3)), "y": TensorFact("y", "I64", (4,))}
    assert found["x"].elements == 6
    assert all(torch.equal(value, tensors[key]) for key, value in values_of(tmp_path / name))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("a.safetensors", "a.bin"):
        with pytest.raises(LoadError, match="cannot be read"):
            facts_of(tmp_path / name)


def test_types_and_emptiness() -> None:
    assert type_problems([TensorFact("a", "BF16", (1,))]) == []
    assert [problem.code for problem in type_problems([])] == ["tensors.none"]
    found = type_problems([TensorFact("a", "I8", (0, 3))])
    assert [problem.code for problem in found] == ["tensors.dtype", "tensors.empty"]


def test_gaps_are_places_that_lack_what_others_have() -> None:
    whole = ["attn.q.lora_a", "attn.q.lora_b"]
    assert list(_gaps({0: whole, 1: whole, 2: ["ffn.up.lora_a", "ffn.up.lora_b"]})) == []
    assert list(_gaps({0: whole, 1: whole[:1]})) == [
        Problem("tensors.missing", "The tensor layers.1.attn.q.lora_b is missing; other layers have it.")
    ]


def test_numbers_that_are_none() -> None:
    values = torch.tensor([1.0, float("nan"), float("inf"), -float("inf")])
    assert [p.message for p in _not_finite("a", values)] == [
        "a has 1 of 4 numbers that are NaN.",
        "a has 2 of 4 numbers that are infinite.",
    ]
    assert list(_not_finite("a", torch.arange(3))) == []
