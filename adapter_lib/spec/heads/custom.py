"""Heads that a program brings along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from adapter_lib.spec.errors import ConfigError, listing
from adapter_lib.spec.fields import Fields
from adapter_lib.spec.heads.base import HeadSpec, Shape, read_labels
from adapter_lib.spec.heads.registry import register_head
from adapter_lib.spec.strict_json import quoted

_DEPTH, _ITEMS = 4, 10_000
_SHAPES: dict[str, "Shapes"] = {}


@dataclass(frozen=True)
class CustomSpec(HeadSpec):
    """A head of a type that a program registered. settings: whatever that type needs, as JSON has it."""

    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    type: ClassVar[str] = "custom"

    def shapes(self, hidden_size: int) -> dict[str, Shape]:
        """Raises ConfigError if this program has not registered the type."""
        if self.kind not in _SHAPES:
            raise ConfigError(
                f"There is no custom head of the type {quoted(self.kind)}; "
                f"register_custom_head() makes one known, and these are: {listing(_SHAPES)}."
            )
        return _SHAPES[self.kind](self, hidden_size)

    def to_dict(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "labels": list(self.labels),
            "kind": self.kind,
            "settings": dict(self.settings),
        }

    @classmethod
    def read(cls, given: Fields) -> Self:
        return cls(
            labels=read_labels(given, 0),
            kind=given.text("kind"),
            settings=given.plain_mapping("settings", _DEPTH, _ITEMS),
        )


Shapes = Callable[[CustomSpec, int], dict[str, Shape]]


def register_custom_shapes(kind: str, shapes: Shapes) -> None:
    """Say which tensors heads of a type have."""
    _SHAPES[kind] = shapes


register_head(CustomSpec)
