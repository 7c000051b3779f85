"""Noticing that an adapter is to be trained but nothing reaches it."""

import warnings
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from adapter_lib.model import AdapterModel
from adapter_lib.training.owners import Owner, owners_of


class GradientWarning(UserWarning):
    """Something that is to be trained gets no gradient."""


class GradientWatch(TrainerCallback):
    """Warns once of adapters, fusions, routes and heads that are trainable but got no gradient at all.

    A whole adapter is looked at over several steps: with B at zero, A alone has no gradient in the first.
    AdapterTrainer has one; `Trainer(…, callbacks=[GradientWatch()])`.
    """

    def __init__(self, steps: int = 3) -> None:
        """steps: after how many steps it is judged."""
        self.steps = steps
        self._seen = 0
        self._reached: set[tuple[str, str]] = set()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Look anew."""
        self._seen, self._reached = 0, set()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note what has a gradient; after some steps, name what never had."""
        model = kwargs["model"]
        if self._seen >= self.steps or not isinstance(model, AdapterModel):
            return
        self._seen += 1
        owners = list(owners_of(model))
        self._reached |= {(owner.kind, owner.name) for owner in owners if _has_gradient(owner)}
        missed = [owner for owner in _expected(owners) if (owner.kind, owner.name) not in self._reached]
        if self._seen == self.steps and missed:
            told = "; ".join(f"{owner}, {_reason(model, owner)}" for owner in missed)
            warnings.warn(
                f"No gradient reached in {self.steps} steps: {told}.", GradientWarning, stacklevel=2
            )


def _expected(owners: list[Owner]) -> list[Owner]:
    """Whatever is trainable; if of all that acts only heads are, the adapters that act as well."""
    trained = [owner for owner in owners if owner.trained()]
    acting = [owner for owner in owners if owner.is_active and owner.kind != "head" and owner.parameters]
    return trained if any(owner.trained() for owner in acting) else [*acting, *trained]


def _has_gradient(owner: Owner) -> bool:
    return any(p.grad is not None and bool(p.grad.any()) for p in owner.trained())


def _reason(model: AdapterModel, owner: Owner) -> str:
    """What is the likely reason that nothing reaches it."""
    block = model.adapter_runtime.injection.block
    if not owner.is_active:
        what = "no composition is active" if block is None else f"it is not in the active {block!r}"
        return f"because {what}"
    if not owner.trained():
        return "because it is frozen: train_adapter() thaws it"
    skipped = model.adapter_runtime.injection.skipped
    if skipped:
        return f"perhaps because the layers {sorted(skipped)} are skipped"
    if getattr(model, "is_gradient_checkpointing", False):
        return "perhaps because re-entrant checkpointing cuts gradients off: set use_reentrant to False"
    if all(other.kind != "head" for other in owners_of(model) if other.is_active):
        return "perhaps because the loss does not come from the layers where it is"
    return "perhaps because no row of the batches was meant for it, or what the loss is made of passes it by"
