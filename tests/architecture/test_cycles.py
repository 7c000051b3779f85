"""No import cycle exists among our modules (STYLE.md, practice 3)."""

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.imports import graph


def _cycle(edges: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_cycle() -> None:
    assert _cycle(graph(at_import_time=True)) == []


def test_a_cycle_is_seen() -> None:
    assert _cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}})


@pytest.mark.parametrize("package", ["adapter_lib", "hubsite", "workers"])
def test_no_cycle_between_sub_packages(package: str) -> None:
    """Modules may be free of cycles while their packages lean on each other; that is refused too."""
    edges: dict[str, set[str]] = {}
    for source, targets in graph().items():
        parts = source.split(".")
        if parts[0] != package or len(parts) < 2:
            continue
        inside = {target.split(".")[1] for target in targets if target.startswith(f"{package}.")}
        edges.setdefault(parts[1], set()).update(inside - {parts[1]})
    assert _cycle(edges) == []
