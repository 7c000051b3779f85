"""LoftQ (Li et al. 2023, https://arxiv.org/abs/2310.08659): LoRA that makes up for what quantising took."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from adapter_lib.methods import LoRA
from adapter_lib.methods.starts import as_matrix, principal, put
from adapter_lib.model import AdapterModel
from adapter_lib.points import MapPoint
from adapter_lib.spec.configs import LoRAConfig
from adapter_lib.spec.errors import AttachError, ConfigError, LoadError


@dataclass(frozen=True)
class LoftQReport:
    """‖W - Q‖ over all places of the adapter, and ‖W - (Q + s · B A)‖: before and after the start."""

    before: float
    after: float


def loftq_start(model: AdapterModel, name: str, weights: Mapping[str, Tensor]) -> LoftQReport:
    """Start an adapter made with init_weights="loftq" from the weights before they were quantised.

    s · B A becomes the best approximation, of A's rank, of W - Q, with Q what the quantised weight stands
    for. The paper takes turns: it quantises W - s · B A again, which gives another Q, and so on. That changes
    the base, which this library never does, so there is the first turn only (T = 1 in the paper).

    weights: the state dict of the same model, unquantised; only what the adapter serves is read.
    Raises ConfigError for an adapter of another kind, LoadError for a weight that is missing or of another
    shape, AttachError if the weights are the very ones the model has.
    """
    injection = model.adapter_runtime.injection
    config = injection.configs.get(name)
    if not isinstance(config, LoRAConfig) or config.init_weights != "loftq":
        raise ConfigError(f"{name!r} is no LoRA with init_weights='loftq' on this model.")
    paths = {module: path for path, module in model.named_modules()}
    before, after = 0.0, 0.0
    for key, part in injection.parts(name).items():
        point = injection.points.points[key]
        if not isinstance(part, LoRA) or not isinstance(point, MapPoint) or part.place.kind == "experts":
            raise ConfigError(f"LoftQ starts maps with one weight each, and {point.place.key} is none.")
        missing = as_matrix(_lost(point, paths[point.served[0]], weights), part.place)
        with torch.no_grad():
            a, b = principal(missing, part.lora_b.shape[-1], part.scale)
            put(part.lora_a, part.lora_b, a, b)
        before += missing.square().sum().item()
        after += (missing - part.scale * b @ a).square().sum().item()
    if before == 0:
        raise AttachError(
            "These are the weights the model has: there is nothing that LoftQ could make up for."
        )
    return LoftQReport(before**0.5, after**0.5)


def _lost(point: MapPoint, path: str, weights: Mapping[str, Tensor]) -> Tensor:
    """W - Q at one place."""
    key, now = f"{path}.weight", point.weight()
    if key not in weights:
        raise LoadError(f"The weights given to LoftQ have no {key}; give the state dict of the same model.")
    original = point.seen(weights[key].to(now.device))
    if original.shape != now.shape:
        shapes = f"{list(original.shape)}, not {list(now.shape)}"
        raise LoadError(f"{key} has the shape {shapes} in the weights given to LoftQ.")
    return original.to(now.dtype) - now
