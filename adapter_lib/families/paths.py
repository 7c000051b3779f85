"""Following the tables' paths through a model's modules. Works on anything that has `_modules`."""

from typing import TYPE_CHECKING

from adapter_lib.spec.errors import FamilyError

if TYPE_CHECKING:  # the tables are read by programs that have no torch
    from torch import nn


def find(root: "nn.Module", path: str) -> "nn.Module | None":
    """The module at a path (`a|b`: the first that is there, "" the root itself), or None."""
    for alternative in path.split("|"):
        found = _walk(root, alternative)
        if found is not None:
            return found
    return None


def get(root: "nn.Module", path: str) -> "nn.Module":
    """The module at a path. Raises FamilyError where there is none."""
    found = find(root, path)
    if found is None:
        raise FamilyError(f"{type(root).__name__} has no module {path!r}.")
    return found


def items(root: "nn.Module", path: str) -> "tuple[nn.Module, ...]":
    """The layers at a path; `*` stands for every item of a list, and the list at the end is opened."""
    for alternative in path.split("|"):
        found = _expand([root], alternative.split("."))
        if found:
            return found
    return ()


def _walk(root: "nn.Module", path: str) -> "nn.Module | None":
    module = root
    for name in path.split(".") if path else ():
        child = module._modules.get(name)
        if child is None:
            return None
        module = child
    return module


def _expand(roots: "list[nn.Module]", names: list[str]) -> "tuple[nn.Module, ...]":
    for name in [*names, "*"] if names[-1] != "*" else names:
        if name == "*":
            roots = [child for root in roots for child in root.children()]
        else:
            roots = [child for root in roots if (child := root._modules.get(name)) is not None]
    return tuple(roots)
