"""Callbacks whose state belongs to a training's checkpoint."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from safetensors.torch import load_file, save_file
from torch import Tensor

from adapter_lib.spec.errors import LoadError

CALLBACKS_FILE = "callbacks.safetensors"


@runtime_checkable
class Resumable(Protocol):
    """A callback that goes on, when training is resumed, with what it knew at the checkpoint."""

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """What it knows."""

    def resume_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `checkpoint_tensors` gave, before training begins."""


def save_callbacks(callbacks: Iterable[object], folder: Path) -> None:
    """Write the state of all callbacks that have one to a checkpoint's folder; no file if none has."""
    tensors = {
        f"{key}/{name}": tensor.detach().cpu().contiguous()
        for key, callback in _resumable(callbacks).items()
        for name, tensor in callback.checkpoint_tensors().items()
    }
    if tensors:
        save_file(tensors, folder / CALLBACKS_FILE, metadata={"format": "pt"})


def load_callbacks(callbacks: Iterable[object], folder: Path) -> None:
    """Give every callback its state back. Raises LoadError if the checkpoint has none for one of them."""
    resumable = _resumable(callbacks)
    path = folder / CALLBACKS_FILE
    found = load_file(path) if resumable and path.is_file() else {}
    for key, callback in resumable.items():
        own = {name.partition("/")[2]: t for name, t in found.items() if name.partition("/")[0] == key}
        if not own:
            raise LoadError(
                f"The checkpoint {folder} was saved without {type(callback).__name__}, so training cannot go "
                "on with it exactly: start anew, or resume without that callback."
            )
        callback.resume_from(own)


def _resumable(callbacks: Iterable[object]) -> dict[str, Resumable]:
    found: dict[str, Resumable] = {}
    for callback in callbacks:
        if isinstance(callback, Resumable):
            name, number = type(callback).__name__, 1
            while f"{name}-{number}" in found:
                number += 1
            found[f"{name}-{number}"] = callback
    return found
