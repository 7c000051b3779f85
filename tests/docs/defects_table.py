"""The tables of peers-defects.md, from what running `adapters` measured."""

import json
from pathlib import Path
from typing import Any

from tests.docs.answers import ANSWERS
from tests.docs.markers import table

DATA = Path(__file__).resolve().parents[1] / "interop" / "data" / "adapters" / "defects.json"
SECTIONS = tuple(ANSWERS)
_COLUMNS = ("what was done", "measured", "expected", "adapter_lib")


def defects() -> dict[str, dict[str, Any]]:
    """Id → sentence, number, expected."""
    found: dict[str, dict[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


def render(section: str) -> str:
    """The table of one section: a row per defect, in the order of the answers."""
    known = defects()
    return table(_COLUMNS, (_row(name, known[name], ours) for name, ours in ANSWERS[section].items()))


def _row(name: str, defect: dict[str, Any], ours: str) -> tuple[str, ...]:
    sentence = defect["sentence"]
    if sentence.startswith(("The same", "Mistral: the same")):
        sentence += f" ({name})"
    return sentence, _shown(defect["number"]), _shown(defect["expected"]), ours


def _shown(value: float | str) -> str:
    """A number without needless digits, an exception by its first sentence."""
    if not isinstance(value, str):
        return f"{value:g}"
    kind, colon, message = value.partition(": ")
    if not colon or not kind.endswith("Error"):
        return value
    first = message.strip().partition(". ")[0]
    return f"`{kind}`: {first[:120]}{'…' if len(first) > 120 else ''}" if first else f"`{kind}`"
