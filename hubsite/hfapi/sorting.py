"""Orders of lists, and positions in them as two integers: the sorted value and the row's key."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from hubsite.core.errors import BadInput
from hubsite.registry.models import Repo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Microseconds until the year 9000; datetime ends soon after.
_LAST_MOMENT = 221_845_392_000_000_000
_FIELDS = {
    "createdAt": "created_at",
    "created_at": "created_at",
    "lastModified": "updated_at",
    "last_modified": "updated_at",
    "downloads": "downloads",
    "likes": "likes",
    # No trend is measured yet; downloads come nearest.
    "trendingScore": "downloads",
    "trending_score": "downloads",
}


@dataclass(frozen=True)
class Sort:
    """A column of `Repo`, and the direction."""

    field: str
    ascending: bool

    @classmethod
    def named(cls, name: str, *, ascending: bool) -> "Sort":
        """Raises `BadInput` for a name outside the protocol's."""
        if name not in _FIELDS:
            raise BadInput(f"Lists can be sorted by {', '.join(_FIELDS)}, not by {name!r}.")
        return cls(_FIELDS[name], ascending)

    @property
    def columns(self) -> tuple[str, str]:
        """For `order_by`; the key makes the order total."""
        sign = "" if self.ascending else "-"
        return f"{sign}{self.field}", f"{sign}pk"

    def position(self, repo: Repo) -> list[str | int]:
        """Where `repo` stands in the order."""
        value = getattr(repo, self.field)
        return [
            (value - _EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value,
            repo.pk,
        ]

    def behind(self, position: list[str | int]) -> Q:
        """The rows behind a position."""
        number, key = int(position[0]), int(position[1])
        value = self._moment(number) if self.field.endswith("_at") else number
        compare = "gt" if self.ascending else "lt"
        further = Q(**{f"{self.field}__{compare}": value})
        return further | Q(**{self.field: value, f"pk__{compare}": key})

    @staticmethod
    def _moment(microseconds: int) -> datetime:
        if not 0 <= microseconds <= _LAST_MOMENT:
            raise BadInput("The cursor is not valid; start again with the first page.")
        return _EPOCH + timedelta(microseconds=microseconds)
