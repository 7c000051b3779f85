"""What every kind of task says of itself. One file in `kinds` per kind, registered by one call."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from adapter_lib.spec.errors import listing
from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.errors import TaskError
from adapter_lib.tasks.features import Feature
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.reading import Rows

E = TypeVar("E")
A = TypeVar("A")
# Runs a model over features batch by batch and gives what a reader makes of each batch, in their order.
Ask = Callable[[Sequence[Feature], "Reader"], list[Any]]
# (model, features of a batch, the batch without labels) → one thing per feature.
Reader = Callable[[Any, Sequence[Feature], Mapping[str, Any]], Sequence[Any]]


class Task(ABC, Generic[E, A]):
    """One kind of task, from rows to measures; E is what it reads of a row, A what it answers to an example.

    name: what it is called; head: the type of the head it trains, empty where the model's own head is used.
    auto: transformers' class that loads a backbone for it. max_length: tokens kept of a text by default.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]]
    head: ClassVar[str] = ""
    auto: ClassVar[str] = "AutoModel"
    max_length: ClassVar[int] = 128
    needs_fast_tokenizer: ClassVar[bool] = False

    def labels(self, rows: Rows, columns: Mapping[str, str]) -> tuple[str, ...]:
        """The labels that training data holds, in the order of the head's outputs. Raises DataError."""
        return ()

    @abstractmethod
    def examples(self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]) -> list[E]:
        """The rows, checked. Raises DataError naming the line."""

    @abstractmethod
    def features(self, tokenizer: Any, examples: Sequence[E], max_length: int) -> list[Feature]:
        """What the model reads, labels included. Raises DataError for what does not fit."""

    @abstractmethod
    def answers(
        self, tokenizer: Any, examples: Sequence[E], features: Sequence[Feature], ask: Ask
    ) -> list[A]:
        """The model's answers, to each example one (a language model: to each piece of text)."""

    @abstractmethod
    def measures(self, answers: Sequence[A], examples: Sequence[E], labels: Sequence[str]) -> list[Measure]:
        """How good the answers are; the first measure is the task's own."""

    def unlabelled(self, text: str) -> E:
        """A text to be answered. Raises TaskError for tasks that do not answer to a text alone."""
        raise TaskError(f"{self.name} does not answer to a text alone: measure it with `evaluate`.")

    def told(self, answer: A, labels: Sequence[str]) -> Any:
        """An answer as JSON."""
        return answer


_TASKS: dict[str, Task[Any, Any]] = {}


def register_task(task: Task[Any, Any]) -> None:
    """Make a task known; a name that is taken raises TaskError."""
    if task.name in _TASKS:
        raise TaskError(f"The task {task.name!r} is registered already.")
    _TASKS[task.name] = task


def task_named(name: str) -> Task[Any, Any]:
    """The task of a name; `_` is as good as `-`. Raises TaskError listing what exists."""
    found = _TASKS.get(name.strip().lower().replace("_", "-"))
    if found is None:
        raise TaskError(f"There is no task {name!r}; there are: {listing(_TASKS)}.")
    return found


def task_with_head(head: str) -> Task[Any, Any]:
    """The task that trains heads of a type. Raises TaskError."""
    found = next((task for task in _TASKS.values() if task.head == head), None)
    if found is None:
        raise TaskError(f"No task of the command line has a head of the type {head!r}.")
    return found


def list_tasks() -> tuple[Task[Any, Any], ...]:
    """All tasks, by name."""
    return tuple(_TASKS[name] for name in sorted(_TASKS))
