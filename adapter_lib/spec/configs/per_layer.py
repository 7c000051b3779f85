"""A number that may differ from layer to layer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapter_lib.spec.errors import ConfigError

_LAYER_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class PerLayer:
    """Values by layer number, with an optional default for the others; JSON: `{"0": 8, "default": 16}`."""

    values: tuple[tuple[int, float], ...]
    default: float | None = None

    @classmethod
    def parse(cls, given: "Mapping[str | int, float] | PerLayer") -> "PerLayer":
        """From the JSON form.

        Raises ConfigError for no value at all, a key that is neither a layer number nor `default`, or a
        value ≤ 0.
        """
        if isinstance(given, PerLayer):
            return given
        if not given:
            raise ConfigError("A value per layer needs at least one layer or a 'default'.")
        default: float | None = None
        values: dict[int, float] = {}
        for key, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ConfigError(f"The value for layer {key!r} must be a number above 0, not {value!r}.")
            if key == "default":
                default = float(value)
            elif _LAYER_NUMBER.fullmatch(str(key)):
                values[int(key)] = float(value)
            else:
                raise ConfigError(f"A value per layer needs a layer number or 'default' as key, not {key!r}.")
        return cls(tuple(sorted(values.items())), default)

    def at(self, layer: int) -> float:
        """The value of one layer. Raises ConfigError when the layer has none and there is no default."""
        found = dict(self.values).get(layer, self.default)
        if found is None:
            raise ConfigError(f"There is no value for layer {layer} and no 'default'; add one of them.")
        return found

    def to_json(self) -> dict[str, float]:
        """The JSON form that `parse` reads."""
        document = {str(layer): value for layer, value in self.values}
        return document if self.default is None else document | {"default": self.default}
