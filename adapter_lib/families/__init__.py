"""One short role table per model family; importing this package registers them all. No torch."""

from adapter_lib.families import bert, distilbert, gpt2, llama, roberta  # noqa: F401  (they register)
from adapter_lib.families.registry import family_of, list_families, register_family
from adapter_lib.families.resolve import Resolved, resolve
from adapter_lib.families.spec import Dims, FamilySpec, Fused, LayerSpec, Site, Sizes, Tower

__all__ = [
    "Dims",
    "FamilySpec",
    "Fused",
    "LayerSpec",
    "Resolved",
    "Site",
    "Sizes",
    "Tower",
    "family_of",
    "list_families",
    "register_family",
    "resolve",
]
