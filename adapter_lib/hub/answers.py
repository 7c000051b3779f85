"""The hub's answers as objects. Members that this version does not know are ignored, wrong ones refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from adapter_lib.hub.client import not_a_hub
from adapter_lib.hub.settings import Hub
from adapter_lib.spec.fields import FieldError, Fields

T = TypeVar("T")
PUBLISHED = "published"
QUERY = "query"


@dataclass(frozen=True)
class BackboneChoice:
    """The model an adapter is for; `repo` is the hub's own copy, if it has one."""

    id: str
    revision: str | None
    repo: str | None


@dataclass(frozen=True)
class AdapterFile:
    """One file of a revision: `sha256` in lower-case hex, `size` in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Candidate:
    """One adapter at one revision (a full commit sha), and why it stands where it does."""

    id: str
    revision: str
    version: str | None
    state: str
    reason: str
    backbone: BackboneChoice | None

    @property
    def label(self) -> str:
        """`ns/name v2`, or with the start of the sha while it has no version."""
        return f"{self.id} {self.version or self.revision[:12]}"


@dataclass(frozen=True)
class Resolution:
    """What an id leads to: the choice with its files, and the other candidates; `total` counts all.

    `kind` is how the hub read the id: `name`, `query` or `hash`.
    """

    kind: str
    choice: Candidate
    files: tuple[AdapterFile, ...]
    candidates: tuple[Candidate, ...]
    total: int


@dataclass(frozen=True)
class RunState:
    """How far a validation is. `state` is the commit's, `findings` are sentences that say what to do."""

    id: str
    status: str
    state: str
    is_finished: bool
    steps_done: int
    steps: tuple[str, ...]
    current: str
    findings: tuple[str, ...]


def read(hub: Hub, answer: Mapping[str, Any], reader: Callable[[Fields], T]) -> T:
    """`reader` on the answer's members. Raises HubAnswerError if they are not what they should be."""
    try:
        return reader(Fields(answer))
    except FieldError as error:
        raise not_a_hub(hub, f"something unexpected ({error})", 200) from None


def resolution(fields: Fields) -> Resolution:
    """The answer of `/resolve`."""
    choice = fields.nested("choice")
    return Resolution(
        kind=fields.text("kind"),
        choice=candidate(choice),
        files=tuple(_file(item) for item in choice.items("files")),
        candidates=tuple(candidate(item) for item in fields.items("candidates")),
        total=fields.integer("total", 1, 2**53),
    )


def candidate(fields: Fields) -> Candidate:
    """One entry of an answer of `/resolve`."""
    backbone = fields.nested_or_none("backbone")
    return Candidate(
        id=fields.text("id"),
        revision=fields.text("revision"),
        version=fields.text_or_none("version"),
        state=fields.text("state"),
        reason=fields.text("reason", allow_empty=True),
        backbone=None if backbone is None else _backbone(backbone),
    )


def run_state(fields: Fields) -> RunState:
    """The answer of `/runs`."""
    steps = fields.items("steps")
    running = [step.text("title") for step in steps if step.text("status") == "running"]
    return RunState(
        id=fields.text("id"),
        status=fields.text("status"),
        state=fields.text("state"),
        is_finished=fields.flag("finished"),
        steps_done=fields.integer("steps_done", 0, len(steps)),
        steps=tuple(step.text("title") for step in steps),
        current=running[0] if running else "",
        findings=tuple(_sentence(item) for item in fields.items("findings")),
    )


def _sentence(finding: Fields) -> str:
    sentence, advice = finding.prose("sentence"), finding.prose("advice")
    return f"{sentence} {advice}".strip()


def _backbone(fields: Fields) -> BackboneChoice:
    return BackboneChoice(fields.text("id"), fields.text_or_none("revision"), fields.text_or_none("repo"))


def _file(fields: Fields) -> AdapterFile:
    return AdapterFile(fields.text("path"), fields.text("sha256"), fields.integer("size", 0, 2**53))
