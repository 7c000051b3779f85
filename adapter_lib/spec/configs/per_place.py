"""A number that may differ from place to place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapter_lib.spec.configs.base import Place
from adapter_lib.spec.configs.checks import is_number
from adapter_lib.spec.configs.targeted import ROLE_WORDS
from adapter_lib.spec.errors import ConfigError

_REGEX = "re:"


@dataclass(frozen=True)
class PerPlace:
    r"""Values for some places; JSON: `{"q": 4, "layers.0.attn.v": 2, "re:layers\\.[12]\\..*": 16}`.

    A key is a place's whole name (`layers.0.attn.q`, `module.pooler.dense`), or `re:` and a regular
    expression that it matches as a whole, or the word of a target (`q`, `up`, `experts` …). Where several
    fit, the first kind in this order counts, and of several expressions the first in alphabetical order.
    """

    values: tuple[tuple[str, float], ...]

    @classmethod
    def parse(cls, given: "Mapping[str, float] | PerPlace") -> "PerPlace":
        """From the JSON form. Raises ConfigError for a bad expression or a value that is not above 0."""
        if isinstance(given, PerPlace):
            return given
        for key, value in given.items():
            if not is_number(value) or value <= 0:
                raise ConfigError(f"The value for {key!r} must be a number above 0, not {value!r}.")
            _check_key(key)
        return cls(tuple(sorted(given.items())))

    def at(self, place: Place) -> float | None:
        """The value of one place, or None."""
        named = dict(self.values)
        if place.key in named:
            return named[place.key]
        for key, value in self.values:
            if key.startswith(_REGEX) and re.fullmatch(key.removeprefix(_REGEX), place.key):
                return value
        words = (word for word, roles in ROLE_WORDS.items() if place.role in roles)
        return next((named[word] for word in words if word in named), None)

    def to_json(self) -> dict[str, float]:
        """The JSON form that `parse` reads."""
        return dict(self.values)


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key:
        raise ConfigError(f"A value per place needs a place's name, a target or re:… as key, not {key!r}.")
    if key.startswith(_REGEX):
        try:
            re.compile(key.removeprefix(_REGEX))
        except re.error as error:
            raise ConfigError(f"{key!r} is no regular expression: {error}.") from None
