"""Noticing that a classifier gives one and the same class to everything."""

import warnings
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

# Fewer predictions say nothing; neither do labels of which nearly all are one class.
_FEWEST = 32
_MOST_OF_ONE_CLASS = 0.8
_NO_LABEL = -100


class CollapseWarning(UserWarning):
    """The predictions fell to one class while the labels did not."""


@dataclass
class ClassCounts:
    """How often each class was predicted, and how often it was right, on the predictions' device."""

    predicted: Tensor = field(default_factory=lambda: torch.zeros(0))
    labelled: Tensor = field(default_factory=lambda: torch.zeros(0))

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Count logits [..., classes] and labels [...]; labels of -100 do not count."""
        classes, kept = logits.shape[-1], labels != _NO_LABEL
        for field_name, values in (("predicted", logits.argmax(-1)), ("labelled", labels)):
            counts = getattr(self, field_name)
            if len(counts) != classes or counts.device != values.device:
                counts = torch.zeros(classes, device=values.device)
            numbers = values.clamp(0, classes - 1).flatten()
            setattr(self, field_name, counts.scatter_add(0, numbers, kept.flatten().to(counts.dtype)))

    def collapsed(self) -> tuple[int, int, float] | None:
        """(the one class, how many predictions, its share of the labels), or None."""
        total = int(self.predicted.sum())
        if total < _FEWEST or int(self.predicted.max()) < total:
            return None
        shares = self.labelled / total
        only = int(self.predicted.argmax())
        return None if float(shares.max()) > _MOST_OF_ONE_CLASS else (only, total, float(shares[only]))


class CollapseWatch(TrainerCallback):
    """Warns once when all predictions of an evaluation, or of a window of training, are one class.

    AdapterTrainer has one, and shows it every batch; with another trainer call `see` in its `compute_loss`.
    What a classifier predicts in its first window is not judged: a fresh head often knows one class alone.
    """

    def __init__(self, window: int = 50) -> None:
        """window: how many steps of training are judged together."""
        self.window = window
        self._training, self._evaluation = ClassCounts(), ClassCounts()
        self._steps = 0
        self._has_warned = False

    def see(self, logits: Any, labels: Any, *, is_training: bool, vocabulary: int | None = None) -> None:
        """Count a batch; whatever is no classification with a label for each row or token is passed over.

        vocabulary: the number of tokens; logits over these are no classes.
        """
        is_plain = isinstance(logits, Tensor) and isinstance(labels, Tensor) and logits.dim() > 1
        if self._has_warned or not is_plain or labels.is_floating_point() or labels.dtype == torch.bool:
            return
        if labels.shape == logits.shape[:-1] and logits.shape[-1] not in (1, vocabulary):
            counts = self._training if is_training else self._evaluation
            counts.add(logits.detach(), labels)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Count anew."""
        self._training, self._evaluation, self._steps = ClassCounts(), ClassCounts(), 0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Judge a window that is full."""
        self._steps += 1
        if self._steps % self.window == 0:
            if self._steps > self.window:
                self._judge(self._training, f"the last {self.window} steps", kwargs.get("optimizer"))
            self._training = ClassCounts()

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Judge an evaluation of a model that was trained already."""
        if state.global_step:
            self._judge(self._evaluation, "the evaluation", kwargs.get("optimizer"))
        self._evaluation = ClassCounts()

    def _judge(self, counts: ClassCounts, where: str, optimizer: Any) -> None:
        found = None if self._has_warned else counts.collapsed()
        if found is None:
            return
        self._has_warned = True
        only, total, share = found
        warnings.warn(
            f"All {total} predictions in {where} are class {only}, which only {share:.0%} of the labels are: "
            f"training has collapsed. Lower the learning rate{_rate(optimizer)}, or warm it up for longer.",
            CollapseWarning,
            stacklevel=2,
        )


def _rate(optimizer: Any) -> str:
    groups = getattr(optimizer, "param_groups", [])
    rates = [float(group.get("initial_lr", group["lr"])) for group in groups]
    return f" (it is {max(rates):g})" if rates else ""
