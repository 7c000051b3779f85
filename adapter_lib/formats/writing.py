"""Writing what an exporter made: each file appears whole or not at all."""

import json
from pathlib import Path

from adapter_lib.formats.atomic import files_in, write_tensors
from adapter_lib.formats.conversion import Exported
from adapter_lib.formats.report import SaveReport


def write_exported(exported: Exported, folder: Path, name: str) -> SaveReport:
    """Write the files to a folder, which is made. Raises LoadError if they cannot be."""
    # Those that say what there is come last.
    files = (*exported.weights, *exported.documents)
    with files_in(folder, files, f"The adapter {name!r}") as workshop:
        _write(exported, workshop)
    return SaveReport(
        folder,
        name,
        tensors=sum(map(len, exported.weights.values())),
        size=sum((folder / file).stat().st_size for file in exported.weights),
        format=exported.format,
        set_aside=exported.set_aside,
        notes=exported.notes,
    )


def _write(exported: Exported, workshop: Path) -> None:
    for file, tensors in exported.weights.items():
        # The format cannot hold two tensors with one memory.
        write_tensors({key: value.clone() for key, value in tensors.items()}, workshop / file)
    for file, document in exported.documents.items():
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (workshop / file).write_text(text + "\n", encoding="utf-8")
