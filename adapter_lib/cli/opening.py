"""An adapter on its backbone, ready to be asked: what `evaluate` and `load --text` start from."""

from dataclasses import dataclass, replace
from typing import Any

from adapter_lib.cli.finding import Found
from adapter_lib.hub.answers import BackboneChoice
from adapter_lib.inspection.checkpoints import Checkpoint, inspect_checkpoint
from adapter_lib.model import init
from adapter_lib.spec.errors import LoadError
from adapter_lib.tasks import Task, TaskError, task_named, task_with_head
from adapter_lib.tasks.backbone import Backbone, open_backbone
from adapter_lib.tasks.record import TrainingRecord, read_record

_NAME = "adapter"
# What PEFT calls the uses of a model that has a head.
_PEFT_HEADS = {"SEQ_CLS": "classification", "TOKEN_CLS": "tagging", "QUESTION_ANS": "question_answering"}


@dataclass(frozen=True)
class Opened:
    """The backbone with the adapter active; labels: its head's; record: of its training, if there is one."""

    backbone: Backbone
    task: Task[Any, Any]
    labels: tuple[str, ...]
    record: TrainingRecord | None


def open_adapter(found: Found, *, task: str | None, backbone: str | None) -> Opened:
    """Load the backbone that was asked for or that the adapter names, and the adapter on it.

    Raises AdapterLibError.
    """
    checkpoint, record = inspect_checkpoint(found.folder), read_record(found.folder)
    kind = _task(checkpoint, record, task)
    opened = open_backbone(backbone or backbone_of(found, checkpoint, record), kind)
    model = init(opened.model)
    model.load_adapter(found.folder, name=_NAME)
    model.set_active_adapters(_NAME)
    model.eval()
    return Opened(opened, kind, _labels(model, kind), record)


def _labels(model: Any, task: Task[Any, Any]) -> tuple[str, ...]:
    """The labels of the head that came with the adapter. Raises TaskError if none did."""
    heads = model.adapter_runtime.heads
    if not task.head:
        return ()
    if _NAME not in heads.names():
        raise TaskError(f"No head came with the adapter, and {task.name} needs one.")
    labels: tuple[str, ...] = heads.get(_NAME).spec.labels
    return labels


def _task(checkpoint: Checkpoint, record: TrainingRecord | None, asked: str | None) -> Task[Any, Any]:
    head = checkpoint.head
    kind = str(head["type"]) if head else None
    kind = _PEFT_HEADS.get(kind, kind) if kind else None
    if asked is not None:
        found = task_named(asked)
        if found.head and found.head != kind:
            has = f"a head for {kind}" if kind else "no head"
            raise TaskError(f"The adapter has {has}, so it cannot do {found.name}.")
        return found
    if kind is not None:
        return task_with_head(kind)
    if record is not None:
        return task_named(record.task)
    raise TaskError("The adapter does not say what it is for: name its task with --task.")


def backbone_of(found: Found, checkpoint: Checkpoint, record: TrainingRecord | None) -> str:
    """What an adapter says its backbone is, brought if a hub has it. Raises LoadError, HubError."""
    said = checkpoint.backbone
    if found.backbone is not None:
        return str(found.fetch_backbone())
    if said.id:
        choice = BackboneChoice(said.id, said.revision, None)
        return str(replace(found, backbone=choice).fetch_backbone())
    if record is not None:
        return record.backbone
    raise LoadError("The adapter does not say which backbone it is for: name it with --backbone.")
