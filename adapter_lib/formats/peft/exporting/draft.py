"""A PEFT checkpoint in the making."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from adapter_lib.formats.peft.checkpoint import PREFIX, Tensors
from adapter_lib.inject import Atlas
from adapter_lib.points import CHILD_PREFIX

# Numbers that are whole but for rounding are written so.
_WHOLE = 1e-9


@dataclass
class Draft:
    """settings and tensors as the files will have them; notes: what a reader should know, a sentence each."""

    atlas: Atlas
    settings: dict[str, Any] = field(default_factory=dict)
    tensors: Tensors = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def _paths(self) -> dict[nn.Module, str]:
        """The model's own modules and their paths, as PEFT sees them."""
        found = self.atlas.model.named_modules()
        return {module: path for path, module in found if path and CHILD_PREFIX not in path}

    def path(self, module: nn.Module) -> str:
        """A module's path in the whole model."""
        return self._paths[module]

    def put(self, path: str, name: str, tensor: Tensor) -> None:
        """Add a tensor of a module."""
        self.tensors[f"{PREFIX}{path}.{name}"] = tensor.detach().clone().contiguous()

    def aim(self, modules: Collection[nn.Module]) -> None:
        """Let `target_modules` name these and no others."""
        wanted = {self.path(module) for module in modules}
        others = [path for path in self._paths.values() if path not in wanted]
        names = short_names(wanted, others)
        self.settings["target_modules"] = names if names is not None else _expression(wanted)
        self.settings["fan_in_fan_out"] = any(isinstance(module, Conv1D) for module in modules)

    def names_of(self, modules: Collection[nn.Module]) -> list[str]:
        """Names that mean these modules and no others."""
        wanted = {self.path(module) for module in modules}
        names = short_names(wanted, [path for path in self._paths.values() if path not in wanted])
        return sorted(wanted) if names is None else names

    def differing(self, values: Mapping[str, float], usual: float) -> dict[str, float]:
        """The values that are not the usual one, by names that mean no other of these paths."""
        found: dict[str, float] = {}
        for value in dict.fromkeys(v for v in values.values() if v != usual):
            wanted = {path for path, own in values.items() if own == value}
            names = short_names(wanted, [path for path in values if path not in wanted])
            found |= dict.fromkeys(sorted(wanted) if names is None else names, whole_if(value))
        return found


def short_names(wanted: Collection[str], others: Collection[str]) -> list[str] | None:
    """The shortest ends of paths that all `wanted` have and none of the others; None if there are no such."""
    found: list[str] = []
    for path in sorted(wanted):
        if any(_ends(path, name) for name in found):
            continue
        parts = path.split(".")
        ends = (".".join(parts[-size:]) for size in range(1, len(parts) + 1))
        name = next((end for end in ends if not any(_ends(other, end) for other in others)), None)
        if name is None:
            return None
        found.append(name)
    return sorted(found)


def whole_if(value: float) -> float:
    """The number, as an int where it is one but for rounding."""
    nearest = round(value)
    return nearest if abs(value - nearest) <= _WHOLE * max(1.0, abs(value)) else value


def most(values: Collection[float]) -> float:
    """The value that is there most often; the first of several."""
    listed = list(values)
    return max(dict.fromkeys(listed), key=listed.count)


def _ends(path: str, name: str) -> bool:
    return path == name or path.endswith(f".{name}")


def _expression(paths: Collection[str]) -> str:
    """An expression for these whole paths, where ends of paths cannot tell them from others."""
    return "|".join(re.escape(path) for path in sorted(paths))
