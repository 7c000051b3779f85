"""The head that a task trains, put on a model."""

from collections.abc import Sequence
from typing import Any

from adapter_lib.tasks.errors import TaskError
from adapter_lib.tasks.task import Task

# Types of heads whose method has another name.
_SHORT = {"question_answering": "qa"}


def add_head(model: Any, name: str, task: Task[Any, Any], labels: Sequence[str]) -> None:
    """Add the task's head under an adapter's name; nothing where the model's own head is used.

    Raises TaskError or AttachError where the model takes no such head.
    """
    if not task.head:
        return
    add = getattr(model, f"add_{_SHORT.get(task.head, task.head)}_head", None)
    if add is None:
        raise TaskError(f"{type(model).__name__} takes no head for {task.name}.")
    add(name, **({"labels": list(labels)} if labels else {}))
