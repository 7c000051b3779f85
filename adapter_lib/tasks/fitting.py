"""Training one adapter for a task on somebody's data."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import transformers

import adapter_lib.model as facade
from adapter_lib.methods import learning_rate_of
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.tasks.asking import LABELS, Progress, arguments_of
from adapter_lib.tasks.backbone import Backbone
from adapter_lib.tasks.columns import Columns, find_columns
from adapter_lib.tasks.errors import TaskError
from adapter_lib.tasks.features import Feature, Padding
from adapter_lib.tasks.heading import add_head
from adapter_lib.tasks.measuring import token_limit
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Task
from adapter_lib.training import AdapterTrainer

# What the adapter is called on the model.
NAME = "adapter"
# The recipe that the methods' default rates were chosen with.
_WARM_UP, _WEIGHT_DECAY, _LARGEST_NORM = 0.06, 0.01, 1.0


@dataclass(frozen=True)
class Recipe:
    """How to train. learning_rate: by default the method's own; max_length: tokens kept of a text."""

    config: MethodConfig
    epochs: float = 3.0
    batch_size: int = 16
    learning_rate: float | None = None
    max_length: int | None = None
    seed: int = 42

    @property
    def rate(self) -> float:
        """The learning rate; a union learns at the lowest of its members' rates."""
        return learning_rate_of(self.config) if self.learning_rate is None else self.learning_rate


@dataclass(frozen=True)
class Fitted:
    """labels: those of the head. loss: the mean of the last tenth of the steps. trained: parameters."""

    labels: tuple[str, ...]
    examples: int
    max_length: int
    steps: int
    loss: float
    seconds: float
    trained: int


def fit(
    backbone: Backbone,
    task: Task[Any, Any],
    rows: Rows,
    recipe: Recipe,
    *,
    columns: Columns | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Put an adapter and its head on the backbone and train them; both are active afterwards, in eval mode.

    Raises DataError, TaskError (also for a loss that is no number), ConfigError.
    """
    transformers.set_seed(recipe.seed)
    found = find_columns(rows, task.parts, columns)
    labels = task.labels(rows, found)
    examples = task.examples(rows, found, labels)
    model = facade.init(backbone.model)
    model.add_adapter(NAME, recipe.config)
    add_head(model, NAME, task, labels)
    limit = token_limit(backbone, task, recipe.max_length)
    features = task.features(backbone.tokenizer, examples, limit)
    model.train_adapter(NAME)
    begun = time.monotonic()
    losses = _train(backbone, features, recipe, progress)
    seconds = time.monotonic() - begun
    model.eval()
    _check_finite(losses, recipe)
    last = losses[-max(1, len(losses) // 10) :]
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Fitted(labels, len(examples), limit, len(losses), sum(last) / len(last), seconds, trained)


def _check_finite(losses: Sequence[float], recipe: Recipe) -> None:
    step = next((step for step, loss in enumerate(losses, 1) if not math.isfinite(loss)), None)
    if step is not None:
        raise TaskError(
            f"The training came apart: the loss of step {step} is no number. Lower --learning-rate, now "
            f"{recipe.rate:g}."
        )


def _train(
    backbone: Backbone, features: Sequence[Feature], recipe: Recipe, progress: Progress | None
) -> list[float]:
    known = {*arguments_of(backbone.model), *LABELS}
    inputs = [
        Feature({name: value for name, value in feature.inputs.items() if name in known})
        for feature in features
    ]
    watch = _Watch(progress)
    with TemporaryDirectory(prefix="training-") as folder:
        trainer = AdapterTrainer(
            own_rates=False,  # the recipe's rate is the method's own already
            model=backbone.model,
            args=_arguments(folder, recipe),
            train_dataset=inputs,
            data_collator=Padding(backbone.tokenizer.pad_token_id),
            callbacks=[watch],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    return watch.losses


def _arguments(folder: str, recipe: Recipe) -> Any:
    try:
        return transformers.TrainingArguments(
            output_dir=folder,
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=recipe.batch_size,
            learning_rate=recipe.rate,
            warmup_steps=_WARM_UP,
            weight_decay=_WEIGHT_DECAY,
            max_grad_norm=_LARGEST_NORM,
            seed=recipe.seed,
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
    except ImportError as error:
        raise TaskError(
            f"Training needs a package that is missing ({error.name or error}): install adapter-lib[train]."
        ) from None


class _Watch(transformers.TrainerCallback):
    """Keeps the losses and tells how far the training is."""

    def __init__(self, progress: Progress | None) -> None:
        self.losses: list[float] = []
        self._progress = progress

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Keep a step's loss."""
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell the step's number."""
        if self._progress is not None:
            self._progress(state.global_step, state.max_steps)
