"""AdaLoRA's sharing out of ranks while training (Zhang et al. 2023, https://arxiv.org/abs/2303.10512)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from adapter_lib.methods import AdaLoRA
from adapter_lib.model import AdapterModel
from adapter_lib.spec.errors import AttachError, LoadError

_MEANS = ("mean", "spread")


class RankAllocator:
    """Keeps the entries of Λ that matter most, over all places of one AdaLoRA adapter; the rest becomes zero.

    In a loop of your own: `loss.backward(); optimizer.step(); allocator.update_and_allocate(step);
    optimizer.zero_grad()`, with steps counted from 1.
    """

    def __init__(self, model: AdapterModel, name: str, total_steps: int) -> None:
        """total_steps: how many steps training has.

        Raises AttachError if `name` is no AdaLoRA adapter, or if its warm-up and its end leave no step in
        between.
        """
        self.parts = _parts_of(model, name)
        if not self.parts:
            raise AttachError(f"{name!r} is no AdaLoRA adapter, so it has no ranks to share out.")
        self.config = next(iter(self.parts.values())).config
        if any(part.config != self.config for part in self.parts.values()):
            raise AttachError(f"{name!r} has several AdaLoRA configs in it; ranks are shared out within one.")
        self.total_steps = total_steps
        # The last step at which ranks are chosen.
        self.last_choice = total_steps - self.config.tfinal
        if self.last_choice <= self.config.tinit:
            raise AttachError(
                f"AdaLoRA: tinit {self.config.tinit} and tfinal {self.config.tfinal} leave no step of "
                f"{total_steps} to choose ranks in."
            )
        self._means: dict[nn.Parameter, tuple[Tensor, Tensor]] = {}
        self._kept = self._kept_so_far()

    def budget(self, step: int) -> int:
        """b(t): how many entries of Λ are kept after a step, over all places (equation 12)."""
        config, places = self.config, len(self.parts)
        passed = (step - config.tinit) / (self.last_choice - config.tinit)
        left = 1 - min(max(passed, 0.0), 1.0)
        return round(places * (config.target_r + (config.init_r - config.target_r) * left**3))

    def update_and_allocate(self, step: int) -> None:
        """Take in the gradients of a step and choose, if it is a step for that.

        Raises AttachError if there is no gradient.
        """
        if step <= self.last_choice:
            self._take_in()
            is_due = step >= self.config.tinit and (step - self.config.tinit) % self.config.delta_t == 0
            if is_due or step == self.last_choice:
                self._choose(self.budget(step))
        if step >= self.last_choice:
            self._hold()

    def ranks(self) -> dict[str, int]:
        """How many entries of Λ each place has that are not zero."""
        return {key: part.rank() for key, part in self.parts.items()}

    def scores(self) -> dict[str, Tensor]:
        """How much each entry of Λ matters, [r] per place: s(λ_i) + mean s(P_ji) + mean s(Q_ij) (eq. 8)."""
        return {key: self._score(part) for key, part in self.parts.items()}

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """What it knows besides the parameters: the means of each, and which entries of Λ are kept."""
        found = {f"kept/{key}": entries for key, entries in self._kept.items()}
        for key, part in self.parts.items():
            for name, parameter in part.named_parameters():
                if parameter in self._means:
                    sensitivity, uncertainty = self._means[parameter]
                    found |= {f"mean/{key}/{name}": sensitivity, f"spread/{key}/{name}": uncertainty}
        return found

    def resume_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `checkpoint_tensors` gave. Raises LoadError if it is of other places or ranks."""
        for key, part in self.parts.items():
            kept = tensors.get(f"kept/{key}")
            if kept is None or kept.shape != part.singular.shape:
                raise LoadError(f"AdaLoRA: the checkpoint has no choice of ranks at {key}, or other ranks.")
            self._kept[key] = kept.to(part.singular.device)
            for name, parameter in part.named_parameters():
                if f"mean/{key}/{name}" in tensors:
                    pair = (tensors[f"{what}/{key}/{name}"].to(parameter.device) for what in _MEANS)
                    self._means[parameter] = next(pair), next(pair)

    def _score(self, part: AdaLoRA) -> Tensor:
        p, singular, q = (self._smoothed(parameter) for parameter in (part.p, part.singular, part.q))
        return singular + p.mean(0) + q.mean(1)

    def _smoothed(self, parameter: nn.Parameter) -> Tensor:
        """s(w) = Ī · Ū (equations 9 to 11)"""
        sensitivity, uncertainty = self._means[parameter]
        return sensitivity * uncertainty

    @torch.no_grad()
    def _take_in(self) -> None:
        parameters = [p for part in self.parts.values() for p in (part.p, part.singular, part.q)]
        if all(parameter.grad is None for parameter in parameters):
            raise AttachError("No gradient: update_and_allocate comes between backward and zero_grad.")
        beta1, beta2 = self.config.beta1, self.config.beta2
        for parameter in parameters:
            grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            # A step that overflowed in half precision says nothing.
            sensitivity = torch.nan_to_num(parameter * grad, posinf=0, neginf=0).abs().float()
            mean, spread = self._means.get(parameter, (torch.zeros_like(sensitivity),) * 2)
            mean = beta1 * mean + (1 - beta1) * sensitivity
            spread = beta2 * spread + (1 - beta2) * (sensitivity - mean).abs()
            self._means[parameter] = mean, spread

    @torch.no_grad()
    def _choose(self, budget: int) -> None:
        scores = torch.stack(list(self.scores().values()))
        best = scores.flatten().topk(budget).indices
        kept = torch.zeros(scores.numel(), dtype=torch.bool, device=scores.device)
        kept[best] = True
        self._kept = dict(zip(self.parts, kept.view_as(scores), strict=True))
        self._hold()

    @torch.no_grad()
    def _hold(self) -> None:
        for key, part in self.parts.items():
            part.singular.masked_fill_(~self._kept[key].to(part.singular.device), 0)

    def _kept_so_far(self) -> dict[str, Tensor]:
        """What an earlier part of the training left; everything in a fresh adapter."""
        kept = {key: part.singular.detach() != 0 for key, part in self.parts.items()}
        is_fresh = not any(bool(entries.any()) for entries in kept.values())
        return {key: entries | is_fresh for key, entries in kept.items()}


class AdaLoRACallback(TrainerCallback):
    """Lets transformers' Trainer share out the ranks of the AdaLoRA adapters that are active.

    `Trainer(model=model, …, callbacks=[AdaLoRACallback(model)])`. What the adapter adds to the loss is in the
    loss that the model computes in training. AdapterTrainer adds one by itself and saves what it knows with
    every checkpoint; with the plain Trainer means of sensitivities start anew when training is resumed.
    allocators: by adapter, from the start of training on; their `ranks()` tell what came out.
    """

    def __init__(self, model: AdapterModel) -> None:
        self.model = model
        self.allocators: dict[str, RankAllocator] = {}
        self._resumed: Mapping[str, Tensor] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Raises AttachError if no AdaLoRA adapter is active."""
        block = self.model.adapter_runtime.injection.block
        names = [] if block is None else list(dict.fromkeys(block.names()))
        found = [name for name in names if _parts_of(self.model, name)]
        if not found:
            raise AttachError("AdaLoRACallback: no AdaLoRA adapter is active; train_adapter() activates one.")
        self.allocators = {name: RankAllocator(self.model, name, state.max_steps) for name in found}
        for name, allocator in self.allocators.items() if self._resumed else ():
            own = f"{name}/"
            allocator.resume_from(
                {key.removeprefix(own): t for key, t in self._resumed.items() if key.startswith(own)}
            )
        self._resumed = {}

    def checkpoint_tensors(self) -> dict[str, Tensor]:
        """What the allocators know."""
        return {
            f"{name}/{key}": tensor
            for name, allocator in self.allocators.items()
            for key, tensor in allocator.checkpoint_tensors().items()
        }

    def resume_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `checkpoint_tensors` gave when the next training begins."""
        self._resumed = dict(tensors)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # The Trainer counts the step after this.
        for allocator in self.allocators.values():
            allocator.update_and_allocate(state.global_step + 1)


def trained_adalora(model: AdapterModel) -> list[str]:
    """The AdaLoRA adapters that are active and trained."""
    block = model.adapter_runtime.injection.block
    names = [] if block is None else list(dict.fromkeys(block.names()))
    return [
        name for name in names if any(part.singular.requires_grad for part in _parts_of(model, name).values())
    ]


def _parts_of(model: AdapterModel, name: str) -> dict[str, AdaLoRA]:
    members = model.adapter_runtime.injection.members(name)
    return {part.place.key: part for part in members if isinstance(part, AdaLoRA)}
