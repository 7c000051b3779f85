"""One tiny model of the zoo: how it is built, what it is fed, what is read off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn

VOCABULARY = 120
WIDTH = 32
HEADS = 4
FFN = 48

SEED = 7
NOISE = 0.05

Feed = Callable[[Any, int, str], dict[str, Tensor]]


@dataclass(frozen=True)
class TinyModel:
    """A tiny random model of one architecture.

    kind: "encoder", "decoder", "seq2seq", "vision", "audio" or "multimodal".
    config: makes the configuration, as small as the architecture allows.
    feed: (config, rows, side) → inputs.
    model, head: names of classes in transformers; head is None where the architecture has no natural one.
    """

    name: str
    kind: str
    config: Callable[[], Any]
    feed: Feed
    model: str = "AutoModel"
    head: str | None = None

    def build(self) -> Any:
        """The bare model in eval mode; the same weights in each call."""
        return self._make(self.model)

    def with_head(self) -> Any:
        """The model under its head, in eval mode."""
        assert self.head is not None, f"{self.name} has no head in the zoo"
        return self._make(self.head)

    def inputs(self, rows: int = 3, side: str = "right") -> dict[str, Tensor]:
        """Inputs of that many rows; where the model takes a mask, row 1 is padded on that side."""
        return self.feed(self.config(), rows, side)

    def _make(self, class_name: str) -> Any:
        cls = getattr(hf, class_name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            make = cls.from_config if class_name.startswith("Auto") else cls._from_config
            return stirred(make(self.config()))


def stirred(model: nn.Module) -> nn.Module:
    """The model in eval mode with noise on every parameter.

    Biases and norms start at 0 and 1; other values make wrong wiring visible.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * NOISE)
    return model.eval()


def output(model: nn.Module, **given: Any) -> Tensor:
    """The first output, in float32; of a sequence of the mask's length the positions that are no padding.

    Rows may be a multiple of the mask's, as with Parallel.
    """
    with torch.no_grad():
        result = model(**given)
    first: Tensor = result[0].float()
    mask = given.get("decoder_attention_mask" if "decoder_input_ids" in given else "attention_mask")
    if mask is None or first.dim() < 3 or mask.shape[1] != first.shape[1]:
        return first
    return first[mask.bool().repeat(first.shape[0] // mask.shape[0], 1)]
