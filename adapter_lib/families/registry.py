"""The known families, by name and by `model_type`."""

from dataclasses import dataclass

from adapter_lib.families.spec import FamilySpec
from adapter_lib.spec.errors import FamilyError, listing

_FAMILIES: dict[str, FamilySpec] = {}
_BY_TYPE: dict[object, FamilySpec] = {}


@dataclass(frozen=True)
class Family:
    """What a family offers, for people and for lists of what is supported.

    towers: the roles of its towers ("encoder", "decoder" …); of a model made of others, the paths of those.
    roles: every role that a layer of any tower can have.
    prefix: whether keys and values can be prepended; `no_prefix` says why not.
    """

    name: str
    model_types: tuple[str, ...]
    towers: tuple[str, ...]
    roles: tuple[str, ...]
    prefix: bool
    no_prefix: str = ""


def register_family(family: FamilySpec) -> None:
    """Make a family known; a name or a `model_type` that is taken raises FamilyError."""
    taken = [model_type for model_type in family.model_types if model_type in _BY_TYPE]
    if family.name in _FAMILIES or taken:
        raise FamilyError(f"The family {family.name!r} or its model types {taken} are registered already.")
    _FAMILIES[family.name] = family
    _BY_TYPE.update(dict.fromkeys(family.model_types, family))


def list_families() -> tuple[Family, ...]:
    """Every family that has a role table, by name."""
    return tuple(_described(_FAMILIES[name]) for name in sorted(_FAMILIES))


def family_of(model_type: object) -> FamilySpec:
    """The family that serves a `model_type`. Raises FamilyError listing what exists."""
    if not is_known(model_type):
        known = listing(str(known) for known in _BY_TYPE)
        raise FamilyError(
            f"There is no role table for models of type {model_type!r}; known types are: {known}."
        )
    return _BY_TYPE[model_type]


def is_known(model_type: object) -> bool:
    """True if a family serves this `model_type`."""
    return isinstance(model_type, str) and model_type in _BY_TYPE


def _described(family: FamilySpec) -> Family:
    layers = [tower.layer for tower in family.towers]
    reasons = [layer.no_prefix for layer in layers if layer.prefix is None]
    return Family(
        family.name,
        family.model_types,
        tuple(
            dict.fromkeys([tower.role for tower in family.towers] + [inner.path for inner in family.inner])
        ),
        tuple(dict.fromkeys(role for layer in layers for role in layer.roles())),
        prefix=len(reasons) < len(layers) or bool(family.inner),
        no_prefix=" ".join(dict.fromkeys(reasons)),
    )
