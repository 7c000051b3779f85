"""Prompt tuning; what it does stands at `SoftPromptConfig` and `PromptTuningConfig`."""

import torch
from torch import Tensor, nn

from adapter_lib.engine import BEHIND_FIRST, IN_FRONT, Part, PromptState
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import PromptTuningConfig, SoftPromptConfig
from adapter_lib.spec.errors import AttachError


class SoftPrompt(Part):
    """One prompt of one tower; a subclass says what `made` is."""

    config: SoftPromptConfig

    def single(self, state: PromptState) -> PromptState:
        column = BEHIND_FIRST if self.config.combine == "after_first" else IN_FRONT
        return state.with_prompt(self.config.prompt_length, column, self.made)

    def gate_input(self, state: PromptState) -> Tensor:
        found = state.features()
        return found.expand(-1, -1, self.place.width_features) if state.is_sketch else found

    def made(self) -> Tensor:
        """P [prompt_length, d]"""
        raise NotImplementedError


class PromptTuning(SoftPrompt):
    """The prompt is the parameter."""

    config: PromptTuningConfig
    prompt: nn.Parameter

    def initialise(self) -> None:
        if self.config.prompt_init == "random_uniform":
            nn.init.uniform_(self.prompt, -self.config.init_scale, self.config.init_scale)
            return
        with torch.no_grad():
            self.prompt.copy_(self.host.project(self._ids()))

    def made(self) -> Tensor:
        return self.prompt

    def _ids(self) -> Tensor:
        """The tokens whose embeddings the prompt starts from, [prompt_length]."""
        length, vocabulary = self.config.prompt_length, self.host.weight().shape[1]
        device = self.prompt.device
        if self.config.prompt_init == "sample_vocabulary":
            return torch.randint(vocabulary, (length,), device=device)
        ids = torch.tensor(self.config.prompt_ids, device=device)
        if int(ids.max()) >= vocabulary:
            raise AttachError(f"prompt_ids names {int(ids.max())}; the model knows ids below {vocabulary}.")
        return ids.repeat(-(-length // len(ids)))[:length]


register_method(
    Method(
        name="prompt_tuning",
        config=PromptTuningConfig,
        part=PromptTuning,
        presets=("prompt_tuning",),
        summary="Trained vectors among the tokens' embeddings; the model itself stays as it is.",
        paper="https://arxiv.org/abs/2104.08691",
        learning_rate=1e-2,
    )
)
