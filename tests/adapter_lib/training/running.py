"""Tiny trainings that the tests of the trainers share."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from adapter_lib import AdapterTrainer
from tests.adapter_lib.model.test_training import Rows
from tests.adapter_lib.tiny import prepared

# The first name is new in 5.23, the second deprecated there.
CHECKPOINTING = {
    "activation_checkpointing"
    if hasattr(hf.TrainingArguments, "activation_checkpointing")
    else "gradient_checkpointing": True
}


def with_head(method: str = "lora[r=4]", family: str = "bert", **others: str) -> Any:
    """A tiny model whose adapter `one` is trained with its head; the same numbers each time."""
    model = prepared(family, one=method, **others)
    torch.manual_seed(0)
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    return model


@contextmanager
def own_precision() -> Iterator[None]:
    """What accelerate is told of mixed precision inside does not last."""
    try:
        yield
    finally:
        os.environ.pop("ACCELERATE_MIXED_PRECISION", None)
        AcceleratorState._reset_state()


def arguments(folder: Path, cls: type = hf.TrainingArguments, **settings: Any) -> Any:
    """Arguments of a short and silent training on the CPU."""
    return cls(
        output_dir=str(folder),
        use_cpu=True,
        report_to="none",
        seed=1,
        **{"disable_tqdm": True, "per_device_train_batch_size": 3, "logging_steps": 1, "save_strategy": "no"}
        | settings,
    )


def trainer(model: Any, folder: Path, cls: Any = AdapterTrainer, **settings: Any) -> Any:
    """A trainer on twelve rows; `own` goes to the trainer, the rest to its arguments."""
    own = settings.pop("own", {})
    given = arguments(folder, **{"learning_rate": 1e-2} | settings)
    return cls(model=model, args=given, train_dataset=Rows(), eval_dataset=Rows(), **own)


def losses(run: Any) -> list[float]:
    """The loss of every step."""
    return [entry["loss"] for entry in run.state.log_history if "loss" in entry]


def state(model: nn.Module) -> dict[str, Tensor]:
    """Every number of a model."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def differing(a: dict[str, Tensor], b: dict[str, Tensor]) -> list[str]:
    """The names of the tensors that are not the same bit for bit."""
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def resumed_exactly(
    make: Callable[[], Any], folder: Path, start: Callable[..., Any], steps: int = 3
) -> tuple[Any, Any]:
    """2N steps at once are N steps, a new model that takes up the checkpoint, and N steps: bit for bit.

    Returns the trainers of both.
    """
    whole = make()
    run = start(whole, folder / "whole", max_steps=2 * steps, save_strategy="steps", save_steps=steps)
    run.train()
    fresh = make()
    assert differing(state(fresh), state(whole))
    again = start(fresh, folder / "resumed", max_steps=2 * steps)
    again.train(resume_from_checkpoint=str(folder / "whole" / f"checkpoint-{steps}"))
    assert again.state.global_step == 2 * steps
    assert losses(again) == losses(run), "the log begins with what the checkpoint knew"
    assert len(losses(again)) == 2 * steps
    assert differing(state(fresh), state(whole)) == []
    return run, again
