"""AdapterDrop in training (Rücklé et al. 2021, https://arxiv.org/abs/2010.11918)."""

import random
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from adapter_lib.model import AdapterModel
from adapter_lib.spec.errors import AttachError


class AdapterDropCallback(TrainerCallback):
    """Robust AdapterDrop: in every step nothing acts in the first n layers, with n drawn anew each time.

    n depends on the seed and the step's number alone, so training that is resumed goes on with what it would
    have drawn.

    An adapter that was trained so can be run with `skip_layers=range(n)` for any n up to `most`, which saves
    its work there. Between steps, so in evaluation too, all layers have their adapters.

    `Trainer(model=model, …, callbacks=[AdapterDropCallback(model)])`. Under DistributedDataParallel the
    skipped layers have no gradient: set `ddp_find_unused_parameters`.
    """

    def __init__(self, model: AdapterModel, *, most: int | None = None, seed: int = 0) -> None:
        """most: the largest n, counted through all towers; n is drawn uniformly from 0 to `most`.

        By default one layer keeps its adapters at least. Raises AttachError if there are not so many layers.
        """
        layers = model.adapter_runtime.injection.atlas.num_layers
        self.model = model
        self.most = layers - 1 if most is None else most
        if not 0 <= self.most <= layers:
            raise AttachError(f"AdapterDropCallback: most must be from 0 to {layers} layers, not {most}.")
        self.seed = seed

    def draw(self, step: int) -> range:
        """The layers in which nothing acts in a step, counted from 0."""
        return range(random.Random(f"{self.seed}/{step}").randint(0, self.most))  # noqa: S311  (nothing secret)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Skip some layers for one step, all its accumulated batches alike."""
        self._skip(self.draw(state.global_step))

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Skip no layer any more."""
        self._skip(range(0))

    def _skip(self, layers: range) -> None:
        injection = self.model.adapter_runtime.injection
        injection.activate(injection.block, layers)
