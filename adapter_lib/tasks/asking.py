"""Running a model over features, batch by batch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch

from adapter_lib.tasks.features import Feature, Padding
from adapter_lib.tasks.task import Ask, Reader

# What a head learns from, whether or not the model's own forward names it.
LABELS = ("labels", "start_positions", "end_positions")
# (done, of how many)
Progress = Callable[[int, int], None]


def asker(model: Any, pad_token_id: int, *, batch_size: int, progress: Progress | None = None) -> Ask:
    """A function that runs the model, in eval mode, over features and collects what a reader makes of them.

    Long texts stand together, so that little is padding; answers come back in the features' own order.
    """
    padding, known = Padding(pad_token_id), arguments_of(model)

    @torch.no_grad()
    def ask(features: Sequence[Feature], read: Reader) -> list[Any]:
        model.eval()
        found: list[Any] = [None] * len(features)
        order = sorted(range(len(features)), key=lambda i: -features[i].length)
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            chosen = [features[i] for i in numbers]
            batch = {
                name: values.to(model.device)
                for name, values in padding(chosen).items()
                if name in known and name not in LABELS
            }
            for number, answer in zip(numbers, read(model, chosen, batch), strict=True):
                found[number] = answer
            if progress is not None:
                progress(start + len(numbers), len(order))
        return found

    return ask


def arguments_of(model: Any) -> set[str]:
    """The arguments that a model's forward names."""
    return set(inspect.signature(model.forward).parameters)
