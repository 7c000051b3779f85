"""From a model to its family and its layers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adapter_lib.families import paths
from adapter_lib.families.registry import family_of, is_known
from adapter_lib.families.spec import FamilySpec, Tower
from adapter_lib.spec.errors import FamilyError

if TYPE_CHECKING:  # the tables are read by programs that have no torch
    from torch import nn


@dataclass(frozen=True)
class FoundTower:
    """A tower of one model: its table, its layers, and the number of its first layer among all layers."""

    table: Tower
    layers: "tuple[nn.Module, ...]"
    first: int


@dataclass(frozen=True)
class Resolved:
    """A model's family and the modules of its towers.

    base: the module that the towers' paths start from.
    """

    family: FamilySpec
    base: "nn.Module"
    towers: tuple[FoundTower, ...]

    @property
    def num_layers(self) -> int:
        """The layers of all towers; they are counted through, tower after tower."""
        return sum(len(tower.layers) for tower in self.towers)

    @property
    def hidden_size(self) -> int:
        """The width of the hidden state that the model returns, 0 for a plain module, which does not tell."""
        return hidden_size_of(self.base) if hasattr(self.base, "config") else 0


# What stands for the family of a plain module.
PLAIN = FamilySpec("module", (), ())


def resolve(model: "nn.Module", family: FamilySpec | None = None) -> Resolved:
    """The family of a transformers model, bare or with a head, found by `config.model_type`.

    family: a table to use instead, for models that have none.
    A plain module, which has no config and no table, has no towers: its maps are addressed by name.
    Raises FamilyError if the model's type has no role table, or the table does not fit the model.
    """
    if family is None:
        model_type = model_type_of(model)
        if model_type is None:
            return Resolved(PLAIN, model, ())
        family = family_of(model_type)
    # The model itself first: what some bare models call their base is only a part of them.
    for base in dict.fromkeys((model, getattr(model, "base_model", model))):
        found = replace(family, towers=(*family.towers, *_inner_towers(base, family)), inner=())
        towers = _towers(base, found)
        if towers:
            return Resolved(found, base, towers)
    wanted = [repr(tower.layers) for tower in family.towers] + [repr(inner.path) for inner in family.inner]
    raise FamilyError(
        f"{type(model).__name__} has no {' or '.join(dict.fromkeys(wanted))}, which {family.name} needs."
    )


def _towers(base: "nn.Module", family: FamilySpec) -> tuple[FoundTower, ...]:
    found: list[FoundTower] = []
    for table in family.towers:
        layers = paths.items(base, table.layers) if table.fits(getattr(base, "config", None)) else ()
        if layers:
            found.append(FoundTower(table, layers, sum(len(tower.layers) for tower in found)))
    return tuple(found)


def _inner_towers(base: "nn.Module", family: FamilySpec) -> Iterator[Tower]:
    """The towers of the models inside a model, with their paths in it.

    A model may lack one of them, or hold one that has no role table.
    """
    for inner in family.inner:
        present = [path for path in inner.path.split("|") if paths.find(base, path) is not None]
        model: Any = paths.get(base, present[0]) if present else None
        if model is None or not is_known(getattr(getattr(model, "config", None), "model_type", None)):
            continue
        resolved = resolve(model)
        below = next(name for name, module in model.named_modules() if module is resolved.base)
        prefix = f"{present[0]}.{below}" if below else present[0]
        yield from (tower.table.below(prefix, inner) for tower in resolved.towers)


def hidden_size_of(model: Any) -> int:
    """The hidden size that a model's config tells. Raises FamilyError if it tells none."""
    config = getattr(model, "config", None)
    for found in (config, getattr(config, "decoder", None), getattr(config, "text_config", None)):
        for name in ("hidden_size", "d_model", "projection_dim"):
            size = getattr(found, name, None)
            if isinstance(size, int) and not isinstance(size, bool) and size > 0:
                return size
    raise FamilyError(f"The config of {type(model).__name__} tells no hidden size.")


def model_type_of(model: Any) -> str | None:
    """The `model_type` that a model's config tells, or None."""
    found = getattr(getattr(model, "config", None), "model_type", None)
    return str(found) if found else None
