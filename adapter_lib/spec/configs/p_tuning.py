"""P-tuning (Liu et al. 2021, https://arxiv.org/abs/2103.10385): a soft prompt that a small network makes."""

from dataclasses import dataclass
from typing import ClassVar

from adapter_lib.spec.configs.base import Shapes
from adapter_lib.spec.configs.checks import check_choice, check_probability, check_whole
from adapter_lib.spec.configs.prompt_tuning import SoftPromptConfig
from adapter_lib.spec.configs.registry import register_config

ENCODERS = ("lstm", "mlp")


@dataclass(frozen=True, eq=False, kw_only=True)
class PTuningConfig(SoftPromptConfig):
    """P = f(E) with E [prompt_length, d] trained; otherwise as `SoftPromptConfig` says.

    encoder: "lstm": f(E) = relu(L(E) A + a) B + b, with L a bidirectional LSTM of encoder_layers layers and
        hidden_size per direction, A [2 · hidden_size, 2 · hidden_size] (the paper's); "mlp": encoder_layers
        times linear and relu of hidden_size, then a linear map to d, each token by itself.
    hidden_size: None is d.
    dropout: between the LSTM's layers, or behind each relu of the MLP, while training.
    torch.compile with fullgraph=True does not trace LSTMs; once it is trained, `eject_p_tuning` makes an
    ordinary prompt of it.
    """

    method: ClassVar[str] = "p_tuning"
    measure: ClassVar[str] = "tokens"

    encoder: str = "mlp"
    hidden_size: int | None = None
    encoder_layers: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "encoder", ENCODERS)
        if self.hidden_size is not None:
            check_whole(self, "hidden_size", 1)
        check_whole(self, "encoder_layers", 1)
        check_probability(self, "dropout")

    def name(self) -> str:
        return "p_tuning"

    def prompt_shapes(self, width: int) -> Shapes:
        hidden = self.hidden_size or width
        shapes: Shapes = {"embedding": (self.prompt_length, width)}
        if self.encoder == "mlp":
            return shapes | _mlp(width, [hidden] * self.encoder_layers, width)
        return shapes | _lstm(width, hidden, self.encoder_layers) | _mlp(2 * hidden, [2 * hidden], width)


def _mlp(width: int, hidden: list[int], out: int) -> Shapes:
    """Linear maps numbered as they are applied."""
    found: Shapes = {}
    for number, (inner, outer) in enumerate(zip([width, *hidden], [*hidden, out], strict=True)):
        found |= {f"mlp.{number}.weight": (outer, inner), f"mlp.{number}.bias": (outer,)}
    return found


def _lstm(width: int, hidden: int, layers: int) -> Shapes:
    """A bidirectional LSTM's tensors, named as torch names them; four gates each."""
    found: Shapes = {}
    for layer in range(layers):
        for direction in ("", "_reverse"):
            end = f"l{layer}{direction}"
            found |= {
                f"lstm.weight_ih_{end}": (4 * hidden, 2 * hidden if layer else width),
                f"lstm.weight_hh_{end}": (4 * hidden, hidden),
                f"lstm.bias_ih_{end}": (4 * hidden,),
                f"lstm.bias_hh_{end}": (4 * hidden,),
            }
    return found


register_config(PTuningConfig, presets={"p_tuning": PTuningConfig})
