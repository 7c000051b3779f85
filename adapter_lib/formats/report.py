"""What saving and loading did, counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapter_lib.formats.expected import Problem
from adapter_lib.spec.composition import Block
from adapter_lib.spec.errors import LoadError


@dataclass(frozen=True)
class SaveReport:
    """The folder and its files, the number of tensors in them and the bytes these take.

    format: "native", "adapterhub" or "peft". set_aside: our tensors that the files do not hold, each with the
    reason. notes: what a reader should know, one sentence each.
    """

    folder: Path
    name: str
    tensors: int
    size: int
    format: str = "native"
    set_aside: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadReport:
    """What became of every tensor.

    matched: keys loaded; missing: expected and not in the file (left at their starting values); unexpected:
    in the file and not expected; wrong_shape: of another shape or type (not loaded). other_backbone: one
    sentence if the adapter was made for other weights than this model's, else None.

    Of files in another format (`format` is "adapterhub" or "peft") keys are ours where the file's have
    become ours. set_aside: keys of the file that have no counterpart, each with the reason. filled: tensors
    that are not in the file and change nothing. replaced: the model's own parameters that the file has other
    values of. notes: what a reader should know, one sentence each.
    """

    name: str
    matched: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong_shape: tuple[str, ...] = ()
    other_backbone: str | None = None
    format: str = "native"
    set_aside: Mapping[str, str] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = (
            f"{self.name}: {len(self.matched)} tensors loaded, {len(self.missing)} missing, "
            f"{len(self.unexpected)} unexpected, {len(self.wrong_shape)} of a wrong shape"
        )
        more = {
            "set aside": len(self.set_aside),
            "filled with what changes nothing": len(self.filled),
            "of the model's own replaced": len(self.replaced),
        }
        counts += "".join(f", {count} {what}" for what, count in more.items() if count)
        sentences = [*([self.other_backbone] if self.other_backbone else []), *self.notes]
        return " ".join([f"{counts}.", *sentences]) if sentences else counts


@dataclass(frozen=True)
class SetupReport:
    """What became of a whole set-up: the composition as it is called here, and a report per member.

    A member's report is called `adapters/a`, `heads/b`, `fuse/a,b`, `route/r` or `embeddings/e`, by the names
    that they have here.
    """

    composition: Block
    members: tuple[LoadReport, ...]

    def __str__(self) -> str:
        return "\n".join([repr(self.composition), *(f"  {member}" for member in self.members)])


def refuse(folder: Path, problems: Sequence[Problem], *, is_optional: bool = True) -> LoadError:
    """The error that names the first problems and counts them all.

    is_optional: strict=False would load what does fit.
    """
    shown = " ".join(problem.message for problem in problems[:3])
    more = f" There are {len(problems) - 3} more." if len(problems) > 3 else ""
    hint = " strict=False loads what does fit." if is_optional else ""
    return LoadError(f"The adapter in {folder} does not fit: {shown}{more}{hint}")
