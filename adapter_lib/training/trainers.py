"""transformers' Trainer and Seq2SeqTrainer for models whose adapters are trained."""

import logging
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Seq2SeqTrainer, Trainer
from transformers.trainer import TRAINING_ARGS_NAME

from adapter_lib.model import AdapterModel
from adapter_lib.model.regularisation import regularised, share_of
from adapter_lib.spec.errors import AttachError, ConfigError
from adapter_lib.training.adalora import AdaLoRACallback, trained_adalora
from adapter_lib.training.announcing import tell
from adapter_lib.training.checkpoints import load_trained, save_trained
from adapter_lib.training.collapse import CollapseWatch
from adapter_lib.training.gradients import GradientWatch
from adapter_lib.training.groups import Group, grouped
from adapter_lib.training.lora_plus import lora_plus_rates
from adapter_lib.training.rates import is_default_rate, one_rate, own_rates, tell_rates
from adapter_lib.training.report import ReportCallback
from adapter_lib.training.resuming import load_callbacks, save_callbacks

# Optimizers that make groups of their own hand them over under these names.
_OWN_GROUPS = ("params", "model", "optimizer_dict")
_PUBLISHING = (
    "AdapterTrainer does not push to a hub: train, and then share the adapter with "
    "adapter_lib.publish(model, repo, name=…), which has it validated."
)


class AdapterTrainer(Trainer):
    """A Trainer whose checkpoints hold the active adapters, heads, fusions and routes, not the backbone.

    A checkpoint's `adapter_setup` is a folder of `save_adapter_setup`, which `load_adapter_setup` reads;
    whatever else is trained stands beside it. Training that is resumed from a checkpoint goes on exactly.

    The model must have been set up: `train_adapter`, `train_adapter_fusion` or `train_route`. If the
    arguments' learning_rate is left at its default, every method learns at the rate that it is shipped with.
    AdaLoRA's ranks are shared out, and a warning tells of adapters without gradient (GradientWarning) and of
    predictions that collapse (CollapseWarning). A table at the end says what was trained.
    """

    def __init__(
        self, *args: Any, lora_plus_ratio: float | None = None, own_rates: bool = True, **kwargs: Any
    ) -> None:
        """args, kwargs: as for the Trainer.

        lora_plus_ratio: how much faster than A every B learns (LoRA+); see `lora_plus_groups`.
        own_rates: False takes a learning_rate that was left at its default as it is.
        Raises AttachError if the model has no active composition, ConfigError for push_to_hub, FSDP and
        DeepSpeed.
        """
        given = kwargs.get("args", args[1] if len(args) > 1 else None)
        if getattr(given, "push_to_hub", False):
            raise ConfigError(_PUBLISHING)
        super().__init__(*args, **kwargs)
        self.lora_plus_ratio = lora_plus_ratio
        self._wants_own_rates = own_rates
        self._has_told_others = False
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            raise ConfigError("AdapterTrainer writes no checkpoints of FSDP and DeepSpeed: use the Trainer.")
        model = self._adapted()
        self._watch: CollapseWatch = self._with(CollapseWatch())
        self._with(GradientWatch())
        self._with(ReportCallback())
        if trained_adalora(model):
            self._with(AdaLoRACallback(model))

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """An optimizer over what is trained, with the weight decay that the Trainer gives.

        Raises AttachError if nothing is trained, ConfigError for LoRA+ without A and B or with an optimizer
        that makes its own groups.
        """
        given, asked = self.optimizer_cls_and_kwargs, () if model is None else (model,)
        if self.optimizer is not None:
            return super().create_optimizer(*asked)
        adapted: Any = self._adapted()
        if not any(parameter.requires_grad for parameter in adapted.parameters()):
            raise AttachError("Nothing on this model is trained: train_adapter() thaws an adapter.")
        kind, options = given or self.get_optimizer_cls_and_kwargs(self.args, adapted)
        takes_groups = isinstance(kind, type) and not set(_OWN_GROUPS) & set(options)
        has_its_own_rate = "lr" not in options and self.lora_plus_ratio is None
        if takes_groups and not has_its_own_rate:
            options = {**options, "params": self._groups(options.get("lr", self.args.learning_rate))}
        elif not takes_groups and self.lora_plus_ratio is not None:
            raise ConfigError("LoRA+ needs an optimizer that takes parameter groups, such as adamw_torch.")
        self.optimizer_cls_and_kwargs = kind, options
        try:
            return super().create_optimizer(*asked)
        finally:
            self.optimizer_cls_and_kwargs = given

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The Trainer's loss, with what adapters want added to it; the predictions are watched."""
        labels = inputs.get("labels")
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if "labels" not in inputs and labels is not None and model.training:
            # The loss is smoothed or the caller's own: the model, which adds them else, saw no labels.
            loss = self._regularised(loss, labels, num_items_in_batch)
        logits = outputs.get("logits") if isinstance(outputs, dict) else None
        vocabulary = getattr(getattr(self.model, "config", None), "vocab_size", None)
        self._watch.see(logits, labels, is_training=model.training, vocabulary=vocabulary)
        return (loss, outputs) if return_outputs else loss

    def push_to_hub(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: raises ConfigError that names `publish`."""
        raise ConfigError(_PUBLISHING)

    def _with(self, callback: Any) -> Any:
        """The callback of this kind that the caller gave, or else this one."""
        for given in self.callback_handler.callbacks:
            if isinstance(given, type(callback)):
                return given
        self.add_callback(callback)
        return callback

    def _adapted(self) -> AdapterModel:
        model: Any = self.model
        if not isinstance(model, AdapterModel) or model.active_adapters is None:
            raise AttachError(
                "AdapterTrainer trains adapters, but none is active: adapter_lib.init(model), add_adapter() "
                "and train_adapter() come first. The plain Trainer trains whole models."
            )
        return model

    def _regularised(self, loss: Tensor, labels: Tensor, items: Tensor | int | None) -> Tensor:
        share = share_of({"labels": labels, "num_items_in_batch": items})
        if items is not None and self.args.average_tokens_across_devices:
            share = share * self.accelerator.num_processes
        found: Tensor = regularised((loss,), self._adapted().adapter_runtime.injection, share)[0]
        return found

    def _groups(self, rate: float) -> list[Group]:
        model = self._adapted()
        is_own = (
            self._wants_own_rates and self.optimizer_cls_and_kwargs is None and is_default_rate(self.args)
        )
        rates = own_rates(model, rate) if is_own else one_rate(model, rate)
        if is_own:
            tell(self.args, tell_rates(model, rate), logging.WARNING)
        if self.lora_plus_ratio is not None:
            rates = dict(lora_plus_rates(model, rates, self.lora_plus_ratio, is_for_both=is_own))
        decayed = self.get_decay_parameter_names(model)
        return grouped(model, rates, self.args.weight_decay, decayed)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """What the Trainer writes to a folder, with adapters in the place of the model's weights."""
        if not self.args.should_save:
            return
        folder = Path(output_dir or str(self.args.output_dir))
        others = save_trained(self._adapted(), folder)
        if others and not self._has_told_others:
            self._has_told_others = True
            text = f"{len(others)} tensors beside the active set-up are trained and saved too: {others[0]} …"
            tell(self.args, text, logging.WARNING)
        tokenizer = self.processing_class or getattr(self.data_collator, "tokenizer", None)
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
        torch.save(self.args, folder / TRAINING_ARGS_NAME)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        load_trained(self._adapted(), Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        load_trained(self._adapted(), Path(str(self.state.best_model_checkpoint)))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        if self.args.should_save:
            save_callbacks(self.callback_handler.callbacks, Path(output_dir))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None and os.path.isfile(os.path.join(checkpoint, "optimizer.pt")):
            load_callbacks(self.callback_handler.callbacks, Path(checkpoint))


class Seq2SeqAdapterTrainer(AdapterTrainer, Seq2SeqTrainer):
    """AdapterTrainer with the generation of Seq2SeqTrainer in evaluation."""
