"""Names, types and shapes of a weights file's tensors, without their numbers."""

import math
import pickle
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from adapter_lib.formats.reading import read_pickle
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.safetensors_header import Limits, read_header

# A pickle has no header: all of it is read, so it may not be large.
_LARGEST_PICKLE = 2 * 1024**3
_BITS = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL",
}  # fmt: skip


@dataclass(frozen=True)
class TensorFact:
    """One tensor: dtype in safetensors' words (`F32`)."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def facts_of(path: Path) -> list[TensorFact]:
    """The tensors of a safetensors file, or of a pickle that holds nothing else.

    Nothing of a pickle is executed: torch's weights-only reader makes tensors and plain containers alone.
    Raises LoadError, HeaderError.
    """
    if path.suffix == ".safetensors":
        try:
            header = read_header(path, Limits())
        except OSError as error:
            raise LoadError(f"{path} cannot be read: {error.strerror}.") from error
        return [TensorFact(tensor.name, tensor.dtype, tensor.shape) for tensor in header.tensors]
    return [
        TensorFact(name, _BITS.get(t.dtype, str(t.dtype)), tuple(t.shape))
        for name, t in _outlines(path).items()
    ]


def values_of(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its numbers, one in memory at a time where the file allows it. Raises LoadError."""
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                yield name, file.get_tensor(name)
    else:
        yield from read_pickle(path).items()


def _outlines(path: Path) -> dict[str, Tensor]:
    """The tensors of a pickle on the meta device, where they have shapes and no numbers."""
    try:
        with path.open("rb") as stream:
            is_zip = stream.read(4) == b"PK\x03\x04"
        if not is_zip and path.stat().st_size > _LARGEST_PICKLE:
            raise LoadError(f"{path} is a pickle of more than {_LARGEST_PICKLE} bytes, which is not read.")
        # Files of torch 1.6 and later are zips and are mapped; older ones are read whole.
        with warnings.catch_warnings():
            # torch warns of pickles that it did not write; what is in them is told below.
            warnings.simplefilter("ignore", UserWarning)
            found = torch.load(path, map_location="meta", weights_only=True, mmap=is_zip)
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}.") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().split("\n")[0][:150]
        raise LoadError(
            f"{path} is refused: it holds more than tensors, or is broken, and nothing in it is executed "
            f"({reason})."
        ) from None
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise LoadError(f"{path} holds more than named tensors: it is no adapter's weights.")
    return {str(name): value for name, value in found.items()}
