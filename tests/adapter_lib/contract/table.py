"""The support tables from a run of the whole contract.

`python -m tests.adapter_lib.contract.table OUTCOMES TARGET`
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.adapter_lib.contract.laws import BLOCKS
from tests.adapter_lib.contract.methods import METHODS
from tests.adapter_lib.contract.outcomes import Outcome, read
from tests.adapter_lib.zoo import MODELS

# What differs from model to model in a refusal → what stands for it.
_DIFFERING = (
    (r"and \w+ has none", "and the map or norm there has none"),
    (r"module\.[\w.]+", "a module without a role"),
    (r"it has [\w.*, ]+\.", "it has …"),
    (r"tied to [\w.]+:", "tied to …:"),
    (r"^\w+ (takes no mask|averages over)", r"This tower \1"),
    (r"^[\w-]+ has no", "This family has no"),
    (r"act in \w+: .*", "act in a model whose positions are those of one grid."),
)
_MOST_NAMED = 16
_WORKS, _PARTLY, _REFUSED = "●", "◐", "–"
_HEAD = """# What works where

Written by `make coverage-table` from a run of the whole contract (`tests/adapter_lib/test_contract.py`) on
tiny random models; no cell is set by hand. {pairs} pairs of a model and a method were run; every law
held or was refused with a sentence that is expected.

● every law holds, under every block · ◐ it acts, and some blocks are refused for it (see below) ·
– refused as a whole.
"""


def render(outcomes: Iterable[Outcome]) -> str:
    """The page."""
    found = {(outcome.family, outcome.method): outcome.laws for outcome in outcomes}
    parts = [_HEAD.format(pairs=len(found)), _families(found), _blocks(found), _reasons(found)]
    return "\n".join(parts)


def _families(found: Mapping[tuple[str, str], dict[str, str]]) -> str:
    """Models × methods."""
    methods = list(METHODS)
    lines = [
        "## Models × methods",
        "",
        "| model | " + " | ".join(methods) + " |",
        "|---|" + ":-:|" * len(methods),
    ]
    for family in MODELS:
        cells = [_mark(found.get((family, method))) for method in methods]
        lines.append(f"| {family} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _mark(laws: dict[str, str] | None) -> str:
    if laws is None:
        return " "
    if "add" in laws:
        return _REFUSED
    return _WORKS if not any(laws.get(block) for block in BLOCKS) else _PARTLY


def _blocks(found: Mapping[tuple[str, str], dict[str, str]]) -> str:
    """Methods × blocks, with the number of models on which the block's law holds."""
    lines = [
        "## Methods × blocks",
        "",
        "On how many of the models where the method acts the block's law holds; `merge` likewise.",
        "",
        "| method | models | " + " | ".join((*BLOCKS, "merge")) + " |",
        "|---|--:|" + "--:|" * (len(BLOCKS) + 1),
    ]
    for method in METHODS:
        laws = [own for (_, name), own in found.items() if name == method and "add" not in own]
        cells = [str(sum(own.get(block) == "" for own in laws)) for block in (*BLOCKS, "merge")]
        lines.append(f"| {method} | {len(laws)} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _reasons(found: Mapping[tuple[str, str], dict[str, str]]) -> str:
    """Every refusal: its sentence, the law, and where it was met."""
    places: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (family, method), laws in found.items():
        for law, sentence in laws.items():
            if sentence:
                places[law, _general(sentence)][method].add(family)
    lines = ["## What is refused, and why", "", "| law | sentence | methods | models |", "|---|---|---|---|"]
    for (law, sentence), methods in sorted(places.items()):
        families = sorted(set().union(*methods.values()))
        lines.append(f"| {law} | {sentence} | {', '.join(sorted(methods))} | {_named(families)} |")
    return "\n".join([*lines, ""])


def _general(sentence: str) -> str:
    """A sentence without the names and numbers that differ from model to model."""
    told = re.sub(r"\d+", "N", sentence.split("\n")[0]).replace("|", "\\|")
    for pattern, instead in _DIFFERING:
        told = re.sub(pattern, instead, told)
    return told


def _named(families: list[str]) -> str:
    if len(families) > _MOST_NAMED:
        return f"{len(families)} of {len(MODELS)}"
    return ", ".join(families)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(render(read(Path(sys.argv[1]))), encoding="utf-8")
