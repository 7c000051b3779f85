"""Sets of sentences with one label each, as JSON lines with `text`, `label` and `label_name`."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

SETS = ("sst2", "trec", "subj", "cr")


@dataclass(frozen=True)
class Sentences:
    """texts and labels of one split, row by row; `names`: of the classes, by number."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]

    def some(self, count: int, seed: int) -> "Sentences":
        """At most `count` rows, drawn by `seed`."""
        rows = list(range(len(self.texts)))
        random.Random(seed).shuffle(rows)  # noqa: S311 - a sample, no secret
        kept = rows[:count]
        return Sentences(tuple(self.texts[i] for i in kept), tuple(self.labels[i] for i in kept), self.names)


def read(folder: Path, name: str, split: str) -> Sentences:
    """One split of the set in `folder/name`."""
    path = folder / name / f"{split}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    names = {row["label"]: row["label_name"] for row in rows}
    return Sentences(
        tuple(row["text"] for row in rows),
        tuple(row["label"] for row in rows),
        tuple(names[label] for label in sorted(names)),
    )
