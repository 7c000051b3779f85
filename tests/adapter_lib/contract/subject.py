"""One method on one tiny model: three adapters, and what the model gives with a composition of them."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

import adapter_lib
from adapter_lib import AdapterSetup
from tests.adapter_lib.contract.methods import MethodCase
from tests.adapter_lib.zoo import TinyModel

ROWS = 3
SPREAD = 0.1
# Places that the bare model's own forward never comes to: cross-attention without states to attend to, a
# vision layer behind the one whose output is used, projections for global attention that nobody asks for.
_IDLE = {
    "blip": r"\d (xattn.*|cross|norm\.1)",
    "blip-text": r"\d (xattn.*|cross|norm\.1)",
    "llava": r"3 .*",
    "longformer": r"\d module\..*_global",
    "led": r"\d module\..*_global",
}


@dataclass
class Subject:
    """The model with adapters `a`, `twin` (a's own weights) and `b` (others), all of one method.

    `other` is a bottleneck, so that methods meet; where the family has no site it is a LoRA on everything.
    """

    tiny: TinyModel
    method: MethodCase

    def __post_init__(self) -> None:
        self.model: Any = adapter_lib.init(self.tiny.build())
        self.given = self.tiny.inputs(ROWS)
        self.base = first(self.model, self.given)
        self.keys = list(self.model.state_dict())
        for name in ("a", "twin", "b"):
            self.model.add_adapter(name, self.method.config)
        self.fresh = self.run("a")
        self.shake("a", 1)
        self.shake("b", 2)
        self.copy("a", "twin")

    @cached_property
    def a(self) -> Tensor:
        """What adapter `a` gives alone."""
        return self.run("a")

    @cached_property
    def b(self) -> Tensor:
        """What adapter `b` gives alone."""
        return self.run("b")

    def run(self, composition: Any, **more: Any) -> Tensor:
        """The output of the whole batch with a composition."""
        with AdapterSetup(self.model, composition):
            return first(self.model, self.given | more)

    def is_idle(self, layer: int, role: str) -> bool:
        """True for a place that this model never uses."""
        return re.fullmatch(_IDLE.get(self.tiny.name, ""), f"{layer} {role}") is not None

    def shake(self, name: str, seed: int) -> None:
        """Move an adapter's trained parameters to random places."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.model.adapter_runtime.injection.trained(name):
                parameter.add_(torch.randn(parameter.shape, generator=generator) * SPREAD)

    def copy(self, source: str, target: str) -> None:
        """Give one adapter the weights of another."""
        injection = self.model.adapter_runtime.injection
        with torch.no_grad():
            for old, new in zip(injection.parameters(source), injection.parameters(target), strict=True):
                new.copy_(old)


def first(model: Any, given: dict[str, Any]) -> Tensor:
    """What a model gives, [rows, …], with padded positions set to zero."""
    with torch.no_grad():
        result = model(**given)
    pair = [result.get(name) for name in ("text_embeds", "image_embeds", "audio_embeds")]
    found = [tensor for tensor in pair if tensor is not None]
    output: Tensor = torch.cat(found, dim=-1) if found else result[0]
    mask = given.get("attention_mask")
    if mask is None or "decoder_input_ids" in given or output.dim() < 3 or mask.shape[1] != output.shape[1]:
        return output.float()
    times = output.shape[0] // mask.shape[0]
    return output.float() * mask.repeat(times, 1).unsqueeze(-1)


def assert_same(found: Tensor, expected: Tensor, what: str) -> None:
    """Equal up to float32 noise of the outputs' own size."""
    assert found.shape == expected.shape, f"{what}: {tuple(found.shape)} is not {tuple(expected.shape)}"
    scale = max(1.0, float(expected.abs().max()))
    error = float((found - expected).abs().max())
    assert error <= 3e-5 * scale, f"{what}: off by {error:.2e} (outputs up to {scale:.2g})"


def assert_different(found: Tensor, other: Tensor, what: str) -> None:
    """Different by more than float32 noise."""
    scale = max(1.0, float(other.abs().max()))
    error = float((found - other).abs().max())
    assert error > 1e-4 * scale, f"{what}: only {error:.2e} apart"
