"""The known families, by name and by `model_type`."""

from adapter_lib.families.spec import FamilySpec
from adapter_lib.spec.errors import FamilyError, listing

_FAMILIES: dict[str, FamilySpec] = {}


def register_family(family: FamilySpec) -> None:
    """Make a family known; a name or a `model_type` that is taken raises FamilyError."""
    taken = [t for t in family.model_types if any(t in known.model_types for known in _FAMILIES.values())]
    if family.name in _FAMILIES or taken:
        raise FamilyError(f"The family {family.name!r} or its model types {taken} are registered already.")
    _FAMILIES[family.name] = family


def list_families() -> tuple[str, ...]:
    """The names of the families that have a role table."""
    return tuple(sorted(_FAMILIES))


def family_of(model_type: object) -> FamilySpec:
    """The family that serves a `model_type`. Raises FamilyError listing what exists."""
    for family in _FAMILIES.values():
        if model_type in family.model_types:
            return family
    known = listing(model_type for family in _FAMILIES.values() for model_type in family.model_types)
    raise FamilyError(f"There is no role table for models of type {model_type!r}; known types are: {known}.")
