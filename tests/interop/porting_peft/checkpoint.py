"""What `peft` writes: `adapter_config.json` and `adapter_model.safetensors`, taken apart by module."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

_PREFIX = "base_model.model."
_NESTED = ".base_layer"
# Where the path of a module ends and the name of an adapter's own tensor begins.
_BEGINS = re.compile(
    r"\.(?=(?:lora_|hada_|lokr_|oft_R|boft_|hra_u|fourierft_|vera_lambda_|ia3_l|ln_tuning_layers|"
    r"trainable_tokens_delta|token_adapter))"
)


class NotPortableError(Exception):
    """A checkpoint, or a part of it, that no adapter of ours can stand for; one sentence tells why."""


@dataclass
class Checkpoint:
    """A checkpoint whose tensors are taken one by one: what is left over at the end was not understood.

    adapted: module path → tensor name → tensor. own: the base model's own parameters that the file replaces.
    whole: tensors that belong to no module.
    """

    config: dict[str, Any]
    adapted: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    own: dict[str, Tensor] = field(default_factory=dict)
    whole: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Checkpoint":
        """From a folder as the peer saves it."""
        found = cls(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")))
        for key, tensor in load_file(str(folder / "adapter_model.safetensors")).items():
            found._sort_in(key, tensor)
        return found

    @property
    def count(self) -> int:
        """How many tensors have not been taken yet."""
        return len(self.own) + len(self.whole) + sum(len(tensors) for tensors in self.adapted.values())

    def paths(self, *names: str) -> list[str]:
        """The modules that still have a tensor whose name begins so, in the order of their paths."""
        return sorted(p for p, held in self.adapted.items() if any(n.startswith(names) for n in held))

    def take(self, path: str, name: str) -> Tensor:
        """Take one tensor of a module. Raises NotPortableError if it is not there."""
        found = self.take_if(path, name)
        if found is None:
            raise NotPortableError(f"The file has no tensor {name!r} of {path}.")
        return found

    def take_if(self, path: str, name: str) -> Tensor | None:
        """Take one tensor of a module, if there is one."""
        return self.adapted[path].pop(name, None)

    def by_pattern(self, patterns: str, path: str, default: Any) -> Any:
        """What `rank_pattern` or `alpha_pattern` says of a module: keys are ends of paths, or expressions."""
        for key, value in (self.config.get(patterns) or {}).items():
            if re.match(rf"(.*\.)?({key})$", path):
                return value
        return default

    def _sort_in(self, key: str, tensor: Tensor) -> None:
        if not key.startswith(_PREFIX):
            self.whole[key] = tensor
            return
        path = key.removeprefix(_PREFIX)
        parts = _BEGINS.split(path, maxsplit=1)
        if len(parts) == 1:
            self.own[path.replace(f"{_NESTED}.", ".")] = tensor
            return
        self.adapted.setdefault(parts[0], {})[parts[1]] = tensor
