"""Which format an adapter has, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapter_lib.formats.archives import unpacked
from adapter_lib.formats.conversion import ADAPTERHUB, NATIVE, PEFT
from adapter_lib.formats.opening import detect
from adapter_lib.formats.reading import read_object
from adapter_lib.inspection.checkpoints.adapterhub import read_adapterhub
from adapter_lib.inspection.checkpoints.native import read_native
from adapter_lib.inspection.checkpoints.peft import read_peft
from adapter_lib.inspection.checkpoints.report import Checkpoint
from adapter_lib.inspection.checkpoints.values import value_problems
from adapter_lib.spec.manifest import CONFIG_FILE

_READERS: Mapping[str, Callable[[Path, Mapping[str, Any]], Checkpoint]] = {
    NATIVE: read_native,
    PEFT: read_peft,
    ADAPTERHUB: read_adapterhub,
}


def inspect_checkpoint(path: Path, *, with_values: bool = False) -> Checkpoint:
    """What an adapter's folder or zip archive says, of our format, PEFT's or AdapterHub's.

    Only headers are read; with_values: the numbers too, for those that are not finite.
    Raises AdapterLibError with one sentence for what cannot be read at all; lesser faults are `problems`.
    """
    with unpacked(path) as folder:
        found = _READERS[detect(folder)](folder, read_object(folder / CONFIG_FILE))
        found = found.having(value_problems(found)) if with_values else found
    return replace(found, folder=path)
