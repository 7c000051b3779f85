"""What `adapter-lib convert` does, in order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter_lib.cli.answer import Answer, Row
from adapter_lib.cli.base_models import checked_use, load_base
from adapter_lib.cli.converting_unloaded import write_unloaded
from adapter_lib.cli.finding import Found
from adapter_lib.cli.opening import backbone_of
from adapter_lib.formats.conversion import NATIVE
from adapter_lib.formats.report import LoadReport, SaveReport
from adapter_lib.inspection.checkpoints import Checkpoint, inspect_checkpoint
from adapter_lib.model import init
from adapter_lib.spec.errors import LoadError
from adapter_lib.tasks.record import read_record

_NAME = "adapter"
# The use of a model with a head of this type.
_USES = {"classification": "SEQ_CLS", "tagging": "TOKEN_CLS", "question_answering": "QUESTION_ANS"}
_USES_OF_TASKS = {"causal-lm": "CAUSAL_LM", "seq2seq": "SEQ_2_SEQ_LM"}


@dataclass(frozen=True)
class Wish:
    """The format and the folder to write, and of the backbone its id, its use, and whether to load it."""

    to: str
    output: Path
    backbone: str | None
    use: str | None
    config_only: bool


def converted(found: Found, wish: Wish) -> Answer:
    """Read the adapter for its backbone, and write it. Raises AdapterLibError."""
    checkpoint = inspect_checkpoint(found.folder)
    if checkpoint.format == wish.to:
        raise LoadError(f"{found.adapter} is {wish.to} already.")
    record = read_record(found.folder)
    name = wish.backbone or backbone_of(found, checkpoint, record)
    use = checked_use(wish.use or _use(checkpoint, record.task if record else None, wish.to))
    if wish.config_only:
        loaded, saved = None, write_unloaded(checkpoint, name, wish.to, wish.output, use=use)
    else:
        model = init(load_base(name, use=use, labels=_labels(checkpoint)))
        loaded = model.load_adapter(found.folder, name=_NAME)
        said = checkpoint.backbone
        saved = model.save_adapter(
            wish.output, _NAME, format=wish.to, backbone_id=said.id, backbone_revision=said.revision
        )
    document = _document(found, checkpoint, loaded, saved)
    return Answer(document, _shown(document))


def _document(
    found: Found, checkpoint: Checkpoint, loaded: LoadReport | None, saved: SaveReport
) -> dict[str, Any]:
    before = dict(loaded.set_aside) if loaded else {}
    return {
        "adapter": found.adapter,
        "from": checkpoint.format,
        "to": saved.format,
        "folder": str(saved.folder),
        "tensors_read": len(checkpoint.tensors) + len(checkpoint.head_tensors),
        "tensors": saved.tensors,
        "bytes": saved.size,
        "set_aside": {**before, **dict(saved.set_aside)},
        "replaced": list(loaded.replaced) if loaded else [],
        "notes": [*(loaded.notes if loaded else ()), *saved.notes],
    }


def _use(checkpoint: Checkpoint, task: str | None, to: str) -> str:
    said = checkpoint.config.get("task_type") if checkpoint.format == "peft" else None
    if isinstance(said, str):
        return said
    # Our own and AdapterHub's heads stand on the bare model; PEFT's are those of the model's class.
    head = str(checkpoint.head["type"]) if checkpoint.head and to == "peft" else ""
    return _USES.get(head) or _USES_OF_TASKS.get(task or "") or "FEATURE_EXTRACTION"


def _labels(checkpoint: Checkpoint) -> int | None:
    """The outputs of a head: as many as labels, else as its last tensor has rows."""
    labels = (checkpoint.head or {}).get("labels")
    if labels:
        return len(labels)
    return checkpoint.head_tensors[-1].shape[0] if checkpoint.head_tensors else None


def _shown(document: dict[str, Any]) -> list[str | list[Row]]:
    lines: list[str | list[Row]] = [
        f"{document['folder']}: {document['tensors_read']} tensors read as {document['from']}, "
        f"{document['tensors']} written as {document['to']}"
    ]
    lines += [f"Note: {note}" for note in document["notes"]]
    if document["replaced"]:
        what = "is not part of the adapter that was written" if document["to"] == NATIVE else "was replaced"
        lines += [f"Of the model itself, {name} {what}." for name in document["replaced"]]
    if document["set_aside"]:
        aside = document["set_aside"].items()
        lines.append([{"set_aside": key, "because": reason} for key, reason in aside])
    return lines
