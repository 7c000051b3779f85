"""A union of configs: one adapter that acts in several ways at once, such as Mix-and-Match or UniPELT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes
from adapter_lib.spec.configs.block_config import BlockConfig
from adapter_lib.spec.configs.checks import check_gating, check_layer_ids, refuse, store
from adapter_lib.spec.configs.registry import config_from_dict, config_to_dict, register_config
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.strict_json import quoted


@dataclass(frozen=True, eq=False, kw_only=True)
class UnionConfig(MethodConfig):
    """Several configs as one adapter; where two act at one place, they act in the order given.

    configs: the members; a union among them is taken apart. In JSON: {"method": …, "config": {…}} each.
    leave_out: in addition to what the members leave out.
    """

    method: ClassVar[str] = "union"
    measure: ClassVar[str] = ""

    configs: "tuple[MethodConfig, ...]"

    def __post_init__(self) -> None:
        check_layer_ids(self, "leave_out")
        if self.use_gating is not False:
            raise refuse(self, "use_gating", "false: gating is a matter of the members")
        check_gating(self)
        given: Any = self.configs
        if not isinstance(given, Sequence) or isinstance(given, str) or not given:
            raise refuse(self, "configs", "a list of configs")
        members = tuple(member for item in given for member in members_of(_member(item)))
        blocks = [member.name() for member in members if isinstance(member, BlockConfig)]
        if blocks:
            raise ConfigError(f"{blocks[0]} describes a composition block and cannot be a member of a union.")
        store(self, "configs", members)

    def name(self) -> str:
        return "|".join(dict.fromkeys(member.name() for member in self.configs))

    def members(self) -> tuple[MethodConfig, ...]:
        if not self.leave_out:
            return self.configs
        return tuple(_leaving_out(member, self.leave_out) for member in self.configs)

    def aims(self) -> tuple[Aim, ...]:
        return tuple(aim for member in self.configs for aim in member.aims())

    def size(self) -> int | float:
        return self.configs[0].size()

    def shapes(self, place: Place) -> Shapes:
        raise ConfigError("A union has no tensors of its own; its members have.")

    def values(self) -> dict[str, Any]:
        members = [{"method": member.method, "config": config_to_dict(member)} for member in self.configs]
        own = {"leave_out": list(self.leave_out), "use_gating": False, "gate_over_padding": False}
        return own | {"configs": members}


def members_of(config: MethodConfig) -> tuple[MethodConfig, ...]:
    """The configs that a config stands for: a union's members, with its `leave_out` handed down."""
    return config.members()


def _leaving_out(member: MethodConfig, layers: tuple[int, ...]) -> MethodConfig:
    values = member.values() | {"leave_out": sorted({*member.leave_out, *layers})}
    return config_from_dict(member.method, values)


def _member(item: object) -> MethodConfig:
    if isinstance(item, MethodConfig):
        return item
    if (
        isinstance(item, Mapping)
        and set(item) == {"method", "config"}
        and isinstance(item["config"], Mapping)
    ):
        return config_from_dict(str(item["method"]), item["config"])
    raise ConfigError(
        f"A member of a union is a config or {{'method': …, 'config': {{…}}}}, not {quoted(repr(item))}."
    )


register_config(UnionConfig, presets={})
