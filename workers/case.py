"""All that a child is told of a run: plain values, no database and no secrets."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileFact:
    """A file of the commit; `size` in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Policy:
    """The hub's limits on an upload: number of files and bytes."""

    max_files: int
    max_size: int


@dataclass(frozen=True)
class BackboneFiles:
    """A backbone in a local folder. `revision` names these very bytes; `source` says where they came from."""

    name: str
    revision: str
    folder: Path
    source: str


@dataclass(frozen=True)
class SuiteFiles:
    """An evaluation set in a local folder."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Case:
    """One commit to validate. `folder` holds its files; what is None is not known or not there."""

    folder: Path
    files: tuple[FileFact, ...]
    policy: Policy
    task: str = ""
    claimed: float | None = None
    backbone: BackboneFiles | None = None
    suite: SuiteFiles | None = None
    needs_baselines: bool = False
    device: str = "cpu"
