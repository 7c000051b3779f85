"""Batches sorted by length give the same answers as one text at a time, in the texts' order."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from workers import loaded, prediction
from workers.prediction import Inputs, over_batches


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_answers_come_in_the_order_of_the_texts(
    backbone_folder: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "BATCH", batch)
    backbone = loaded.load(backbone_folder, "cpu")
    texts = ["good film", "the " * 30 + "film", "bad", "i i i", "the film"]

    def pooled(inputs: Inputs) -> Tensor:
        model: Any = backbone.model
        states: Tensor = model(**inputs).last_hidden_state
        return states[:, 0]

    together = over_batches(backbone, texts, pooled)
    alone = torch.cat([over_batches(backbone, [text], pooled) for text in texts])
    assert together.shape == (5, 32)
    assert torch.allclose(together, alone, atol=1e-5)


def test_long_texts_are_cut_to_what_the_model_takes(backbone_folder: Path) -> None:
    backbone = loaded.load(backbone_folder, "cpu")
    assert backbone.longest == 64
    lengths = over_batches(backbone, ["film " * 500], lambda inputs: inputs["attention_mask"].sum(dim=1))
    assert lengths.tolist() == [64]
