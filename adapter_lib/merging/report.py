"""What was lost where updates became one LoRA."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PlaceLoss:
    """One place: the rank of the LoRA, ‖ΔW‖ of the update that was wanted, and ‖ΔW - s B A‖ (Frobenius)."""

    place: str
    rank: int
    norm: float
    lost: float

    @property
    def error(self) -> float:
        """‖ΔW - s B A‖ / ‖ΔW‖; 0 where nothing was wanted."""
        return self.lost / self.norm if self.norm else 0.0


@dataclass(frozen=True)
class LoRAReport:
    """A LoRA made of other adapters; printing it gives a line.

    left_empty: places that the config could not leave out; the update there is zero.
    dropped_biases: places whose change of the bias was left out.
    """

    name: str
    sources: tuple[str, ...]
    strategy: str
    places: tuple[PlaceLoss, ...]
    parameters: int
    left_empty: tuple[str, ...] = ()
    dropped_biases: tuple[str, ...] = ()

    @property
    def error(self) -> float:
        """The loss over all places together, relative to the norm of the whole update."""
        return _total(self.places)

    @property
    def ranks(self) -> dict[str, int]:
        """The rank per place."""
        return {place.place: place.rank for place in self.places}

    def __str__(self) -> str:
        ranks = [place.rank for place in self.places]
        span = str(ranks[0]) if min(ranks) == max(ranks) else f"{min(ranks)} to {max(ranks)}"
        line = (
            f"{self.name}: LoRA of {', '.join(self.sources)} ({self.strategy}) at {len(ranks)} places, "
            f"rank {span}, {self.parameters:,} parameters, relative error {self.error:.2e}"
        )
        worst = max(self.places, key=lambda place: place.error)
        if worst.error > self.error:
            line += f" (worst: {worst.place} {worst.error:.2e})"
        if self.dropped_biases:
            line += f"; the biases of {len(self.dropped_biases)} places were left out"
        return line


@dataclass(frozen=True)
class MergeReport:
    """What was merged into the weights; printing it gives a line.

    change: ‖W' - W‖ over all places (Frobenius). lost: how far what the weights' own type holds is from W'.
    """

    composition: str
    places: int
    change: float
    lost: float

    @property
    def error(self) -> float:
        """lost / change: 0.004 means that 0.4 % of the update fell to rounding."""
        return self.lost / self.change if self.change else 0.0

    def __str__(self) -> str:
        return f"{self.composition} merged at {self.places} places, relative error {self.error:.2e}"


@dataclass(frozen=True)
class AverageReport:
    """The mean of adapters; loras: what was lost where a mean of updates became a LoRA, per union member."""

    name: str
    sources: tuple[str, ...]
    strategy: str
    method: str
    parameters: int
    loras: tuple[LoRAReport, ...] = ()

    @property
    def error(self) -> float:
        """The loss over all places of these LoRAs together; means of parameters lose nothing."""
        return _total([place for lora in self.loras for place in lora.places])

    def __str__(self) -> str:
        line = (
            f"{self.name}: mean of {', '.join(self.sources)} ({self.method}), {self.parameters:,} parameters"
        )
        return f"{line}, relative error {self.error:.2e}" if self.loras else line


def _total(places: Sequence[PlaceLoss]) -> float:
    norm = math.hypot(*(place.norm for place in places))
    return math.hypot(*(place.lost for place in places)) / norm if norm else 0.0
