"""What saving and loading did, counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter_lib.formats.expected import Problem
from adapter_lib.spec.errors import LoadError


@dataclass(frozen=True)
class SaveReport:
    """The folder and its two files, the number of tensors in them and the bytes they take."""

    folder: Path
    name: str
    tensors: int
    size: int


@dataclass(frozen=True)
class LoadReport:
    """What became of every tensor.

    matched: keys loaded; missing: expected and not in the file (left at their starting values); unexpected:
    in the file and not expected; wrong_shape: of another shape or type (not loaded). other_backbone: one
    sentence if the adapter was made for other weights than this model's, else None.
    """

    name: str
    matched: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong_shape: tuple[str, ...] = ()
    other_backbone: str | None = None

    def __str__(self) -> str:
        counts = (
            f"{self.name}: {len(self.matched)} tensors loaded, {len(self.missing)} missing, "
            f"{len(self.unexpected)} unexpected, {len(self.wrong_shape)} of a wrong shape"
        )
        return f"{counts}. {self.other_backbone}" if self.other_backbone else counts


def refuse(folder: Path, problems: Sequence[Problem]) -> LoadError:
    """The error that names the first problems and counts them all."""
    shown = " ".join(problem.message for problem in problems[:3])
    more = f" There are {len(problems) - 3} more." if len(problems) > 3 else ""
    return LoadError(f"The adapter in {folder} does not fit: {shown}{more} strict=False loads what does fit.")
