"""What older releases wrote: adapter-transformers 1.x to 3.x, and adapters before 1.1.0."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from adapter_lib.spec.configs import BnConfig
from adapter_lib.spec.errors import ConfigError, LoadError
from adapter_lib.spec.strict_json import quoted
from adapter_lib.spec.strings import parse_config

# Up to 1.0 there was a module per type of adapter, and the type was part of its name.
_MODULES = {
    "attention_text_task_adapters": "adapters",
    "attention_text_lang_adapters": "adapters",
    "layer_text_task_adapters": "adapters",
    "layer_text_lang_adapters": "adapters",
    "invertible_lang_adapters": "invertible_adapters",
}
# Fields that were written in capitals up to 1.0.
_FIELDS = {
    "LN_after": "ln_after",
    "LN_before": "ln_before",
    "MH_Adapter": "mh_adapter",
    "Output_Adapter": "output_adapter",
}
# Fields of single releases that changed nothing, and what they said then.
_IDLE: Mapping[str, tuple[Any, ...]] = {
    "attention_type": ("sent-lvl-dynamic", "token-lvl-dynamic", None),
    "new_attention_norm": (False, None),
    "config_id": (),
    "version": (),
}
_ACTIVATIONS = {"gelu": "gelu_new", "gelu_orig": "gelu"}
_TYPES = ("text_task", "text_lang")
_VERSION = re.compile(r"adapters\.(\d+)\.(\d+)\.?(\w*)")
_SCALED_SINCE = (1, 1)


def current_key(key: str) -> str:
    """A tensor's key with today's names of modules."""
    for old, new in _MODULES.items():
        key = key.replace(f".{old}.", f".{new}.")
        key = key.replace(old, new, 1) if key.startswith(f"{old}.") else key
    return key


def repaired(document: Mapping[str, Any], known: Collection[str]) -> tuple[Any, list[str]]:
    """(the config in today's words, a sentence for everything that was read in another way than it stands).

    known: the fields of a bottleneck. Raises LoadError for a type or a string that is not known.
    """
    kind = document.get("type")
    if kind is not None and kind not in _TYPES:
        raise LoadError(f"The type {quoted(str(kind))} is no type of adapter; known are {', '.join(_TYPES)}.")
    notes: list[str] = []
    config = document.get("config")
    config = _of_string(config, known) if isinstance(config, str) else config
    if not isinstance(config, Mapping):
        return config, notes
    config = _renamed(dict(config))
    if "version" not in document:
        config = _translated(config, notes)
    return _rescaled(config, document.get("version"), notes), notes


def _of_string(given: str, known: Collection[str]) -> dict[str, Any]:
    """The config that a preset's name stood for."""
    try:
        found = parse_config(given)
    except ConfigError as error:
        raise LoadError(f"The config {quoted(given)} is the name of no preset: {error}") from None
    if type(found).method != BnConfig.method:
        raise LoadError(f"The config {quoted(given)} is no bottleneck's; only these were named by a string.")
    values = {key: value for key, value in found.values().items() if key in known}
    return values if values["inv_adapter"] is not None else values | {"inv_adapter_reduction_factor": None}


def _renamed(config: dict[str, Any]) -> dict[str, Any]:
    for old, new in _FIELDS.items():
        if old in config:
            config[new] = config.pop(old)
    if "invertible_adapter" in config:
        coupling = config.pop("invertible_adapter") or {}
        if not isinstance(coupling, Mapping):
            raise LoadError("The config's invertible_adapter must be an object or null.")
        config["inv_adapter"] = coupling.get("block_type")
        config["inv_adapter_reduction_factor"] = coupling.get("reduction_factor")
    for key, harmless in _IDLE.items():
        if key in config and (not harmless or config[key] in harmless):
            del config[key]
    return config


def _translated(config: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Files without a version come from a time when `gelu` was the approximation by tanh."""
    old = config.get("non_linearity")
    if not isinstance(old, str) or old not in _ACTIVATIONS:
        return config
    notes.append(f"The file has no version, so its {old} is what is called {_ACTIVATIONS[old]} today.")
    return config | {"non_linearity": _ACTIVATIONS[old]}


def _rescaled(config: dict[str, Any], version: Any, notes: list[str]) -> dict[str, Any]:
    """adapters before 1.1.0 left alpha / r out of the forward, whatever the config said."""
    found = _VERSION.match(version) if isinstance(version, str) else None
    is_old = found is not None and (int(found[1]), int(found[2])) < _SCALED_SINCE
    if not is_old or config.get("architecture") != "lora" or config.get("r") == config.get("alpha"):
        return config
    notes.append(
        f"{version} did not scale by alpha / r, so alpha={config.get('alpha')} was replaced by "
        f"r={config.get('r')}."
    )
    return config | {"alpha": config.get("r")}
