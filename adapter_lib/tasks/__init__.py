"""From somebody's data to a trained or measured adapter: reading, encoding, training, measuring."""

import adapter_lib.tasks.kinds  # noqa: F401  (they register)
from adapter_lib.tasks.errors import DataError, TaskError
from adapter_lib.tasks.reading import Data, Rows, read_file
from adapter_lib.tasks.task import Task, list_tasks, task_named, task_with_head

__all__ = [
    "Data",
    "DataError",
    "Rows",
    "Task",
    "TaskError",
    "list_tasks",
    "read_file",
    "task_named",
    "task_with_head",
]
