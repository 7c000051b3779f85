"""What an adapter id leads to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubsite.search.document import VerifiedScore


class Kind(StrEnum):
    """How the id was read."""

    NAME = "name"
    QUERY = "query"
    HASH = "hash"


@dataclass(frozen=True)
class BackboneRef:
    """The model an adapter is made for; `repo` is this hub's own copy, if the asker may see one."""

    id: str
    revision: str | None
    repo: str | None


@dataclass(frozen=True)
class ResolvedFile:
    """One file of the chosen commit; `size` in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Candidate:
    """One adapter at one commit. `state` is the commit's: only `published` has passed validation."""

    id: str
    revision: str
    version: str | None
    state: str
    task: str | None
    dataset: str | None
    method: str | None
    languages: tuple[str, ...]
    # One sentence: why it stands where it stands.
    reason: str
    score: VerifiedScore | None
    backbone: BackboneRef | None
    downloads: int
    published_at: datetime | None


@dataclass(frozen=True)
class Resolution:
    """The choice with its files, and up to twenty others that fit as well, best first."""

    kind: Kind
    choice: Candidate
    files: tuple[ResolvedFile, ...]
    candidates: Sequence[Candidate]
    # How many adapters fit, the choice included.
    total: int
