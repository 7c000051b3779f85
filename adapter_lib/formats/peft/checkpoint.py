"""A PEFT checkpoint taken apart by module; what nobody takes was not understood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from adapter_lib.formats.peft.settings import Settings
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

WEIGHTS_FILE = "adapter_model.safetensors"
PICKLE_FILE = "adapter_model.bin"
# What PEFT puts before the path of a module; around soft prompts it wraps the model once only.
PREFIX = "base_model.model."
_PROMPT_PREFIX = "base_model."
NESTED = ".base_layer"
# Where the path of a module ends and the name of an adapter's own tensor begins.
_BEGINS = re.compile(
    r"\.(?=(?:lora_|hada_|lokr_|hira_|oft_R|boft_|hra_u|fourierft_|vera_lambda_|ia3_l|ln_tuning_layers|"
    r"trainable_tokens_delta|token_adapter))"
)
# Tensors that belong to no module.
_WHOLE = ("prompt_embeddings", "base_model.vera_A", "base_model.vera_B")

Tensors = dict[str, Tensor]


@dataclass
class Checkpoint:
    """A checkpoint whose tensors are taken one by one.

    adapted: module path → tensor name → tensor. own: parameters of the model itself that the file replaces.
    whole: tensors that belong to no module. notes: what the reader was told of, one sentence each.
    """

    settings: Settings
    adapted: dict[str, Tensors] = field(default_factory=dict)
    own: Tensors = field(default_factory=dict)
    whole: Tensors = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, settings: Settings, tensors: Mapping[str, Tensor]) -> "Checkpoint":
        """From the tensors by their key in the file.

        Raises LoadError for tensors that are no floating-point numbers.
        """
        found = cls(settings)
        for key, tensor in tensors.items():
            if not tensor.is_floating_point():
                raise LoadError(f"The tensor {quoted(key)} is {tensor.dtype}, not floating point.")
            found._sort_in(key, tensor.detach())
        return found

    def left(self) -> list[str]:
        """The tensors that have not been taken."""
        inner = [f"{path}.{name}" for path, held in self.adapted.items() for name in held]
        return [*inner, *self.own, *self.whole]

    def paths(self, *names: str) -> list[str]:
        """The modules that still have a tensor whose name begins so, in the order of their paths."""
        return sorted(p for p, held in self.adapted.items() if any(n.startswith(names) for n in held))

    def take(self, path: str, name: str) -> Tensor:
        """Take one tensor of a module. Raises LoadError if it is not there."""
        found = self.take_if(path, name)
        if found is None:
            raise LoadError(f"The file has no tensor {name!r} of {path}.")
        return found

    def take_if(self, path: str, name: str) -> Tensor | None:
        """Take one tensor of a module, if there is one."""
        return self.adapted[path].pop(name, None)

    def matrix(self, path: str, name: str) -> Tensor:
        """Take a tensor that has two dimensions. Raises LoadError."""
        found = self.take(path, name)
        if found.dim() != 2:
            raise LoadError(
                f"The tensor {name!r} of {path} has the shape {list(found.shape)}; it is a matrix."
            )
        return found

    def take_whole(self, key: str) -> Tensor:
        """Take a tensor that belongs to no module. Raises LoadError if it is not there."""
        if key not in self.whole:
            raise LoadError(f"The file has no tensor {key!r}.")
        return self.whole.pop(key)

    def _sort_in(self, key: str, tensor: Tensor) -> None:
        if key in _WHOLE:
            self.whole[key] = tensor
        elif key.startswith(PREFIX):
            self._of_module(key.removeprefix(PREFIX), tensor)
        elif key.startswith(_PROMPT_PREFIX):
            self._of_module(key.removeprefix(_PROMPT_PREFIX), tensor)
        else:
            self.whole[key] = tensor

    def _of_module(self, path: str, tensor: Tensor) -> None:
        parts = _BEGINS.split(path, maxsplit=1)
        if len(parts) == 1:
            self.own[path.replace(f"{NESTED}.", ".")] = tensor
        else:
            self.adapted.setdefault(parts[0], {})[parts[1]] = tensor
