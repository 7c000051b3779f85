"""The peer `adapters`, imported by name: it is no dependency of ours and lives in its own environment."""

from importlib import import_module
from typing import Any

adapters: Any = import_module("adapters")
composition: Any = import_module("adapters.composition")
transformers: Any = import_module("transformers")
