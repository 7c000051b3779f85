"""The peer `peft`, imported by name: it is no dependency of ours and lives in its own environment."""

from importlib import import_module
from typing import Any

peft: Any = import_module("peft")
transformers: Any = import_module("transformers")
