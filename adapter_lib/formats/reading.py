"""Files of strangers, read as data: sizes are checked before anything is allocated, nothing is executed."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from adapter_lib.spec import strict_json
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.safetensors_header import HeaderError, read_header
from adapter_lib.spec.strict_json import StrictJsonError

MAX_JSON = 16 * 1024**2
MAX_WEIGHTS = 16 * 1024**3
_MAX_ITEMS = 1_000_000

Tensors = dict[str, Tensor]


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises LoadError for anything else, and for more than 16 MB."""
    _size(path, MAX_JSON)
    try:
        found = strict_json.loads(path.read_bytes(), max_items=_MAX_ITEMS)
    except StrictJsonError as error:
        raise LoadError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(found, dict):
        raise LoadError(f"{path} must hold a JSON object.")
    return found


def read_tensors(folder: Path, safe: str, pickled: str) -> tuple[Tensors, str]:
    """(tensors by the file's keys, the file's name): the safetensors file, or the pickled one beside it.

    Raises LoadError if neither is there or the one that is there is unsound.
    """
    if (folder / safe).is_file():
        return read_safetensors(folder / safe), safe
    if (folder / pickled).is_file():
        return read_pickle(folder / pickled), pickled
    raise LoadError(f"{folder} has neither {safe} nor {pickled}.")


def read_safetensors(path: Path) -> Tensors:
    """All tensors of a safetensors file, whose header must be sound. Raises LoadError."""
    _size(path, MAX_WEIGHTS)
    try:
        read_header(path)
        return load_file(path)
    except (HeaderError, OSError) as error:
        raise LoadError(f"{path} cannot be read: {error}") from None


def read_pickle(path: Path) -> Tensors:
    """All tensors of a file that torch.save wrote of a dict of tensors.

    torch's restricted reader builds tensors and plain containers only; code in the file makes it stop. Raises
    LoadError for that, for anything but a dict of tensors, and for tensors larger than the file.
    """
    size = _size(path, MAX_WEIGHTS)
    _check_records(path, size)
    try:
        with warnings.catch_warnings(action="ignore"):  # of old protocols, which are refused or read
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, KeyError) as error:
        raise LoadError(
            f"{path} cannot be read as tensors alone, and nothing else in it is read: {_first_line(error)}"
        ) from None
    return _as_tensors(path, found, size)


def _as_tensors(path: Path, found: Any, size: int) -> Tensors:
    if not isinstance(found, dict):
        raise LoadError(f"{path} holds a {type(found).__name__}, not a dict of tensors.")
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise LoadError(
                f"{path} holds {type(value).__name__} under {str(key)[:80]!r}, not tensors by name."
            )
        if value.numel() * value.element_size() > size:
            raise LoadError(f"The tensor {key!r} of {path} says it is larger than the file.")
    return {key: value.detach() for key, value in found.items()}


def _check_records(path: Path, size: int) -> None:
    """torch's own archives are not compressed: one that unpacks to more than it holds is not torch's."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise LoadError(f"{path} is damaged: {error}.") from None
    if total > size:
        raise LoadError(f"{path} would unpack to {total} bytes, more than its own {size}.")


def _size(path: Path, limit: int) -> int:
    """The bytes of a regular file. Raises LoadError for none, and for more than the limit."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LoadError(
            f"{path} cannot be read: {error.strerror}. Is this the folder of an adapter?"
        ) from error
    if not path.is_file():
        raise LoadError(f"{path} is no regular file.")
    if size > limit:
        raise LoadError(f"{path} has {size} bytes, more than the {limit} that are read.")
    return size


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]
