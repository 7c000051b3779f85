"""P-tuning; the equations stand at `PTuningConfig`."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import register
from adapter_lib.methods.prompt_tuning import PromptTuning, SoftPrompt
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import PromptTuningConfig, PTuningConfig, Shapes
from adapter_lib.spec.errors import AttachError


class PTuning(SoftPrompt):
    """E starts normal(0, 1), the networks as torch's do."""

    config: PTuningConfig
    embedding: nn.Parameter
    lstm: nn.LSTM

    def make(self, shapes: Shapes, like: Tensor) -> None:
        width = shapes["embedding"][1]
        register(self, {"embedding": shapes["embedding"]}, like)
        kind = {"device": like.device, "dtype": like.dtype}
        if self.config.encoder == "lstm":
            layers, hidden = self.config.encoder_layers, self.config.hidden_size or width
            # torch warns of dropout where there is no second layer to drop for.
            dropout = self.config.dropout if layers > 1 else 0.0
            self.lstm = nn.LSTM(width, hidden, layers, bidirectional=True, dropout=dropout, **kind)
        maps = [shape for name, shape in shapes.items() if name.startswith("mlp.") and len(shape) > 1]
        self.mlp = nn.ModuleList(nn.Linear(inner, outer, **kind) for outer, inner in maps)

    def initialise(self) -> None:
        nn.init.normal_(self.embedding)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.LSTM):
                module.reset_parameters()

    def made(self) -> Tensor:
        is_lstm = self.config.encoder == "lstm"
        x = self.lstm(self.embedding)[0] if is_lstm else self.embedding
        for layer in self.mlp[:-1]:
            x = F.relu(layer(x))
            if not is_lstm:
                x = F.dropout(x, self.config.dropout, self.training)
        found: Tensor = self.mlp[-1](x)
        return found


def eject(model: Any, name: str) -> None:
    """Make an adapter of p-tuning the prompt-tuning adapter that has the same prompts, inactive at first.

    model: prepared by `adapter_lib.init`. Raises UnknownNameError for a name that is not there, AttachError
    if the adapter is anything else than p-tuning alone.
    """
    model._check_known([name])
    injection = model.adapter_runtime.injection
    config, parts = injection.configs[name], injection.members(name)
    if not isinstance(config, PTuningConfig):
        raise AttachError(f"{name!r} is {config.name()}; only p_tuning can be made an ordinary prompt.")
    gates = [None if part.gate is None else part.gate.state_dict() for part in parts]
    with torch.no_grad():
        # Without dropout, whether the model is in training or not.
        prompts = [part.eval().made().clone() for part in parts]
    model.add_adapter(name, _flat(config), overwrite=True)
    for part, prompt, gate in zip(injection.members(name), prompts, gates, strict=True):
        assert isinstance(part, PromptTuning)
        with torch.no_grad():
            part.prompt.copy_(prompt)
        if part.gate is not None and gate is not None:
            part.gate.load_state_dict(gate)


def _flat(config: PTuningConfig) -> PromptTuningConfig:
    return PromptTuningConfig(
        prompt_length=config.prompt_length,
        combine=config.combine,
        all_towers=config.all_towers,
        use_gating=config.use_gating,
    )


register_method(
    Method(
        name="p_tuning",
        config=PTuningConfig,
        part=PTuning,
        presets=("p_tuning",),
        summary="Prompt tuning whose prompt a small trained network makes.",
        paper="https://arxiv.org/abs/2103.10385",
        learning_rate=1e-3,
    )
)
