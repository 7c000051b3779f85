"""What can be said of a checkpoint without its backbone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from adapter_lib.inspection.checkpoints.tensors import TensorFact

FLOATS = ("F16", "BF16", "F32", "F64")


@dataclass(frozen=True)
class Problem:
    """Something wrong; `code` is stable (`tensors.missing`), the message one sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class BackboneFacts:
    """What a checkpoint says of its backbone; None where it says nothing."""

    id: str | None = None
    revision: str | None = None
    fingerprint: str | None = None
    model_type: str | None = None
    hidden_size: int | None = None
    layers: int | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of any format.

    format: `native`, `peft` or `adapterhub`. method: the preset's or the peer's name. sizes: the settings
    that say how large it is (`r`, `prefix_length` …). weights: its files; size: their bytes.
    """

    folder: Path
    format: str
    method: str
    config: Mapping[str, Any]
    backbone: BackboneFacts
    tensors: Sequence[TensorFact]
    weights: Sequence[Path]
    size: int
    head: Mapping[str, Any] | None = None
    head_tensors: Sequence[TensorFact] = ()
    problems: tuple[Problem, ...] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """Numbers in the adapter's tensors, without the head's."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def head_parameters(self) -> int:
        """Numbers in the head's tensors."""
        return sum(tensor.elements for tensor in self.head_tensors)

    def having(self, problems: Sequence[Problem]) -> "Checkpoint":
        """The same with more problems."""
        return replace(self, problems=(*self.problems, *problems))

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        every = [*self.tensors, *self.head_tensors]
        return {
            "folder": str(self.folder),
            "format": self.format,
            "method": self.method,
            "sizes": dict(self.sizes),
            "parameters": self.parameters,
            "head_parameters": self.head_parameters,
            "tensors": len(every),
            "dtypes": dict(Counter(tensor.dtype for tensor in every)),
            "bytes": self.size,
            "files": [path.name for path in self.weights],
            "backbone": asdict(self.backbone),
            "head": dict(self.head) if self.head else None,
            "config": dict(self.config),
            "problems": [asdict(problem) for problem in self.problems],
        }


def bytes_of(weights: Sequence[Path]) -> int:
    """The size of some files together."""
    return sum(path.stat().st_size for path in weights)


def type_problems(tensors: Sequence[TensorFact]) -> list[Problem]:
    """Tensors that are no floating-point numbers, and empty ones."""
    found = []
    for tensor in tensors:
        if tensor.dtype not in FLOATS:
            found.append(
                Problem("tensors.dtype", f"The tensor {tensor.name} is {tensor.dtype}, not floating point.")
            )
        if not tensor.elements:
            found.append(Problem("tensors.empty", f"The tensor {tensor.name} {list(tensor.shape)} is empty."))
    return found or ([] if tensors else [Problem("tensors.none", "The weights file holds no tensors.")])


_SIZES = (
    "r", "init_r", "target_r", "lora_alpha", "alpha", "reduction_factor", "bottleneck_size", "prefix_length",
    "prompt_length", "num_virtual_tokens", "phm_dim", "phm_rank", "n_frequency", "block_size", "hidden_size",
    "n_butterfly", "oft_block_size", "boft_block_size",
)  # fmt: skip


def sizes_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that say how large an adapter is; of a union each member's, by its number."""
    members = config.get("configs")
    if isinstance(members, list | tuple):
        each = (sizes_of(m.get("config", m)) if isinstance(m, Mapping) else {} for m in members)
        return {f"{number}.{key}": value for number, found in enumerate(each) for key, value in found.items()}
    return {key: config[key] for key in _SIZES if isinstance(config.get(key), int | float | Mapping)}
