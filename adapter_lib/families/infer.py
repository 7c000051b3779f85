"""A table for a model that has none: proposed from its modules and a forward, to be shown and pasted."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from adapter_lib.families.spec import FamilySpec

if TYPE_CHECKING:  # the tables are read by programs that have no torch
    from torch import nn


def propose(model: "nn.Module", inputs: Mapping[str, Any] | None = None) -> FamilySpec:
    """A role table for a model without one; `resolve(model, propose(model))` then finds its layers.

    inputs: what the model is called with (two rows or more, five tokens or more, nothing padded); None uses
        the dummy inputs of transformers' models.
    The model is run a few times without gradients, and left as it was. Whatever is proposed was confirmed:
    every site's h + r is what the model feeds on, in every layer.
    Raises FamilyError, saying what was found and what was not.
    """
    from adapter_lib.families.inference.proposing import proposed

    return proposed(model, inputs)


def describe(spec: FamilySpec) -> str:
    """The table as Python, ready to be pasted into `adapter_lib/families/NAME.py`."""
    used = sorted({type(part).__name__ for part in _parts(spec)})
    return (
        "from adapter_lib.families.registry import register_family\n"
        f"from adapter_lib.families.spec import {', '.join(used)}\n\n"
        f"register_family(\n    {_python(spec, 1)}\n)\n"
    )


def _parts(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [part for item in value for part in _parts(item)]
    if not is_dataclass(value):
        return []
    return [value] + [part for field in fields(value) for part in _parts(getattr(value, field.name))]


def _python(value: Any, depth: int) -> str:
    if is_dataclass(value):
        items = [
            f"{field.name}={_python(getattr(value, field.name), depth + 1)}"
            for field in fields(value)
            if getattr(value, field.name) != _default(field)
        ]
        return _lines(type(value).__name__, items, depth)
    if isinstance(value, tuple):
        if any(is_dataclass(item) for item in value):
            return _lines("", [_python(item, depth + 1) for item in value], depth)
        return f"({''.join(f'{_python(item, depth)}, ' for item in value).rstrip()})"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _lines(name: str, items: list[str], depth: int) -> str:
    """`name(` with an item on each line, or all on one where they are few."""
    short = f"{name}({', '.join(items)})"
    if name and len(short) + 4 * depth < 100 and "\n" not in short:
        return short
    indent = "    " * (depth + 1)
    return f"{name}(\n" + "".join(f"{indent}{item},\n" for item in items) + "    " * depth + ")"


def _default(field: "Field[Any]") -> Any:
    return None if field.default is MISSING else field.default
