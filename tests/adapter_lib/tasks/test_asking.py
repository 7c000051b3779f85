"""Answers come back in order, whatever the batches were."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from adapter_lib.tasks import TaskError, task_named
from adapter_lib.tasks.asking import arguments_of, asker
from adapter_lib.tasks.features import Feature
from adapter_lib.tasks.measuring import _measures


class Summing(nn.Module):
    """Adds up the ids that the mask shows."""

    device = torch.device("cpu")

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return (input_ids * attention_mask).sum(dim=1)


def read(model: Any, features: Sequence[Feature], batch: Mapping[str, Any]) -> list[int]:
    assert set(batch) == {"input_ids", "attention_mask"}
    assert not torch.is_grad_enabled()
    assert not model.training
    sums: list[int] = model(**batch).tolist()
    return sums


def test_answers_are_in_the_features_order() -> None:
    rows = [[1], [2, 3, 4], [5, 6], [7] * 9, [8]]
    features = [
        Feature({"input_ids": row, "attention_mask": [1] * len(row), "token_type_ids": row, "labels": 0})
        for row in rows
    ]
    told: list[tuple[int, int]] = []
    ask = asker(Summing(), 99, batch_size=2, progress=lambda done, total: told.append((done, total)))
    assert ask(features, read) == [1, 9, 11, 63, 8]
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert arguments_of(Summing()) == {"input_ids", "attention_mask"}


def test_a_measure_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adapter_lib.tasks.metrics.classes", None)
    with pytest.raises(
        TaskError, match=r"Measuring classification needs the package .*: install adapter-lib\[train\]\."
    ):
        _measures(task_named("classification"), [0], [], ("a", "b"))
