"""`__all__` is true: every name in it exists, and nothing public is left out by accident."""

import ast
import importlib

import pytest

from tests.architecture.imports import modules


def _declared(name: str) -> list[str] | None:
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = getattr(node, "value", None)
            return list(ast.literal_eval(value)) if value is not None else None
    return None


FACES = [
    name for name, path in modules().items() if path.name == "__init__.py" and _declared(name) is not None
]


def test_there_are_public_faces() -> None:
    assert "adapter_lib" in FACES


@pytest.mark.parametrize("name", FACES)
def test_every_declared_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    declared = _declared(name) or []
    assert len(set(declared)) == len(declared)
    assert [item for item in declared if not hasattr(module, item)] == []


@pytest.mark.parametrize("name", FACES)
def test_every_re_exported_name_is_declared(name: str) -> None:
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    brought_in = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == name.split(".")[0]
        for alias in node.names
        if f"{node.module}.{alias.name}" not in modules()  # brought in to register itself
    }
    assert {item for item in brought_in if not item.startswith("_")} <= set(_declared(name) or [])
