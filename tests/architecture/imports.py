"""Reads the import statements of our packages, without importing them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("adapter_lib", "hubsite", "workers")


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path, *, at_import_time: bool = False) -> set[str]:
    """Absolute names a module imports; with `at_import_time`, only those that run when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _top_level(tree) if at_import_time else ast.walk(tree)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _top_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes outside functions and outside `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _top_level(node)


def module_named(name: str, known: dict[str, Path]) -> str | None:
    """The module of ours that `name` (a module, or a name in one) belongs to."""
    while name:
        if name in known:
            return name
        name = name.rpartition(".")[0]
    return None


def graph(*, at_import_time: bool = False) -> dict[str, set[str]]:
    """Which of our modules imports which, itself left out."""
    known = modules()
    edges: dict[str, set[str]] = {}
    for name, path in known.items():
        targets = {
            module_named(imported, known) for imported in imports_of(path, at_import_time=at_import_time)
        }
        edges[name] = {target for target in targets if target is not None and target != name}
    return edges
