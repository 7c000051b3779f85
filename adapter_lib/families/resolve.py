"""From a model to its family and its layers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapter_lib.families.registry import family_of
from adapter_lib.families.spec import FamilySpec
from adapter_lib.spec.errors import FamilyError

if TYPE_CHECKING:  # the tables are read by programs that have no torch
    from torch import nn


@dataclass(frozen=True)
class Resolved:
    """A model's family and the modules of its layers, in order."""

    family: FamilySpec
    layers: "tuple[nn.Module, ...]"
    hidden_size: int


def resolve(model: "nn.Module") -> Resolved:
    """The family of a transformers model, bare or with a head, found by `config.model_type`.

    Raises FamilyError if the model has no config, its type no role table, or the table does not fit the
    model.
    """
    config: Any = getattr(model, "config", None)
    if config is None or not hasattr(config, "model_type"):
        raise FamilyError(
            f"{type(model).__name__} is not a transformers model: it has no config with a model_type."
        )
    family = family_of(config.model_type)
    base: Any = getattr(model, "base_model", model)
    try:
        layers = tuple(base.get_submodule(family.tower.layers))
    except AttributeError as error:
        raise FamilyError(
            f"{type(model).__name__} has no {family.tower.layers!r}, which {family.name} needs."
        ) from error
    return Resolved(family, layers, family.sizes(config.to_dict()).hidden)
