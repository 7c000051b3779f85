"""What adding an adapter did."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from adapter_lib.spec.configs import Place


@dataclass(frozen=True)
class AttachReport:
    """How many places per role, and how many parameters in all."""

    name: str
    method: str
    places: dict[str, int]
    parameters: int

    def __str__(self) -> str:
        places = ", ".join(f"{count} × {role}" for role, count in self.places.items())
        return f"{self.name} ({self.method}): {self.parameters:,} parameters at {places}"


def count_places(places: Iterable[Place]) -> dict[str, int]:
    """Places per role, in the order in which the roles first appear."""
    return dict(Counter(place.role for place in places))
