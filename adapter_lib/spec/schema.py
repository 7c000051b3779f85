"""The versions of the native format, and what each of them can say.

A file says the lowest version that can say what is in it, so that older readers, the hub's among them, take
whatever they can understand. Readers of every version stay.

1: adapters with classification heads. 2: the other heads, the config fields in `ADDED_IN_2`, and the files of
heads alone, fusions, routes, set-ups and embeddings.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from adapter_lib.spec.configs import MethodConfig, UnionConfig
from adapter_lib.spec.configs.base import plain
from adapter_lib.spec.configs.registry import method_class

FORMAT = "adapter_lib"
LIBRARY = "adapter_lib"
SCHEMA_VERSION = 2
# Fields that version 1 does not know, of all methods and by method; at their default they are not written.
ADDED_TO_ALL_IN_2: tuple[str, ...] = ("gate_over_padding",)
ADDED_IN_2: Mapping[str, tuple[str, ...]] = {
    "dora": ("scales_bias",),
    "prefix_tuning": ("moves_keys", "shift_positions"),
    "trainable_tokens": ("tied_head",),
}
# Methods that version 1 does not know.
METHODS_OF_2: tuple[str, ...] = ()


def described(config: MethodConfig) -> tuple[int, dict[str, Any]]:
    """(the lowest version that can say a config, the config's values in that version)."""
    values, version = config.values(), 2 if config.method in METHODS_OF_2 else 1
    if isinstance(config, UnionConfig):
        members = [(member.method, *described(member)) for member in config.configs]
        values["configs"] = [{"method": method, "config": own} for method, _, own in members]
        version = max(version, *(needed for _, needed, _ in members))
    defaults = _defaults_of_2(config.method)
    kept = {name: value for name, value in values.items() if defaults.get(name, ...) != value}
    return (2 if defaults.keys() & kept.keys() else version), kept


def _defaults_of_2(method: str) -> dict[str, Any]:
    """The defaults of the fields that version 2 added."""
    added = {*ADDED_TO_ALL_IN_2, *ADDED_IN_2.get(method, ())}
    fields = dataclasses.fields(method_class(method))
    return {field.name: plain(field.default) for field in fields if field.name in added}
