"""The `adapter_config.json` of AdapterHub: every field, with its default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.formats.adapterhub import legacy
from adapter_lib.spec.errors import LoadError, listing
from adapter_lib.spec.strict_json import quoted

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter.safetensors"
PICKLE_FILE = "pytorch_adapter.bin"
VERSION = "adapters.1.3.0"

Values = dict[str, Any]

_REQUIRED = object()
# By architecture: the fields of release 1.3.0 with their defaults.
BOTTLENECK: Mapping[str, Any] = {
    "mh_adapter": _REQUIRED,
    "output_adapter": _REQUIRED,
    "reduction_factor": _REQUIRED,
    "non_linearity": _REQUIRED,
    "original_ln_before": False,
    "original_ln_after": True,
    "ln_before": False,
    "ln_after": False,
    "init_weights": "bert",
    "init_weights_seed": None,
    "is_parallel": False,
    "scaling": 1.0,
    "use_gating": False,
    "residual_before_ln": True,
    "adapter_residual_before_ln": False,
    "inv_adapter": None,
    "inv_adapter_reduction_factor": None,
    "cross_adapter": False,
    "leave_out": (),
    "dropout": 0.0,
    "phm_layer": False,
    "phm_dim": 4,
    "factorized_phm_W": True,
    "shared_W_phm": False,
    "shared_phm_rule": True,
    "factorized_phm_rule": False,
    "phm_c_init": "normal",
    "phm_init_range": 0.0001,
    "learn_phm": True,
    "hypercomplex_nonlinearity": "glorot-uniform",
    "phm_rank": 1,
    "phm_bias": True,
    "stochastic_depth": 0.0,
}
PREFIX: Mapping[str, Any] = {
    "encoder_prefix": True,
    "cross_prefix": True,
    "leave_out": (),
    "flat": False,
    "prefix_length": 30,
    "bottleneck_size": 512,
    "non_linearity": "tanh",
    "dropout": 0.0,
    "use_gating": False,
    "shared_gating": True,
    "init_weights_seed": None,
}
PROMPT: Mapping[str, Any] = {
    "prompt_length": 10,
    "prompt_init": "random_uniform",
    "prompt_init_text": None,
    "combine": "prefix",
    "init_weights_seed": None,
}
LORA: Mapping[str, Any] = {
    "selfattn_lora": True,
    "intermediate_lora": False,
    "output_lora": False,
    "leave_out": (),
    "r": 8,
    "alpha": 8,
    "dropout": 0.0,
    "attn_matrices": ("q", "v"),
    "composition_mode": "add",
    "init_weights": "lora",
    "init_weights_seed": None,
    "use_gating": False,
    "use_dora": False,
    "vera_d": None,
    "vera_b": None,
    "dtype": None,
}
MTL_LORA: Mapping[str, Any] = {
    **LORA,
    "n_up_projection": 1,
    "task_specific_matrix_type": "singular_values",
    "weights_sharpness": 0.05,
}
REFT: Mapping[str, Any] = {
    "layers": "all",
    "prefix_positions": _REQUIRED,
    "suffix_positions": _REQUIRED,
    "r": _REQUIRED,
    "orthogonality": _REQUIRED,
    "tied_weights": False,
    "dropout": 0.05,
    "non_linearity": None,
    "dtype": None,
    "init_weights_seed": None,
    "output_reft": True,
    # No release writes it; it tells a DiReFT apart, which the peer's own files cannot.
    "subtract_projection": True,
}
FUSION: Mapping[str, Any] = {
    "key": _REQUIRED,
    "query": _REQUIRED,
    "value": _REQUIRED,
    "query_before_ln": False,
    "regularization": False,
    "residual_before": False,
    "temperature": False,
    "value_before_softmax": True,
    "value_initialized": False,
    "dropout_prob": None,
}
_FIELDS: Mapping[str | None, Mapping[str, Any]] = {
    None: BOTTLENECK,
    "prefix_tuning": PREFIX,
    "prompt_tuning": PROMPT,
    "lora": LORA,
    "mtl_lora": MTL_LORA,
    "reft": REFT,
}
_WHOLE_NUMBERS = ("leave_out",)
_TEXTS = ("attn_matrices",)


@dataclass(frozen=True)
class Document:
    """What `adapter_config.json` says, old spellings read as today's.

    config: complete. name: a part of the tensors' keys. notes: what was read in another way than it stands.
    """

    name: str
    config: Values
    notes: tuple[str, ...] = ()


def parse(document: Mapping[str, Any]) -> Document:
    """Read a whole `adapter_config.json`. Raises LoadError."""
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise LoadError(f"{CONFIG_FILE}: name must be the adapter's name, a part of the tensors' keys.")
    given, notes = legacy.repaired(document, BOTTLENECK)
    return Document(name, complete(given), tuple(notes))


def complete(given: Any) -> Values:
    """A config with every field. Raises LoadError for one that is missing, unknown or of a wrong kind."""
    if not isinstance(given, Mapping):
        raise LoadError(f"{CONFIG_FILE}: config must be an object, not {quoted(repr(given))}.")
    architecture = given.get("architecture")
    if architecture == "union":
        members = given.get("configs")
        if not isinstance(members, list) or not members:
            raise LoadError(f"{CONFIG_FILE}: configs must be the list of a union's members.")
        return {"architecture": "union", "configs": [complete(member) for member in members]}
    if not isinstance(architecture, str | None) or architecture not in _FIELDS:
        known = listing(name or "none (a bottleneck)" for name in _FIELDS)
        raise LoadError(
            f"There is no method here for the architecture {quoted(str(architecture))}; known are {known}."
        )
    values = fill(_FIELDS[architecture], given)
    return values | {"architecture": architecture}


def fill(fields: Mapping[str, Any], given: Mapping[str, Any]) -> Values:
    """The fields with what is given for them. Raises LoadError."""
    unknown = [key for key in given if key not in fields and key != "architecture"]
    if unknown:
        names = ", ".join(quoted(key) for key in unknown[:5])
        raise LoadError(
            f"The config has {names}, which no release of adapters up to 1.3.0 knows; what they would change "
            "cannot be told."
        )
    values = {key: given.get(key, default) for key, default in fields.items()}
    required = [key for key, default in fields.items() if default is _REQUIRED]
    missing = [key for key in required if values[key] is _REQUIRED or values[key] is None]
    if missing:
        raise LoadError(f"The config lacks {', '.join(missing)}.")
    for key in _WHOLE_NUMBERS:
        if key in values:
            values[key] = _items(key, values[key], int)
    for key in _TEXTS:
        if key in values:
            values[key] = _items(key, values[key], str)
    return values


def _items(key: str, given: Any, kind: type) -> tuple[Any, ...]:
    items = () if given is None else given
    if not isinstance(items, list | tuple) or not all(type(item) is kind for item in items):
        what = "whole numbers" if kind is int else "texts"
        raise LoadError(f"The config's {key} must be a list of {what}, not {quoted(repr(given))}.")
    return tuple(items)
