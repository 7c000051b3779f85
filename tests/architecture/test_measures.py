"""The measures of size and habit that keep the code readable (CONTRIBUTING.md, "How it should read")."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.imports import modules

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
# The request edge and the worker loop must not die; both say why beside the line.
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


def _sources() -> dict[str, Path]:
    return {name: path for name, path in modules().items() if ".migrations" not in name}


def _functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, path in _sources().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}.{node.name}", node


def test_no_file_is_too_long() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in _sources().items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    sizes = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in _functions()}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def test_modules_are_named_by_topic() -> None:
    assert [name for name in modules() if VAGUE_NAMES & set(name.split("."))] == []
