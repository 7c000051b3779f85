"""What became of every law for every pair, kept for the support table."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

# A folder to which each pair's outcome is written; unset: nowhere.
FOLDER = "ADAPTER_CONTRACT_OUTCOMES"


@dataclass(frozen=True)
class Outcome:
    """laws: law → "" if it holds, else the sentence with which it was refused."""

    family: str
    method: str
    laws: dict[str, str]


def keep(outcome: Outcome) -> None:
    """Write an outcome down, if somebody collects them."""
    folder = os.environ.get(FOLDER)
    if folder:
        path = Path(folder) / f"{outcome.family}~{outcome.method}.json"
        path.write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def read(folder: Path) -> list[Outcome]:
    """All outcomes in a folder."""
    return [Outcome(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]
