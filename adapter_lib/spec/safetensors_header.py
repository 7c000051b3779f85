"""The header of a safetensors file, read as untrusted data.

Source: the format section of the safetensors README: 8 bytes little-endian header length, that many bytes of
JSON, then the tensors' bytes without gap or overlap. Nothing is allocated for a tensor here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from adapter_lib.spec import strict_json
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.strict_json import (
    DuplicateKeyError,
    StrictJsonError,
    TooManyItemsError,
    is_clean,
    quoted,
)

PREFIX_LENGTH = 8
METADATA_KEY = "__metadata__"
# Bits per element of every dtype the format knows.
DTYPE_BITS: Mapping[str, int] = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E5M2FNUZ", "F8_E4M3FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
MAX_NAME_LENGTH = 512
MAX_RANK = 64
_ENTRY_KEYS = {"dtype", "shape", "data_offsets"}
_MAX_SIZE = 2**63 - 1
_JSON_CODES = {DuplicateKeyError: "header.duplicate_key", TooManyItemsError: "header.too_many_tensors"}


class HeaderError(AdapterLibError):
    """A safetensors header that is refused; `code` is stable (`header.overlap`), `message` one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Limits:
    """How large a header may be; both are checked before anything is parsed or allocated."""

    header_bytes: int = 25 * 1024**2
    tensors: int = 100_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class TensorInfo:
    """One tensor's place in the file: bytes `begin` to `end`, counted from the header's `data_start`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Header:
    """A checked header: tensors in the order of their bytes, free metadata, and where the bytes start."""

    tensors: tuple[TensorInfo, ...]
    metadata: dict[str, str]
    data_start: int


def header_length(prefix: bytes, total_size: int, limits: Limits = DEFAULT_LIMITS) -> int:
    """The length in bytes of the JSON that follows the first 8 bytes of a file of `total_size` bytes.

    Raises HeaderError (`header.truncated`, `header.too_long`).
    """
    if len(prefix) < PREFIX_LENGTH or total_size < PREFIX_LENGTH:
        raise HeaderError(
            "header.truncated", "The file is shorter than the 8 bytes that give its header's length."
        )
    length = int.from_bytes(prefix[:PREFIX_LENGTH], "little")
    if length > limits.header_bytes:
        raise HeaderError(
            "header.too_long",
            f"The header claims {length} bytes, more than the {limits.header_bytes} allowed: "
            "is this a safetensors file?",
        )
    if PREFIX_LENGTH + length > total_size:
        raise HeaderError(
            "header.truncated",
            f"The header claims {length} bytes, but {total_size - PREFIX_LENGTH} follow: it was cut off.",
        )
    return length


def parse_header(prefix: bytes, total_size: int, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Parse the header of a file of `total_size` bytes, of which `prefix` holds at least the header.

    Raises HeaderError, and nothing else, for whatever `prefix` contains.
    """
    length = header_length(prefix, total_size, limits)
    data_start = PREFIX_LENGTH + length
    if len(prefix) < data_start:
        raise HeaderError(
            "header.truncated", f"Only {len(prefix)} of the header's {data_start} bytes were read."
        )
    entries = _load(prefix[PREFIX_LENGTH:data_start], limits)
    metadata = _metadata(entries.pop(METADATA_KEY, {}))
    if len(entries) > limits.tensors:
        raise HeaderError(
            "header.too_many_tensors",
            f"The header lists {len(entries)} tensors; {limits.tensors} are allowed.",
        )
    tensors = sorted(_tensors(entries), key=lambda tensor: (tensor.begin, tensor.end))
    _check_layout(tensors, total_size - data_start)
    return Header(tuple(tensors), metadata, data_start)


def read_header_from(stream: BinaryIO, total_size: int, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read and parse the header at the start of `stream`; `total_size` is the whole file's size in bytes."""
    prefix = stream.read(PREFIX_LENGTH)
    return parse_header(prefix + stream.read(header_length(prefix, total_size, limits)), total_size, limits)


def read_header(path: Path, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read and parse the header of the file at `path`. Raises HeaderError; OSError if it cannot be read."""
    with path.open("rb") as stream:
        return read_header_from(stream, path.stat().st_size, limits)


def _load(data: bytes, limits: Limits) -> dict[str, Any]:
    if not data.startswith(b"{"):
        raise HeaderError(
            "header.not_json", "The header does not start with `{`: is this a safetensors file?"
        )
    # An entry has 3 members, 2 arrays and seldom more than 8 dimensions.
    max_items = 16 * limits.tensors + 16
    try:
        entries = strict_json.loads(data, max_items=max_items)
    except StrictJsonError as error:
        code = _JSON_CODES.get(type(error), "header.not_json")
        raise HeaderError(code, f"The header is not valid JSON: {error}.") from None
    # What starts with `{` and is JSON is an object.
    return dict(entries)


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise HeaderError("header.bad_entry", f"The header's {METADATA_KEY} is not an object of strings.")
    for key, text in value.items():
        if not isinstance(text, str) or not is_clean(key + text):
            raise HeaderError("header.bad_entry", f"The metadata {quoted(key)} is not a plain string.")
    return value


def _tensors(entries: Mapping[str, Any]) -> Iterator[TensorInfo]:
    for name, entry in entries.items():
        if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
            raise HeaderError(
                "header.bad_entry",
                f"The tensor name {quoted(name)} is empty, unprintable or over {MAX_NAME_LENGTH} characters.",
            )
        if not isinstance(entry, dict) or entry.keys() != _ENTRY_KEYS:
            raise HeaderError(
                "header.bad_entry", f"Tensor {quoted(name)} must have exactly dtype, shape and data_offsets."
            )
        yield _tensor(name, entry["dtype"], entry["shape"], entry["data_offsets"])


def _tensor(name: str, dtype: Any, shape: Any, offsets: Any) -> TensorInfo:
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        raise HeaderError(
            "header.bad_dtype",
            f"Tensor {quoted(name)} has an unknown dtype; known are {', '.join(sorted(DTYPE_BITS))}.",
        )
    if not _are_sizes(shape) or len(shape) > MAX_RANK:
        raise HeaderError(
            "header.bad_shape",
            f"Tensor {quoted(name)} needs a shape of at most {MAX_RANK} whole numbers from 0 to 2^63-1.",
        )
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise HeaderError(
            "header.bad_offsets",
            f"Tensor {quoted(name)} needs two data_offsets, whole numbers with the begin not after the end.",
        )
    tensor = TensorInfo(name, dtype, tuple(shape), offsets[0], offsets[1])
    bits = tensor.elements * DTYPE_BITS[dtype]
    if bits % 8 or bits // 8 != tensor.end - tensor.begin:
        raise HeaderError(
            "header.bad_offsets",
            f"Tensor {quoted(name)} spans {tensor.end - tensor.begin} bytes, "
            f"which its shape and dtype {dtype} do not give.",
        )
    return tensor


def _are_sizes(values: Any) -> bool:
    # `type() is int`, because True is an int to isinstance.
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value <= _MAX_SIZE for value in values
    )


def _check_layout(tensors: list[TensorInfo], data_size: int) -> None:
    position = 0
    for tensor in tensors:
        if tensor.begin < position:
            raise HeaderError(
                "header.overlap", f"Tensor {quoted(tensor.name)} overlaps the bytes of the tensor before it."
            )
        if tensor.begin > position:
            raise HeaderError(
                "header.gap",
                f"There is a gap of {tensor.begin - position} bytes before tensor {quoted(tensor.name)}.",
            )
        position = tensor.end
    if position != data_size:
        raise HeaderError(
            "header.size_mismatch",
            f"The header describes {position} bytes of tensors, but the file has {data_size}: "
            f"{'it was cut off' if position > data_size else 'something was appended'}.",
        )
