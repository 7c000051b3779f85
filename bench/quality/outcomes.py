"""What one run found, one JSON line each, so that a long series can be stopped and gone on with."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """One run: who, on which set, with which seed, at which rate, for how long, judged on which split."""

    contender: str
    text_set: str
    seed: int
    learning_rate: float
    examples: int
    epochs: int
    split: str


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    accuracy: the share of right answers on the split. right: which answers were right, as a hexadecimal
    number whose highest bit is the first row. parameters: trained ones, the head's included; of which
    `head_parameters` are the head's. seconds_per_step: the median. largest_class: the share of the class
    that was predicted most. versions: of what decides the numbers.
    """

    plan: Plan
    accuracy: float
    right: str
    rows: int
    parameters: int
    head_parameters: int
    seconds_per_step: float
    largest_class: float
    loss: float
    versions: dict[str, str]

    def answers(self) -> list[bool]:
        """Which rows were answered right."""
        bits = bin(int(self.right, 16))[2:].zfill(self.rows)
        return [bit == "1" for bit in bits]


def packed(right: list[bool]) -> str:
    """Right and wrong answers as a hexadecimal number."""
    return f"{int(''.join('1' if r else '0' for r in right), 2):x}"


def stored(path: Path) -> Iterator[Outcome]:
    """The outcomes in a file; none if there is no file."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            values = json.loads(line)
            yield Outcome(**values | {"plan": Plan(**values["plan"])})


def store(path: Path, outcome: Outcome) -> None:
    """Add one outcome."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
