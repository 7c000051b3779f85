"""The YAML subset of front matter: YAML 1.2 plain scalars, no aliases, no tags, only JSON-able values.

With YAML 1.1's rules `language: no` would be false, and an alias costs its reader exponential time.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from adapter_lib.spec.strict_json import is_clean, quoted

MAX_LENGTH = 64 * 1024


class FrontError(ValueError):
    """Front matter that cannot be used; the message says why."""


def load_front(text: str) -> dict[str, Any]:
    """Read front matter, without its `---` lines. Raises FrontError, and nothing else."""
    if len(text) > MAX_LENGTH:
        raise FrontError(f"it has more than {MAX_LENGTH} characters")
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter below
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else "?"
        raise FrontError(f"{error.problem} (line {line} of the file)") from None
    except RecursionError:
        raise FrontError("it is nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise FrontError(
            f"it has characters or numbers that YAML does not allow ({quoted(str(error))})"
        ) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FrontError("it is not a list of `key: value` lines")
    return value


def dump_front(values: Mapping[str, Any]) -> str:
    """Front matter as text, without its `---` lines; `load_front` reads the same values back."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Loader(yaml.SafeLoader):
    """A SafeLoader without aliases and tags, whose constructors and plain scalars are those listed below."""

    yaml_constructors: ClassVar[Any] = {}
    yaml_implicit_resolvers: Any = {}

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases are not allowed", event)
        if event.tag is not None:
            raise _refusal("tags are not allowed", event)
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """A SafeDumper that also quotes what YAML 1.2 alone takes for a number, and never writes an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> ScalarNode:
    # In other styles a line separator would come back as a blank.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _represent_text)


def _refusal(problem: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)


def _string(loader: _Loader, node: ScalarNode) -> str:
    if not is_clean(node.value):
        raise _refusal("NUL and half characters are not allowed", node)
    return str(node.value)


def _mapping(loader: _Loader, node: MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        # Keys are text: `404: x` has the key "404".
        if not isinstance(key_node, ScalarNode):
            raise _refusal("a key must be plain text", key_node)
        key = _string(loader, key_node)
        if key in found:
            raise _refusal(f"the key {quoted(key)} stands twice", key_node)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _sequence(loader: _Loader, node: SequenceNode) -> list[Any]:
    return [loader.construct_object(item, deep=True) for item in node.value]


def _number(loader: _Loader, node: ScalarNode) -> int | float:
    text = str(node.value)
    try:
        value = float(text) if re.search(r"[.eE]", text) else int(text)
        if math.isfinite(value) and len(text) < 40:
            return value
    except (ValueError, OverflowError):
        pass
    raise _refusal("a number is out of range", node)


_Loader.add_constructor("tag:yaml.org,2002:str", _string)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)
_Loader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)
_Loader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: str(node.value).lower() == "true")
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_RESOLVERS = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
)
for _tag, _pattern, _first in _RESOLVERS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
