"""The watch over predictions that fall to one class."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib.training import CollapseWarning, CollapseWatch
from tests.adapter_lib.training.running import trainer, with_head


def _step(watch: CollapseWatch, logits: Tensor, labels: Tensor, steps: int = 1, **given: Any) -> None:
    for _ in range(steps):
        watch.see(logits, labels, is_training=True, **given)
        watch.on_step_end(None, None, None)  # type: ignore[arg-type]


def _logits(classes: list[int], count: int = 3) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(classes), count).float()


ONE = _logits([1] * 8)
MIXED_LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])


def test_a_window_of_one_class_warns_once_and_names_the_rate() -> None:
    watch = CollapseWatch(window=5)
    _step(watch, ONE, MIXED_LABELS, steps=9)  # the first window is not judged, the second not full
    watch.see(ONE, MIXED_LABELS, is_training=True)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.25)
    with pytest.warns(
        CollapseWarning, match=r"All 40 predictions in the last 5 steps are class 1.*38%.*is 0\.25"
    ):
        watch.on_step_end(None, None, None, optimizer=optimizer)  # type: ignore[arg-type]
    _step(watch, ONE, MIXED_LABELS, steps=20)


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (_logits([1] * 7 + [0]), MIXED_LABELS),  # two classes
        (ONE, torch.tensor([1] * 7 + [0])),  # labels of nearly one class
        (ONE[:2], MIXED_LABELS[:2]),  # too few
        (ONE, MIXED_LABELS.float()),  # regression
        (ONE, torch.ones(8, 3)),  # several labels of a row
        (ONE[:, :1], MIXED_LABELS),  # one number for each row
        ((ONE, ONE), MIXED_LABELS),  # several heads
        (ONE, None),
    ],
)
def test_what_is_no_collapse_is_left_alone(logits: Any, labels: Any) -> None:
    _step(CollapseWatch(window=3), logits, labels, steps=12)


def test_tokens_without_label_do_not_count_and_those_of_a_vocabulary_neither() -> None:
    logits = _logits([1] * 30 + [0, 0]).view(2, 16, 3)
    labels = torch.arange(32).view(2, 16) % 3
    labels[1, -2:] = -100
    watch = CollapseWatch(window=2)
    _step(watch, logits, labels, steps=6, vocabulary=3)
    with pytest.warns(CollapseWarning, match="All 60 predictions"):
        _step(CollapseWatch(window=2), logits, labels, steps=4)


def _stuck(model: Any) -> Any:
    """With a head whose first class always wins."""
    with torch.no_grad():
        dict(model.adapter_runtime.heads.get("one").named_parameters())["0.bias"].copy_(
            torch.tensor([50.0, -50.0])
        )
    return model


def test_the_trainer_warns_after_an_evaluation(tmp_path: Path) -> None:
    model = _stuck(with_head())
    run = trainer(model, tmp_path, max_steps=2, learning_rate=1e-6)
    run.eval_dataset = torch.utils.data.ConcatDataset([run.eval_dataset] * 4)
    run.evaluate()  # nothing is trained yet
    run.train()
    with pytest.warns(CollapseWarning, match=r"All 48 predictions in the evaluation are class 0.*1e-06"):
        run.evaluate()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.evaluate()


def test_the_trainer_watches_smoothed_labels_too(tmp_path: Path) -> None:
    run = trainer(_stuck(with_head()), tmp_path, max_steps=30, learning_rate=1e-6, label_smoothing_factor=0.1)
    run._watch.window = 12
    with pytest.warns(CollapseWarning, match="in the last 12 steps are class 0"):
        run.train()
