"""Config strings: `lora`, `lora[r=16, alpha=32]`, `seq_bn[reduction_factor={"0": 8, "default": 16}]`.

    config  = name [ "[" [ pair { "," pair } ] "]" ]
    pair    = key "=" value
    value   = number | quoted | word | list | map        (words: true, false, none, else text, such as gelu)
    list    = "[" [ value { "," value } ] "]"
    map     = "{" [ (quoted | number | word) ":" value { "," … } ] "}"

A value is data: nothing is ever evaluated.
"""

import re
from typing import Any

from adapter_lib.spec.configs import MethodConfig, preset_class, valid_keys
from adapter_lib.spec.configs.registry import build_config
from adapter_lib.spec.errors import ConfigError, listing

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_SPACE = re.compile(r"\s*")
_CONSTANTS = {"true": True, "false": False, "none": None}
_MAX_LENGTH = 2000
_MAX_DEPTH = 4


def parse_config(given: str | MethodConfig) -> MethodConfig:
    """A config from a config string; a config is handed back as it is.

    Raises ConfigError that shows the place in the string and lists the valid keys.
    """
    if isinstance(given, MethodConfig):
        return given
    if not isinstance(given, str):
        raise ConfigError(
            f"An adapter config is a config object or a string such as 'lora[r=16]', not {given!r}."
        )
    return _Parser(given).config()


class _Parser:
    """Recursive descent over one config string."""

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise ConfigError(
                f"The config string has {len(text)} characters; at most {_MAX_LENGTH} are read."
            )
        self.text = text
        self.at = 0

    def config(self) -> MethodConfig:
        name = self._word("the name of a config")
        cls = preset_class(name)
        values = self._pairs(cls) if self._take("[") else {}
        self._skip()
        if self.at < len(self.text):
            raise self._error("expected the end of the string")
        return build_config(cls, values)

    def _pairs(self, cls: type[MethodConfig]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not self._take("]"):
            if values:
                self._expect(",")
            self._skip()
            start = self.at
            key = self._word("a key")
            self._check_key(cls, key, start, values)
            self._expect("=")
            values[key] = self._value(0)
        return values

    def _check_key(self, cls: type[MethodConfig], key: str, start: int, seen: dict[str, Any]) -> None:
        keys = valid_keys(cls)
        if key not in keys:
            raise self._error(f"{key!r} is not a key of {cls.__name__}; valid keys: {listing(keys)}", start)
        if key in seen:
            raise self._error(f"{key!r} is given twice", start)

    def _value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise self._error(f"values are nested deeper than {_MAX_DEPTH} levels")
        if self._take("["):
            return self._list(depth)
        if self._take("{"):
            return self._map(depth)
        return self._scalar()

    def _list(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._take("]"):
            if items:
                self._expect(",")
            items.append(self._value(depth + 1))
        return items

    def _map(self, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not self._take("}"):
            if items:
                self._expect(",")
            key = str(self._scalar())
            self._expect(":")
            items[key] = self._value(depth + 1)
        return items

    def _scalar(self) -> Any:
        self._skip()
        if self.text[self.at : self.at + 1] in ("'", '"'):
            return self._quoted()
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            written = number.group()
            return int(written) if re.fullmatch(r"[+-]?\d+", written) else float(written)
        word = self._word("a value")
        return _CONSTANTS.get(word.lower(), word)

    def _quoted(self) -> str:
        quote = self.text[self.at]
        end = self.text.find(quote, self.at + 1)
        if end < 0:
            raise self._error("the quote is never closed")
        value = self.text[self.at + 1 : end]
        self.at = end + 1
        return value

    def _word(self, wanted: str) -> str:
        self._skip()
        found = _WORD.match(self.text, self.at)
        if not found:
            raise self._error(f"expected {wanted}")
        self.at = found.end()
        return found.group()

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, sign: str) -> bool:
        self._skip()
        is_here = self.text.startswith(sign, self.at)
        self.at += is_here
        return is_here

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error(f"expected {sign!r}")

    def _error(self, what: str, at: int | None = None) -> ConfigError:
        place = self.at if at is None else at
        return ConfigError(f"Config string, position {place}: {what}.\n  {self.text}\n  {' ' * place}^")
