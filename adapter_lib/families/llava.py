"""Language models that read pictures through a projector: a decoder beside an encoder of pictures."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Inner

_INNER = (Inner("language_model"), Inner("vision_tower"))

for _name in ("llava", "llava_next", "vipllava", "paligemma", "gemma3", "mistral3"):
    register_family(FamilySpec(_name, (_name,), inner=_INNER))
