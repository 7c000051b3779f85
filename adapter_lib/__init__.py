"""Every adapter method, every composition, on every transformers 5 model.

`import adapter_lib` is quick: torch and transformers are loaded with the first name that needs them (PEP
562).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapter_lib.families import list_families
    from adapter_lib.heads import MultiHeadOutput
    from adapter_lib.hub import load, publish, search
    from adapter_lib.methods import list_methods
    from adapter_lib.model import AdapterModel, AdapterSetup, detach, init
    from adapter_lib.spec.composition import (
        Average,
        BatchSplit,
        Fuse,
        MultiTask,
        Parallel,
        Route,
        Split,
        Stack,
    )
    from adapter_lib.spec.configs import BnConfig, DoubleSeqBnConfig, LoRAConfig, ParBnConfig, SeqBnConfig
    from adapter_lib.spec.errors import AdapterLibError
    from adapter_lib.spec.strings import parse_config
    from adapter_lib.version import __version__

_HOMES = {
    "AdapterLibError": "adapter_lib.spec.errors",
    "AdapterModel": "adapter_lib.model",
    "AdapterSetup": "adapter_lib.model",
    "Average": "adapter_lib.spec.composition",
    "BatchSplit": "adapter_lib.spec.composition",
    "BnConfig": "adapter_lib.spec.configs",
    "DoubleSeqBnConfig": "adapter_lib.spec.configs",
    "Fuse": "adapter_lib.spec.composition",
    "LoRAConfig": "adapter_lib.spec.configs",
    "MultiHeadOutput": "adapter_lib.heads",
    "MultiTask": "adapter_lib.spec.composition",
    "ParBnConfig": "adapter_lib.spec.configs",
    "Parallel": "adapter_lib.spec.composition",
    "Route": "adapter_lib.spec.composition",
    "SeqBnConfig": "adapter_lib.spec.configs",
    "Split": "adapter_lib.spec.composition",
    "Stack": "adapter_lib.spec.composition",
    "__version__": "adapter_lib.version",
    "detach": "adapter_lib.model",
    "init": "adapter_lib.model",
    "list_families": "adapter_lib.families",
    "list_methods": "adapter_lib.methods",
    "load": "adapter_lib.hub",
    "parse_config": "adapter_lib.spec.strings",
    "publish": "adapter_lib.hub",
    "search": "adapter_lib.hub",
}

__all__ = [
    "AdapterLibError",
    "AdapterModel",
    "AdapterSetup",
    "Average",
    "BatchSplit",
    "BnConfig",
    "DoubleSeqBnConfig",
    "Fuse",
    "LoRAConfig",
    "MultiHeadOutput",
    "MultiTask",
    "ParBnConfig",
    "Parallel",
    "Route",
    "SeqBnConfig",
    "Split",
    "Stack",
    "__version__",
    "detach",
    "init",
    "list_families",
    "list_methods",
    "load",
    "parse_config",
    "publish",
    "search",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'adapter_lib' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
