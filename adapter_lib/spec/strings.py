"""Config strings: `lora`, `lora[r=16, alpha=32]`, `lora[r=8]|par_bn`, `seq_bn[reduction_factor={"0": 8}]`.

    config  = member { "|" member }                     (several members: a union)
    member  = ( name | "(" config ")" ) [ "[" [ pair { "," pair } ] "]" ]
    pair    = key "=" value
    value   = number | quoted | word | list | map        (words: true, false, none, else text, such as gelu)
    list    = "[" [ value { "," value } ] "]"
    map     = "{" [ (quoted | number | word) ":" value { "," … } ] "}"

A value is data: nothing is ever evaluated. A config may also be JSON: {"method": …, "config": {…}}.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from adapter_lib.spec import strict_json
from adapter_lib.spec.configs import (
    MethodConfig,
    UnionConfig,
    config_from_dict,
    preset_class,
    preset_config,
    preset_keys,
)
from adapter_lib.spec.configs.registry import suggestion
from adapter_lib.spec.errors import ConfigError, listing
from adapter_lib.spec.strict_json import StrictJsonError

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_SPACE = re.compile(r"\s*")
_CONSTANTS = {"true": True, "false": False, "none": None}
_MAX_LENGTH = 2000
_MAX_DEPTH = 4
_MAX_ITEMS = 2000


def parse_config(given: str | MethodConfig | Mapping[str, Any]) -> MethodConfig:
    """A config from a config string, from JSON as text or as a mapping; a config is handed back as it is.

    given: "lora", "lora[r=16, targets=all-linear]", "prefix_tuning|par_bn" (both as one adapter) …
    Raises ConfigError that shows the place in the string and lists the valid keys.
    """
    if isinstance(given, MethodConfig):
        return given
    if isinstance(given, Mapping):
        return _from_mapping(given)
    if not isinstance(given, str):
        raise ConfigError(
            f"An adapter config is a config object, a string such as 'lora[r=16]' or JSON, not {given!r}."
        )
    return _from_json(given) if given.lstrip().startswith("{") else _Parser(given).config()


def _from_json(text: str) -> MethodConfig:
    try:
        values = strict_json.loads(text, max_items=_MAX_ITEMS)
    except StrictJsonError as error:
        raise ConfigError(f"The config starts like JSON and is not: {error}.") from None
    return _from_mapping(values)


def _from_mapping(values: Mapping[str, Any]) -> MethodConfig:
    method, config = values.get("method"), values.get("config", {})
    if (
        not isinstance(method, str)
        or not isinstance(config, Mapping)
        or not {*values} <= {"method", "config"}
    ):
        raise ConfigError(
            "A config as JSON is written {'method': …, 'config': {…}}, the method's name and its settings."
        )
    return config_from_dict(method, config)


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
        """The config that the whole string says."""
        found = self._union(0)
        self._skip()
        if self.at < len(self.text):
            raise self._error("expected the end of the string, or | and another config")
        return found

    def _union(self, depth: int) -> MethodConfig:
        members = [self._member(depth)]
        while self._take("|"):
            members.append(self._member(depth))
        return members[0] if len(members) == 1 else UnionConfig(configs=tuple(members))

    def _member(self, depth: int) -> MethodConfig:
        if not self._take("("):
            name = self._name()
            not_taken = preset_class(name).not_taken
            pairs = self._pairs(name, preset_keys(name), not_taken) if self._take("[") else {}
            return preset_config(name, pairs)
        if depth >= _MAX_DEPTH:
            raise self._error(f"parentheses are nested deeper than {_MAX_DEPTH} levels")
        found = self._union(depth + 1)
        self._expect(")")
        if not self._take("["):
            return found
        values = self._pairs("(…)", ("leave_out",))
        return UnionConfig(configs=(found,), **values)

    def _name(self) -> str:
        self._skip()
        start = self.at
        name = self._word("the name of a config")
        try:
            preset_class(name)
        except ConfigError as error:
            raise self._error(str(error).rstrip("."), start) from None
        return name

    def _pairs(
        self, owner: str, keys: tuple[str, ...], not_taken: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not self._take("]"):
            if values:
                self._expect(",")
            self._skip()
            start = self.at
            key = self._word("a key")
            if key in not_taken:
                raise self._error(f"{owner} does not take {key}: {not_taken[key]}", start)
            if key not in keys:
                close = suggestion(key, keys)
                raise self._error(f"{key!r} is no key of {owner}{close}; valid keys: {listing(keys)}", start)
            if key in values:
                raise self._error(f"{key!r} is given twice", start)
            self._expect("=")
            values[key] = self._value(0)
        return values

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
