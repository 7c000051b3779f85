"""What the index knows of one adapter: a list row (`Hit`, stored as shown) and the words to find it by."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Badge(StrEnum):
    """Whether the hub measured a score on the task's current suite."""

    VERIFIED = "verified"
    UNSCORED = "unscored"


@dataclass(frozen=True)
class VerifiedScore:
    """A measured score beside its baselines. Values are fractions from 0 to 1; low and high bound 95 %."""

    suite: str
    metric: str
    value: float
    low: float
    high: float
    majority: float
    probe: float
    claimed: float | None
    examples: int


@dataclass(frozen=True)
class Hit:
    """One published adapter as lists show it. Optional texts are empty, unknown numbers None."""

    namespace: str
    name: str
    # The latest published commit and its version tag (`v2`).
    revision: str
    version: str
    summary: str
    task: str
    task_name: str
    dataset: str
    # BCP-47 codes and their English names, in the same order.
    languages: tuple[str, ...]
    language_names: tuple[str, ...]
    # The backbone's upstream id.
    backbone: str
    method: str
    # The configuration in a few characters, e.g. `r=8 q,v`.
    config: str
    license: str
    # Bytes of the weights file, and trained parameters without the head.
    size: int | None
    parameters: int | None
    badge: Badge
    score: VerifiedScore | None
    downloads: int
    likes: int
    published_at: datetime
    private: bool

    @property
    def id(self) -> str:
        """`namespace/name`, in the owner's spelling."""
        return f"{self.namespace}/{self.name}"

    def to_json(self) -> bytes:
        """The row as the index stores it."""
        values = asdict(self) | {"published_at": self.published_at.isoformat()}
        return json.dumps(values, ensure_ascii=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Hit":
        """The row back from the index; only ever reads what `to_json` of the same schema version wrote."""
        values: Mapping[str, Any] = json.loads(data)
        score = values["score"]
        return cls(
            **{
                **values,
                "languages": tuple(values["languages"]),
                "language_names": tuple(values["language_names"]),
                "badge": Badge(values["badge"]),
                "score": VerifiedScore(**score) if score else None,
                "published_at": datetime.fromisoformat(values["published_at"]),
            }
        )


@dataclass(frozen=True)
class Document:
    """A hit with what only the index needs: who may see it, and words that lists do not show."""

    repo_id: int
    hit: Hit
    body: str
    backbone_aliases: tuple[str, ...]
    # The user who owns its namespace; a private document is found by them alone.
    owner_id: int
