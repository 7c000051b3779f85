"""P-tuning; the equations stand at `PTuningConfig`."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import register
from adapter_lib.methods.prompt_tuning import SoftPrompt
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import PTuningConfig, Shapes


class PTuning(SoftPrompt):
    """E starts normal(0, 1), the networks as torch's do."""

    config: PTuningConfig
    embedding: nn.Parameter
    lstm: nn.LSTM

    def make(self, shapes: Shapes, like: Tensor) -> None:
        width = shapes["embedding"][1]
        register(self, {"embedding": shapes["embedding"]}, like)
        kind: dict[str, Any] = {"device": like.device, "dtype": like.dtype}
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


register_method(
    Method(
        name="p_tuning",
        config=PTuningConfig,
        part=PTuning,
        presets=("p_tuning",),
        summary="Prompt tuning whose prompt a small trained network makes.",
        paper="https://arxiv.org/abs/2103.10385",
        learning_rate=5e-3,
    )
)
