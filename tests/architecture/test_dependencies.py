"""Whatever is imported is declared: a package that merely happens to be installed is no dependency."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.imports import PACKAGES, ROOT, imports_of, modules

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_EXTRAS = {"adapter_lib": ("train",), "hubsite": ("hub", "s3"), "workers": ("hub",)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(*extras: str) -> set[str]:
    lines = [*_PROJECT["dependencies"]]
    for extra in extras:
        lines += _PROJECT["optional-dependencies"][extra]
    return {_normal(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in lines}


_HOMES = {top: {_normal(home) for home in homes} for top, homes in packages_distributions().items()}
# `_typeshed` exists for type checkers alone.
_OURS = {*PACKAGES, "bench", "tests", "_typeshed", *sys.stdlib_module_names}


def _undeclared(names: set[str], declared: set[str]) -> set[str]:
    tops = {name.split(".")[0] for name in names} - _OURS
    return {top for top in tops if not _HOMES.get(top, set()) & declared}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_declared(package: str) -> None:
    declared = _declared(*_EXTRAS[package])
    found = {
        f"{name}: {top}"
        for name, path in modules().items()
        if name.split(".")[0] == package
        for top in _undeclared(imports_of(path), declared)
    }
    assert found == set()


def test_the_tests_imports_are_declared() -> None:
    declared = _declared(*_PROJECT["optional-dependencies"])
    paths = [path for folder in ("bench", "examples", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert {top for path in paths for top in _undeclared(imports_of(path), declared)} == set()


def test_an_undeclared_import_is_seen() -> None:
    assert _undeclared({"torch.nn", "django.db"}, _declared()) == {"django"}
