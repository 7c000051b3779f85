"""The front door for adapters of all formats: which one a folder holds, and reading and writing the others.

All three name their config `adapter_config.json`. Ours says `format`, PEFT's says `peft_type`, AdapterHub's
has `config` with `version`, in old files with a `type`.
"""

from collections.abc import Mapping
from pathlib import Path

from adapter_lib.formats import adapterhub, peft
from adapter_lib.formats.conversion import ADAPTERHUB, FORMATS, NATIVE, PEFT, Exportable, Imported
from adapter_lib.formats.reading import read_object
from adapter_lib.formats.report import SaveReport
from adapter_lib.formats.writing import write_exported
from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import ConfigError, LoadError
from adapter_lib.spec.manifest import CONFIG_FILE

_HUB_MARKS = ("version", "type", "model_type", "name")


def detect(folder: Path) -> str:
    """`native`, `adapterhub` or `peft`. Raises LoadError for a folder that holds none of them."""
    if not (folder / CONFIG_FILE).is_file():
        inner = [path.parent.name for path in sorted(folder.glob(f"*/{CONFIG_FILE}"))]
        hint = f" There is one in {', '.join(inner[:3])}: name that." if inner else ""
        raise LoadError(f"{folder} has no {CONFIG_FILE}. Is this the folder of an adapter?{hint}")
    found = format_of(read_object(folder / CONFIG_FILE))
    if found is None:
        raise LoadError(
            f"{folder / CONFIG_FILE} is of no format known here: ours says `format`, PEFT's `peft_type`, "
            "AdapterHub's `config` and `version`."
        )
    return found


def format_of(values: Mapping[str, object]) -> str | None:
    """The format of an `adapter_config.json`, or None."""
    if "peft_type" in values:
        return PEFT
    if "format" in values:
        return NATIVE
    if "config" in values and any(mark in values for mark in _HUB_MARKS):
        return ADAPTERHUB
    return None


def is_foreign(folder: Path) -> bool:
    """True for an adapter of another format; what cannot be read is for the native reader to refuse."""
    try:
        return format_of(read_object(folder / CONFIG_FILE)) in (ADAPTERHUB, PEFT)
    except LoadError:
        return False


def read_foreign(folder: Path, atlas: Atlas) -> Imported:
    """An adapter of another format, for a model with these places.

    Raises LoadError for what has no counterpart, for files that are unsound, and for tensors that do not fit.
    """
    return peft.read(folder, atlas) if detect(folder) == PEFT else adapterhub.read(folder, atlas)


def write_foreign(given: Exportable, folder: Path, format: str) -> SaveReport:
    """Write an adapter in another format. Raises LoadError for what has no counterpart there."""
    if format not in FORMATS or format == NATIVE:
        raise ConfigError(f"format must be one of {', '.join(FORMATS)}, not {format!r}.")
    exported = peft.export(given) if format == PEFT else adapterhub.export(given)
    return write_exported(exported, folder, given.name)
